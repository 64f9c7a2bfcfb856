/** One of the processes of `npm run origin -- --processes N`: an origin that shares its port, and says how it is. */
import type { Variables } from '../../shared/settings/reader.ts';
import { attend } from '../attend.ts';
import { orCannotStart } from '../cannot-start.ts';
import { givenVariables } from '../given.ts';
import { startOrigin } from '../server.ts';
import { mustSettings, type Settings } from '../settings.ts';
import { standingEveryMs, type Word } from './words.ts';

/** Clients that come again and again have left by then. */
const drainMsDefault = 1_000;

function toOwn(variables: Variables, number: number): Settings {
  const settings = mustSettings(variables);
  const metrics = settings.metrics && { host: '127.0.0.1', port: 0, process: number };
  return { ...settings, metrics, drainMs: variables['TOMBOLO_DRAIN_MS'] ? settings.drainMs : drainMsDefault };
}

function say(word: Word): void {
  if (process.connected) process.send?.(word);
}

await orCannotStart({ name: 'tombolo origin', portVariable: 'TOMBOLO_ORIGIN_PORT' }, async () => {
  // Its supervisor is told by a terminal as well, and tells it.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const origin = await startOrigin(toOwn(givenVariables(), Number(process.argv[2])), { isOneOfSeveral: true });
  attend(origin);
  const stop = (): void => void origin.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  // A supervisor that was killed leaves nobody behind.
  process.once('disconnect', stop);
  say({ word: 'serving', metricsPort: origin.metricsPort });
  const tell = async (): Promise<void> => {
    const states = Object.entries(await origin.states());
    const unready = states.filter(([, { ready }]) => !ready).map(([name]) => name);
    say({ word: 'standing', bytes: process.memoryUsage.rss(), unready });
  };
  void tell();
  setInterval(() => void tell(), standingEveryMs).unref();
});
