/** The isolate's limiter over the counters, one a caller, so callers never wait for one another. */
import { digest64 } from '../../shared/wire/hash.ts';
import { log, toLogged } from '../log.ts';
import { sleep } from '../sleep.ts';
import { type AskCounter, Limiter } from './limiter.ts';

export function toLimiter(ask: AskCounter): Limiter {
  return new Limiter({
    ask,
    clock: { now: Date.now, sleep },
    onShare: (caller, { name }, share) => log('warn', 'limit.quota_used', { caller: digest64(caller), plan: name, share }),
    onTrouble: (cause) => log('warn', 'limit.counter_not_asked', { cause: toLogged(cause) }),
  });
}
