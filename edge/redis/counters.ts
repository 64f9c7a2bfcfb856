/** The counters of callers in Redis, one a key: each question is one script. */
import type { Answer, Ask } from '../rate-limit/counter.ts';
import { dayMs, kinds, monthOf, type Spent } from '../rate-limit/days.ts';
import { counterScript } from './counter-script.ts';
import { clockOfRedis, type Redis, toHex } from './redis.ts';

export async function decideInRedis(redis: Redis, caller: string, ask: Ask): Promise<Answer> {
  const firstLease = Math.floor(Math.random() * 2 ** 40);
  const told = await redis.run(
    counterScript, await keyOf(caller), JSON.stringify(ask), String(firstLease), JSON.stringify(monthsAround(Date.now())),
  );
  const answer = JSON.parse(String(told)) as Answer;
  // An empty list is an empty object to Lua.
  return Array.isArray(answer.windows) ? answer : { ...answer, windows: [] };
}

/** What is kept of the caller's days, from the first to the last. */
export async function spentInRedis(redis: Redis, caller: string): Promise<readonly Spent[]> {
  const kept = await redis.run(`${clockOfRedis} return redis.call('GET', KEYS[1]) or '{}'`, await keyOf(caller));
  const { days = {} } = JSON.parse(String(kept)) as { readonly days?: Readonly<Record<string, Readonly<Partial<Record<string, number>>>>> };
  return Object.keys(days).map(Number).sort((one, other) => one - other)
    .flatMap((day) => kinds.map((kind) => ({ day, kind, amount: days[day]?.[kind] ?? 0 })).filter(({ amount }) => amount !== 0));
}

/** The first days of the months of which one is Redis's: its clock may be in another than ours. */
function monthsAround(now: number): readonly number[] {
  const [first, next] = monthOf(now);
  return [monthOf((first - 1) * dayMs)[0], first, next, monthOf(next * dayMs)[1]];
}

/** Callers are named as long as issuers like, and an address is nobody's business in a database. */
async function keyOf(caller: string): Promise<string> {
  return `tombolo:counter:${await toHex('SHA-256', caller)}`;
}
