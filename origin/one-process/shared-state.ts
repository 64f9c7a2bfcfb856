/**
 * What several such processes on one database count together: charges and tickets, as texts that they change by turns. A change
 * counts when the database has it, so a limit is one limit and a ticket is good once, whichever of them is asked.
 *
 * A counter is decided on as it lies there and put back; where another process was faster, it is decided anew. Questions about
 * one caller that come while one is under way are decided together. The time of a counter never goes backwards; where the
 * clocks of two machines differ, a window is shorter by as much.
 */
import { Counter, type Answer, type Ask, type CounterState } from '../../edge/rate-limit/counter.ts';
import { dayMs, Days, daysKept, type Spent } from '../../edge/rate-limit/days.ts';
import type { AskCounter } from '../../edge/rate-limit/limiter.ts';
import { edgeLimits } from '../../edge/limits.ts';
import type { Host } from '../../edge/host/host.ts';
import { type Kept, redeem, toKept } from '../../edge/identity/ticket.ts';
import type { SharedTexts } from '../store/store.ts';

interface Question {
  readonly ask: Ask;
  readonly answered: PromiseWithResolvers<Answer>;
}

interface KeptCounter extends CounterState {
  /** When it was last decided. */
  readonly now: number;
}

/** Before another try, at most: twice what a change takes, so that two who met do not meet again. */
const pauseMsMax = 10;

export function toSharedCounters(texts: SharedTexts, clock: () => number = Date.now): AskCounter {
  /** Questions that wait for the one under way, by caller. */
  const waiting = new Map<string, Question[]>();

  async function answerAll(caller: string): Promise<void> {
    for (let questions = take(); questions.length > 0; questions = take()) {
      const asks = questions.map(({ ask }) => ask);
      await decideAll(texts, caller, asks, clock).then(
        (answers) => answers.forEach((answer, index) => questions[index]?.answered.resolve(answer)),
        (cause: unknown) => questions.forEach(({ answered }) => answered.reject(cause)),
      );
    }
    waiting.delete(caller);

    function take(): readonly Question[] {
      return waiting.get(caller)?.splice(0) ?? [];
    }
  }

  return (caller, ask) => {
    const answered = Promise.withResolvers<Answer>();
    const others = waiting.get(caller);
    if (others !== undefined) others.push({ ask, answered });
    else {
      waiting.set(caller, [{ ask, answered }]);
      void answerAll(caller);
    }
    return answered.promise;
  };
}

/** What is kept of a caller's days. */
export function toSharedSpent(texts: SharedTexts): (caller: string) => Promise<readonly Spent[]> {
  return async (caller) => {
    const found = await texts.find(counterOf(caller));
    return found === undefined ? [] : new Days(undefined, (JSON.parse(found.text) as KeptCounter).days).spent(Date.now());
  };
}

/** For as long as whoever asked waits, and no longer. */
async function decideAll(texts: SharedTexts, caller: string, asks: readonly Ask[], clock: () => number): Promise<readonly Answer[]> {
  const name = counterOf(caller);
  for (const until = performance.now() + edgeLimits.counterMsMax; performance.now() < until; await Bun.sleep(Math.random() * pauseMsMax)) {
    const found = await texts.find(name);
    const kept = found === undefined ? undefined : (JSON.parse(found.text) as KeptCounter);
    const now = Math.max(clock(), kept?.now ?? 0);
    const counter = kept === undefined ? new Counter(undefined, Math.floor(Math.random() * 2 ** 40)) : Counter.of(kept);
    const answers = asks.map((ask) => counter.decide(ask, now));
    // What grants nothing and settles nothing has changed nothing.
    if (answers.every(({ granted, share }, index) => granted === 0 && share === undefined && tellsNothing(asks[index]))) return answers;
    const state = counter.state(now);
    const next: KeptCounter = { now, ...state };
    if (await texts.put(name, { text: JSON.stringify(next), expiresAt: endOf(state, now) }, found?.version)) return answers;
  }
  throw new Error('others change the counter of this caller all the time');
}

function tellsNothing(ask: Ask | undefined): boolean {
  return ask?.settled.length === 0 && (ask.underWay === undefined || ask.underWay.does === 'begin');
}

/** When nothing of it counts any more; its leases are over before. */
function endOf({ logs, days = [], slots = [] }: CounterState, now: number): number {
  const lastDay = days.at(-1)?.day;
  const daysEnd = lastDay === undefined ? now : (lastDay + daysKept) * dayMs;
  const logsEnd = logs.map(([seconds, charges]) => (charges.at(-1)?.[0] ?? now) + seconds * 1_000);
  return Math.max(now, daysEnd, ...logsEnd, ...slots.map(({ until }) => until));
}

export function toSharedTickets(texts: SharedTexts, clock: () => number = Date.now): Host['tickets'] {
  const nameOf = (stream: string) => `ticket:${stream}`;
  const put = (stream: string, kept: Kept, version: string | undefined) =>
    texts.put(nameOf(stream), { text: JSON.stringify(kept), expiresAt: kept.expiresAt }, version);
  return {
    async keep(stream, bearer, ms) {
      await put(stream, toKept(bearer, ms, clock()), undefined);
    },
    async redeem(stream, opening) {
      const found = await texts.find(nameOf(stream));
      const kept = found === undefined ? undefined : (JSON.parse(found.text) as Kept);
      const redeemed = redeem(kept, opening, clock());
      if (redeemed === undefined || redeemed.keep === kept) return redeemed?.bearer;
      // Whoever was faster has opened it.
      return (await put(stream, redeemed.keep, found?.version)) ? redeemed.bearer : undefined;
    },
  };
}

/** Callers are named as long as issuers like, and an address is nobody's business in a database. */
function counterOf(caller: string): string {
  return `counter:${new Bun.CryptoHasher('sha256').update(caller).digest('base64url')}`;
}
