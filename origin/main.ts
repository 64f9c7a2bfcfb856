/** `npm run origin`: the origin alone, as on an origin host; `-- --processes N`: as several processes under a supervisor. */
import { toUnknownVariables } from '../shared/settings/unknown-variables.ts';
import { attend } from './attend.ts';
import { orCannotStart } from './cannot-start.ts';
import { mustCount } from './processes/count.ts';
import { withSecretFiles } from './secret-files.ts';
import { startOrigin } from './server.ts';
import { mustSettings } from './settings.ts';

for (const line of toUnknownVariables(process.env)) process.stderr.write(`tombolo origin: ${line}\n`);

await orCannotStart({ name: 'tombolo origin', portVariable: 'TOMBOLO_ORIGIN_PORT' }, async () => {
  const settings = mustSettings(withSecretFiles(process.env));
  const count = mustCount(process.argv.slice(2), settings);
  if (count !== undefined) {
    const { supervise } = await import('./processes/supervise.ts');
    return supervise(settings, count);
  }
  const origin = await startOrigin(settings);
  attend(origin);
  process.stdout.write(`tombolo origin listening on port ${origin.port}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(origin.close()));
});

async function stop(closed: Promise<void>): Promise<void> {
  await closed;
  process.exit(0);
}
