/**
 * The supervisor of several origin processes: signals, and a port for whoever operates them.
 *
 *   TERM, INT: all drain and end, within 10 s; a second one does not wait      HUP: each is replaced, one after another
 *   USR2: each changes the level of its log
 *
 * A fresh process runs the program as it now lies on disk, in the environment of the supervisor.
 */
import { openLog } from '../log.ts';
import { mustFreePort } from './free-port.ts';
import type { Settings } from '../settings.ts';
import { StopWish } from '../stop-wish.ts';
import { Fleet } from './fleet.ts';
import { Member } from './member.ts';
import { listenForOperators } from './operators-port.ts';

export async function supervise(settings: Settings, count: number): Promise<void> {
  const { processBytesMax, originPort, logLevel, metrics } = settings;
  const log = openLog(logLevel);
  await mustFreePort(settings);
  const fleet = new Fleet({
    count, bytesMax: processBytesMax, begin: (number) => new Member(number),
    onEvent: (level, message, facts) => log[level](facts, message),
    onHopeless: (code) => process.exit(code),
  });
  const wish = new StopWish();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void wish.make(() => fleet.stop()));
  process.on('SIGHUP', () => void fleet.roll());
  process.on('SIGUSR2', () => fleet.changeLogLevel());
  // Whatever ends the supervisor, its processes hear it by the channel between them, and stop in order.
  if (metrics !== undefined) listenForOperators(fleet, metrics, log);
  const failed = await fleet.start();
  if (failed !== undefined && !fleet.isStopping) process.exit(failed);
  const processes = count === 1 ? '1 process' : `${count} processes`;
  process.stdout.write(`tombolo origin listening on port ${originPort}: ${processes}, supervised by ${process.pid}\n`);
}
