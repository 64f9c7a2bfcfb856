/**
 * What a running program does with a signal for its log, and with what nobody caught: that is logged, and the services stop
 * backwards as at any stop, because a process that goes on from there does so in a state that nobody wrote.
 */
import type { Logger } from 'pino';
import { exitSoftware } from './exit-codes.ts';

export interface Attended {
  readonly log: Logger;
  close(): Promise<void>;
}

/** SIGUSR2 sets the log to `debug`, where every request has a line, and the next one back. `told` is told of each level. */
export function attend({ log, close }: Attended, told: (level: string) => void = () => undefined): void {
  const { level: begun } = log;
  process.on('SIGUSR2', () => {
    log.level = log.level === 'debug' ? begun : 'debug';
    told(log.level);
    // Whatever the level is: whoever sent the signal looks for its effect.
    process.stderr.write(`${JSON.stringify({ time: Date.now(), level: log.level, msg: 'the level of the log is changed' })}\n`);
  });
  let isEnding = false;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      log.fatal({ err: thrown }, 'nobody caught this: the process ends');
      if (isEnding) return;
      isEnding = true;
      void close().finally(() => process.exit(exitSoftware));
    });
  }
}
