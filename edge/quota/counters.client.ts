/** The isolate's quota over the Durable Objects that count: one object a caller, so callers never wait for one another. */
import type { Counters } from '../coordinator/counters.object.ts';
import { log, toLogged } from '../log.ts';
import { Quota } from './quota.ts';

export function toQuota(counters: DurableObjectNamespace<Counters>): Quota {
  return new Quota({
    ask: async (caller, ask) => counters.get(counters.idFromName(caller)).decide(ask),
    clock: { now: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
    onTrouble: (cause) => log('warn', 'limit.counter_not_asked', { cause: toLogged(cause) }),
  });
}
