/** The isolate's limiter over the counters, one a caller, so callers never wait for one another. */
import { log, toLogged } from '../log.ts';
import { type AskCounter, Limiter } from './limiter.ts';

export function toLimiter(ask: AskCounter): Limiter {
  return new Limiter({
    ask,
    clock: { now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
    onTrouble: (cause) => log('warn', 'limit.counter_not_asked', { cause: toLogged(cause) }),
  });
}
