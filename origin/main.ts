/** `npm run origin`: the origin alone, as on an origin host. */
import { DeclarationError } from '../shared/contract/mistakes.ts';
import { SettingsError } from '../shared/settings/reader.ts';
import { toUnknownVariables } from '../shared/settings/unknown-variables.ts';
import { attend } from './attend.ts';
import { startOrigin } from './server.ts';
import { mustSettings } from './settings.ts';
import { StoreNotReady } from './store/not-ready.ts';

for (const line of toUnknownVariables(process.env)) process.stderr.write(`tombolo origin: ${line}\n`);

try {
  const origin = await startOrigin(mustSettings(process.env));
  attend(origin);
  process.stdout.write(`tombolo origin listening on port ${origin.port}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(origin.close()));
} catch (thrown) {
  if (thrown instanceof DeclarationError || thrown instanceof SettingsError || thrown instanceof StoreNotReady) {
    process.stderr.write(`tombolo origin cannot start: ${thrown.message}\n`);
  } else if ((thrown as { code?: string }).code === 'EADDRINUSE') {
    process.stderr.write('tombolo origin cannot start: the port of TOMBOLO_ORIGIN_PORT is in use by another program\n');
  } else {
    throw thrown;
  }
  process.exit(78);
}

async function stop(closed: Promise<void>): Promise<void> {
  await closed;
  process.exit(0);
}
