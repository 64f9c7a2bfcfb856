/** Charges and tickets of several processes over texts that they change by turns. */
import { describe, expect, test } from 'bun:test';
import { toSharedCounters, toSharedTickets } from '../../../origin/one-process/shared-state.ts';
import type { SharedText, SharedTexts } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';

/** In memory, each question under way for a while. */
class SlowTexts implements SharedTexts {
  readonly #texts = new Map<string, SharedText & { readonly expiresAt: number }>();
  readonly #random = new Random(7);
  versions = 0;

  get names(): readonly string[] {
    return [...this.#texts.keys()];
  }

  /** What has expired is removed. */
  forget(): void {
    this.#texts.clear();
  }

  async find(name: string): Promise<SharedText | undefined> {
    await Bun.sleep(this.#random.below(3));
    return this.#texts.get(name);
  }

  async put(name: string, next: { readonly text: string; readonly expiresAt: number }, version: string | undefined): Promise<boolean> {
    await Bun.sleep(this.#random.below(3));
    if (this.#texts.get(name)?.version !== version) return false;
    this.#texts.set(name, { ...next, version: String(++this.versions) });
    return true;
  }
}

describe('counters of three processes', () => {
  const processes = (texts: SharedTexts, clock?: () => number) => [1, 2, 3].map(() => toSharedCounters(texts, clock));
  const exact = { windows: [{ limit: 20, seconds: 60 }], cost: 1, want: 1, settled: [] };

  test('grant one limit together, exactly, however many ask at once', async () => {
    const texts = new SlowTexts();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => processes(texts)).flat().flatMap((ask) => Array.from({ length: 8 }, () => ask('a', exact))),
    );
    expect(answers.filter(({ granted }) => granted === 1).length).toBe(20);
    // Questions that wait for the same text are decided together, and refusals change nothing.
    expect(texts.versions).toBeLessThanOrEqual(20);
    expect((await processes(texts)[0]?.('b', exact))?.granted).toBe(1);
  });

  test('take back a lease that another one granted, and forget it with its window', async () => {
    let now = 1_000_000;
    const [one, two] = processes(new SlowTexts(), () => now);
    const windows = [{ limit: 1_000, seconds: 60 }];
    const granted = await one?.('a', { windows, cost: 1, want: 50, settled: [] });
    const left = async (settled: { lease: number; spent: readonly [number, number][]; unused: number }[]) =>
      (await two?.('a', { windows, cost: 0, want: 0, settled }))?.windows[0]?.left;
    expect(await left([])).toBe(950);
    expect(await left([{ lease: granted?.lease ?? 0, spent: [[0, 10]], unused: 40 }])).toBe(990);
    now += 60_000;
    expect(await left([])).toBe(1_000);
  });

  test('take nobody back a lease for one of an earlier life of the counter', async () => {
    let now = 1_000_000;
    const texts = new SlowTexts();
    const [one, two] = processes(texts, () => now);
    const ask = { windows: [{ limit: 1_000, seconds: 1 }], cost: 1, want: 8, settled: [] };
    const first = await one?.('a', ask);
    now += 60_000;
    texts.forget();
    await two?.('a', ask);
    const late = { ...ask, cost: 0, want: 0, settled: [{ lease: first?.lease ?? 0, spent: [] as const, unused: 8 }] };
    expect((await one?.('a', late))?.windows[0]?.left).toBe(992);
  });

  test('never let the time of a counter go back', async () => {
    const texts = new SlowTexts();
    const windows = [{ limit: 1, seconds: 60 }];
    const ask = (now: number) => toSharedCounters(texts, () => now)('a', { ...exact, windows });
    expect([(await ask(1_000_000)).granted, (await ask(940_000)).granted, (await ask(1_059_999)).granted]).toEqual([1, 0, 0]);
    expect((await ask(1_060_000)).granted).toBe(1);
  });

  test('tell nobody whom they count', async () => {
    const texts = new SlowTexts();
    await toSharedCounters(texts)('address:192.0.2.1', exact);
    expect(texts.names.join()).not.toContain('192.0.2.1');
  });

  test('are not waited for where they are away, and asked again afterwards', async () => {
    const texts = new SlowTexts();
    let isAway = true;
    const ask = toSharedCounters({
      find: (name) => (isAway ? Promise.reject(new Error('away')) : texts.find(name)),
      put: (...change) => texts.put(...change),
    });
    expect((await Promise.allSettled([ask('a', exact), ask('a', exact)])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isAway = false;
    expect((await ask('a', exact)).granted).toBe(1);
  });
});

test('a ticket of one process opens its stream by another, once, however many come at once', async () => {
  const texts = new SlowTexts();
  const [one, two] = [toSharedTickets(texts), toSharedTickets(texts)];
  const bearer = { principal: { subject: 'ann', roles: [], claims: {} }, signedInUntil: Date.now() + 60_000 };
  await one.keep('stream', bearer, 30_000);
  expect(await two.redeem('stream', 'again')).toBeUndefined();
  const opened = await Promise.all([one, two, one, two].map((tickets) => tickets.redeem('stream', 'first')));
  expect(opened.filter((by) => by?.principal.subject === 'ann').length).toBe(1);
  expect([await one.redeem('stream', 'first'), (await two.redeem('stream', 'again'))?.principal.subject]).toEqual([undefined, 'ann']);
  expect(await two.redeem('other', 'first')).toBeUndefined();
});
