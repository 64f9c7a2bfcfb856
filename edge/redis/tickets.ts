/**
 * Tickets in Redis (`identity/ticket.ts`), each a key that ends with it. What a ticket turns into is decided here and put where
 * what was read still is, so of several who redeem one at once, one does.
 */
import { Fault } from '../../shared/wire/fault.ts';
import type { Host } from '../host/host.ts';
import { type Kept, redeem, toKept } from '../identity/ticket.ts';
import { edgeLimits } from '../limits.ts';
import { clockOfRedis, type Redis } from './redis.ts';

const look = `${clockOfRedis} return redis.call('GET', KEYS[1]) or ''`;
/** Arguments: what is to be there, empty for nothing; what comes in its place; for how many milliseconds. */
const exchange = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`;

export function toRedisTickets(redis: Redis): Host['tickets'] {
  async function put(key: string, before: string, kept: Kept): Promise<boolean> {
    const ms = Math.max(1, Math.ceil(kept.expiresAt - Date.now()));
    return (await redis.run(exchange, key, before, JSON.stringify(kept), String(ms))) === 1;
  }
  return {
    keep: (stream, bearer, ms) => orUnavailable(async () => {
      if (!(await put(keyOf(stream), '', toKept(bearer, ms, Date.now())))) throw new Error('the ticket is there already');
    }),
    redeem: (stream, opening) => orUnavailable(async () => {
      const key = keyOf(stream);
      const before = String(await redis.run(look, key));
      const kept = before === '' ? undefined : (JSON.parse(before) as Kept);
      const redeemed = redeem(kept, opening, Date.now());
      if (redeemed === undefined || redeemed.keep === kept) return redeemed?.bearer;
      // Whoever was faster has opened it.
      return (await put(key, before, redeemed.keep)) ? redeemed.bearer : undefined;
    }),
  };
}

function keyOf(stream: string): string {
  return `tombolo:ticket:${stream}`;
}

/** Whether a ticket is good cannot be told now: that is no refusal of it. */
async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const headers = { 'retry-after': String(edgeLimits.retryAfterSeconds) };
    throw new Fault('identity_unavailable', { cause, detail: 'tickets cannot be looked at now', headers });
  }
}
