/** Leases that an isolate was given and could not use: what lies unspent in them comes back. */
import { expect, test } from 'bun:test';
import { type Answer, type Ask, Counter } from '../../../edge/rate-limit/counter.ts';
import { Limiter } from '../../../edge/rate-limit/limiter.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { type Plan, plans } from '../../../shared/limits/plans.ts';

const { anonymous: plan, signedIn: other } = plans({
  anonymous: 'one', signedIn: 'other', plans: { one: [{ limit: 1_000, seconds: 3_600 }], other: [{ limit: 2_000, seconds: 3_600 }] },
});

/** An isolate and its caller's counter, which answers as the test says. */
class Place {
  nowMs = 1_000_000;
  /** Requests that passed uncounted. */
  letAlone = 0;
  answers: (decide: () => Answer) => Promise<Answer> = async (decide) => decide();
  readonly counter = new Counter();
  readonly #work: Promise<unknown>[] = [];
  readonly #limiter = new Limiter({
    ask: (_caller, question) => this.answers(() => this.counter.decide(question, this.nowMs)),
    clock: { now: () => this.nowMs, sleep: async () => undefined }, onTrouble: () => undefined,
  });

  async spend(by: Plan = plan): Promise<string> {
    const verdict = await this.#limiter.spend({
      caller: 'subject:ann', plan: by, cost: 1, kind: 'reads', keepsDays: false, unavailable: 'allow',
      waitUntil: (work) => void this.#work.push(work),
    });
    if (verdict.kind === 'unavailable' && verdict.retryMs === undefined) this.letAlone++;
    return verdict.kind;
  }

  async settled(): Promise<void> {
    while (this.#work.length > 0) await Promise.all(this.#work.splice(0));
  }

  get left(): number | undefined {
    const question: Ask = { windows: plan.windows, cost: 0, want: 0, settled: [] };
    return this.counter.decide(question, this.nowMs).windows[0]?.left;
  }
}

test('one that was granted too late is given back', async () => {
  const place = new Place();
  place.answers = async (decide) => {
    const answer = decide();
    await Bun.sleep(edgeLimits.counterMsMax + 100);
    return answer;
  };
  expect(await place.spend()).toBe('unavailable');
  expect(place.left).toBeLessThan(999);
  place.answers = async (decide) => decide();
  await place.settled();
  expect(place.left).toBe(999);
});

test('what could not be told of one is told with the next question', async () => {
  const place = new Place();
  expect(await place.spend()).toBe('granted');
  await place.settled();
  place.nowMs += 2_001;
  place.answers = async () => Promise.reject(new Error('away'));
  expect(await place.spend()).toBe('unavailable');
  await place.settled();
  place.nowMs += edgeLimits.counterAgainMs;
  place.answers = async (decide) => decide();
  expect(await place.spend()).toBe('granted');
  await place.settled();
  expect(place.left).toBe(998);
});

test('a caller who comes by two plans in turn holds one of each', async () => {
  const place = new Place();
  for (let turn = 0; turn < 40; turn++) expect(await place.spend(turn % 2 === 0 ? plan : other)).toBe('granted');
  expect(place.left).toBeGreaterThan(1_000 - 2 * 50);
});

test('a caller who comes by two plans in turn is bounded by each while nobody counts', async () => {
  const place = new Place();
  place.answers = async () => Promise.reject(new Error('away'));
  const [few, fewer] = ['few', 'fewer'].map((name, index) => plans({
    anonymous: name, signedIn: name, plans: { [name]: [{ limit: 3 - index, seconds: 60 }] },
  }).anonymous);
  for (let turn = 0; turn < 40; turn++) await place.spend(turn % 2 === 0 ? few : fewer);
  expect(place.letAlone).toBe(5);
});
