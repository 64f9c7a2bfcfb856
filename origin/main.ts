/** `npm run origin`: the origin alone, as on an origin host; `-- --processes N`: as several processes under a supervisor. */
import { toUnknownVariables } from '../shared/settings/unknown-variables.ts';
import { attend } from './attend.ts';
import { orCannotStart } from './cannot-start.ts';
import { givenVariables } from './given.ts';
import { mustCount } from './processes/count.ts';
import { rotatedByOrigin, rotateOnHup, RotatingSettings } from './rotating-settings.ts';
import { startOrigin } from './server.ts';
import { mustSettings } from './settings.ts';

await orCannotStart({ name: 'tombolo origin', portVariable: 'TOMBOLO_ORIGIN_PORT' }, async () => {
  const variables = givenVariables();
  for (const line of toUnknownVariables(variables)) process.stderr.write(`tombolo origin: ${line}\n`);
  const settings = mustSettings(variables);
  const count = mustCount(process.argv.slice(2), settings);
  if (count !== undefined) {
    const { supervise } = await import('./processes/supervise.ts');
    return supervise(settings, count);
  }
  const rotating = new RotatingSettings({ settings, variables }, rotatedByOrigin);
  const origin = await startOrigin(rotating.settings);
  attend(origin);
  rotateOnHup(rotating, readAgain, origin.log);
  process.stdout.write(`tombolo origin listening on port ${origin.port}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(origin.close()));
});

function readAgain() {
  const variables = givenVariables();
  return { variables, settings: mustSettings(variables) };
}

async function stop(closed: Promise<void>): Promise<void> {
  await closed;
  process.exit(0);
}
