/**
 * Trials of limits that are kept to the request: each asks of one caller more than a limit allows, all at once, from several
 * isolates or processes, and counts what was granted. Every way to count that Tombolo has is asked: a counter that stays in one
 * place (a Durable Object), one whose charges are in a file, one that several processes change by turns, and one in Redis.
 */
import { Database } from 'bun:sqlite';
import { type Answer, type Ask, Counter } from '../../../edge/rate-limit/counter.ts';
import { Limiter } from '../../../edge/rate-limit/limiter.ts';
import { decideInRedis } from '../../../edge/redis/counters.ts';
import { Redis } from '../../../edge/redis/redis.ts';
import { CallerCounters } from '../../../origin/one-process/counters.ts';
import { toSharedCounters } from '../../../origin/one-process/shared-state.ts';
import type { SharedText, SharedTexts } from '../../../origin/store/store.ts';
import { type Plan, plans } from '../../../shared/limits/plans.ts';
import { Random } from '../../support/random.ts';
import { RestRedis } from '../../support/redis.ts';

export const places = ['object', 'file', 'shared', 'redis'] as const;
export type CounterPlace = (typeof places)[number];

export interface TrialsRun {
  readonly figures: { readonly place: CounterPlace; readonly trials: number; readonly asked: number; readonly granted: number };
  readonly violations: readonly string[];
}

const limitMax = 20;
const isolatesMax = 16;

export async function runTrials(place: CounterPlace, given: { readonly seed: number; readonly trials: number }): Promise<TrialsRun> {
  const { seed, trials } = given;
  const random = new Random(seed);
  await using redis = place === 'redis' ? await RestRedis.start() : undefined;
  const asks = openPlace(place, random, redis);
  const figures = { asked: 0, granted: 0 };
  const violations: string[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const limit = 1 + random.below(limitMax);
    const plan = toPlan(limit, random.below(2) === 0);
    const isolates = Array.from({ length: 1 + random.below(isolatesMax) }, (_, index) => toIsolate(asks[index % asks.length]));
    const asked = limit + 1 + random.below(2 * limit);
    const kinds = await Promise.all(Array.from({ length: asked }, async () => {
      const isolate = isolates[random.below(isolates.length)];
      return (await isolate?.spend({
        caller: `subject:${trial}`, plan, cost: 1, kind: 'reads', keepsDays: true, unavailable: 'refuse', waitUntil: () => undefined,
      }))?.kind;
    }));
    const granted = kinds.filter((kind) => kind === 'granted').length;
    // Where a counter did not answer in time its request is refused, though it may be counted.
    const isWrong = kinds.includes('unavailable') ? granted > limit : granted !== limit;
    if (isWrong) violations.push(`${place}, trial ${trial}: ${granted} granted of a limit of ${limit}`);
    figures.asked += asked;
    figures.granted += granted;
  }
  return { figures: { place, trials, ...figures }, violations };
}

/** The limit is that of a window, or of a month beside a window that nobody reaches. */
function toPlan(limit: number, isMonth: boolean): Plan {
  const { signedIn } = plans({ anonymous: 'a', signedIn: 'a', plans: { a: [{ limit, seconds: 60 }] } });
  return isMonth ? { ...signedIn, windows: [{ name: 'minute', limit: 1_000, seconds: 60 }], quota: limit } : signedIn;
}

type AskOne = (caller: string, ask: Ask) => Promise<Answer>;

export function toIsolate(ask: AskOne | undefined): Limiter {
  if (ask === undefined) throw new Error('there is no way to the counters');
  // Time does not pass.
  const sleep = async (_ms: number, until: Promise<unknown> = new Promise(() => undefined)): Promise<void> => void (await until);
  const clock = { now: Date.now, sleep };
  return new Limiter({ ask, clock, onTrouble: () => undefined });
}

/** The ways to its counters, one a process. */
export function openPlace(place: CounterPlace, random: Random, redis: RestRedis | undefined): readonly AskOne[] {
  if (redis !== undefined) {
    const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = redis.variables;
    return [1, 2, 3].map(() => new Redis({ url, token })).map((edge) => (caller, ask) => decideInRedis(edge, caller, ask));
  }
  if (place === 'shared') {
    const texts = new RacingTexts(random);
    return [1, 2, 3].map(() => toSharedCounters(texts));
  }
  if (place === 'file') {
    const counters = new CallerCounters(new Database(':memory:'));
    return [async (caller, ask) => { await pause(random); return counters.decide(caller, ask); }];
  }
  const counters = new Map<string, Counter>();
  return [async (caller, ask) => {
    await pause(random);
    const counter = counters.get(caller) ?? new Counter();
    counters.set(caller, counter);
    return counter.decide(ask, Date.now());
  }];
}

/** Some turns of the loop, so that questions overtake one another. */
async function pause(random: Random): Promise<void> {
  for (let turns = random.below(6); turns > 0; turns--) await undefined;
}

/** A store of texts that are put in the place of the version that was found, where it is still there. */
class RacingTexts implements SharedTexts {
  readonly #texts = new Map<string, SharedText>();
  readonly #random: Random;
  #versions = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  async find(name: string): Promise<SharedText | undefined> {
    await pause(this.#random);
    const found = this.#texts.get(name);
    await pause(this.#random);
    return found;
  }

  async put(name: string, next: { readonly text: string }, version: string | undefined): Promise<boolean> {
    await pause(this.#random);
    if (this.#texts.get(name)?.version !== version) return false;
    this.#texts.set(name, { text: next.text, version: String(++this.#versions) });
    await pause(this.#random);
    return true;
  }
}
