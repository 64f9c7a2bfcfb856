/** A request that costs more than once is charged once when it comes, and for the rest when it is read. */
import { expect, test } from 'bun:test';
import { type Ask, Counter } from '../../../edge/rate-limit/counter.ts';
import { Limiter } from '../../../edge/rate-limit/limiter.ts';
import type { Identified } from '../../../edge/request/request.ts';
import { spendMore } from '../../../edge/stages/limit.ts';
import { type PlanDeclaration, plans } from '../../../shared/limits/plans.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { anonymous } from '../../../shared/wire/principal.ts';

/** One caller, in time that the test lets pass. */
class Caller {
  nowMs = 1_000_000;
  asked = 0;
  readonly #counter = new Counter();
  readonly #request: Identified;

  constructor(plan: PlanDeclaration) {
    const offered = plans({ anonymous: 'plan', signedIn: 'plan', plans: { plan } });
    const ask = async (_caller: string, question: Ask) => (this.asked++, this.#counter.decide(question, this.nowMs));
    const clock = { now: () => this.nowMs, sleep: async () => undefined };
    const limiter = new Limiter({ ask, clock, onTrouble: () => undefined });
    // What charging reads of a request.
    this.#request = {
      route: { operation: { name: 'list', cost: 1, answers: 'state', method: 'GET' }, resource: { limits: { cost: {}, unavailable: {} } } },
      context: { limiter, plans: offered }, principal: anonymous, network: '192.0.2.1', told: [], waitUntil: () => undefined,
    } as unknown as Identified;
  }

  /** Seconds that a refused one is told to wait; `null` where it is told nothing, `undefined` where it is not refused. */
  async askFor(times: number): Promise<number | null | undefined> {
    try {
      await spendMore(this.#request, 1, 0);
      await spendMore(this.#request, times - 1);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.reason !== 'limit_exceeded') throw thrown;
      const told = thrown.headers['retry-after'];
      return told === undefined ? null : Number(told);
    }
  }
}

test.each([4, 40])('whoever waits as long as they are told to is let in: a limit of %d', async (limit) => {
  const caller = new Caller({ windows: [{ limit, seconds: 60 }, { limit: 2 * limit, seconds: 600 }] });
  expect(await caller.askFor(limit / 4)).toBeUndefined();
  caller.nowMs += 10_000;
  const told = await caller.askFor(limit);
  expect(told).toBeWithin(1, 61);
  caller.nowMs += Number(told) * 1_000;
  expect(await caller.askFor(limit)).toBeUndefined();
});

test('whoever can never pay for it is told no time after which they could', async () => {
  const caller = new Caller({ windows: [{ limit: 4, seconds: 60 }] });
  expect(await caller.askFor(5)).toBeNull();
  expect(caller.asked).toBe(1);
  expect(await new Caller({ windows: [{ limit: 40, seconds: 60 }], month: 30 }).askFor(31)).toBeNull();
});
