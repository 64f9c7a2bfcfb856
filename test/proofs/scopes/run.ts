/** Everybody asks, somebody writes, for a while; then every answer is held against the naive API. */
import { isLikeApiKey } from '../../../shared/api-keys/key-text.ts';
import { Random } from '../../support/random.ts';
import { type Engine, type Stack, startWorld } from '../../support/whole-world.ts';
import { type Caller, everybody, giveKeys, signIn, signInByMail } from './principals.ts';
import { askAround, type Findings, judge, type Observation } from './readers.ts';
import { States } from './states.ts';
import { writeOnce } from './writers.ts';

export interface ScopesFigures {
  readonly writes: number;
  readonly answers: number;
  readonly notModified: number;
  /** Answers that the edge gave by itself, by resource, what is expanded in it, and how the caller was signed in. */
  readonly hits: Readonly<Record<string, number>>;
}

const readers = 4;

export interface ScopesOptions {
  readonly engine: Engine;
  readonly stack?: Stack;
  readonly seed: number;
  /** The least number of writes; the run goes on until there are so many, and so many reads. */
  readonly writes: number;
  readonly answers: number;
  readonly memoMs: number;
  readonly feedSilentMs: number;
}

export async function runScopes({
  engine, stack = 'workerd', seed, writes, answers, memoMs, feedSilentMs,
}: ScopesOptions): Promise<{ findings: Findings; figures: ScopesFigures }> {
  const world = await startWorld({ engine, stack, memoMs, feedSilentMs, people: 'https://api.example.com' });
  try {
    const random = new Random(seed);
    const callers = await signIn(world, everybody);
    // Most ask by tokens: what those are answered from the cache is looked at by resource.
    const byMail = await signInByMail(world);
    const askers = [...callers, ...callers, ...callers, ...byMail, ...(await giveKeys(world, [...callers, ...byMail]))];
    const states = new States();
    const observations: Observation[] = [];
    const goesOn = (): boolean => states.count <= writes || observations.length < answers;
    const writing = async (own: Random): Promise<void> => {
      const byName = new Map(callers.map((caller) => [caller.name, caller]));
      // Writes come in bursts: in the pauses answers come from the cache.
      for (; goesOn(); await Bun.sleep(own.chance(0.06) ? own.below(700) : own.below(15))) await writeOnce(world, states, byName, own);
    };
    const reading = async (own: Random): Promise<void> => {
      const etags = new Map<string, string>();
      while (goesOn()) observations.push(...(await askAround(world, states, askers, own, etags)));
    };
    await Promise.all([writing(random.fork()), ...Array.from({ length: readers }, () => reading(random.fork()))]);
    // The 10 ms are for the rounding of clocks.
    return { findings: judge(observations, states, memoMs + feedSilentMs + 10), figures: toFigures(observations, states) };
  } finally {
    await world.close();
  }
}

function toFigures(observations: readonly Observation[], states: States): ScopesFigures {
  const hits: Record<string, number> = {};
  for (const { answer, question, caller } of observations.filter(({ answer }) => answer.isHit)) {
    const asked = question.expand === undefined ? question.name : `${question.name} with ${question.expand}`;
    const key = `${asked} ${howSignedIn(caller)}`;
    hits[key] = (hits[key] ?? 0) + (answer.isHit ? 1 : 0);
  }
  return {
    writes: states.count - 1,
    answers: observations.length,
    notModified: observations.filter(({ answer }) => answer.status === 304).length,
    hits,
  };
}

function howSignedIn({ token, hasSession = false }: Caller): string {
  if (token === undefined) return 'anyone';
  return isLikeApiKey(token) ? 'by key' : hasSession ? 'by session' : 'signed in';
}
