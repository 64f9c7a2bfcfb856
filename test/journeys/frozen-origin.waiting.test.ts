/** An origin that accepts and says nothing: its process is stopped (SIGSTOP), and the kernel goes on taking connections. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { type Engine, startWorld, type World } from '../support/whole-world.ts';

/** Those who went away learn nothing, and the edge learns from them what it learns from those who wait. */
const clients: readonly (readonly [engine: Engine, what: string, waitMs: number | undefined])[] = [
  ['sqlite', 'that wait', undefined], ['mongodb', 'that go away after a second', 1_000],
];

describe.each(clients)('before a frozen origin over %s, with clients %s', (engine, _what, waitMs) => {
  let world: World;
  const log: string[] = [];
  beforeAll(async () => {
    world = await startWorld({ engine, feedSilentMs: 300, onEdgeLog: (line) => log.push(line) });
  });
  afterAll(() => world.close());

  test('the first requests cost their time, the others next to nothing, and it is found again by itself', async () => {
    const token = await world.token();
    const made = await world.request('/v2/films', { token, json: { title: 'Kept', year: 2_000 } });
    const [kept, other] = [made.headers.get('location') ?? '', '/v2/films?limit=2'];
    await world.mustHit(kept);
    world.origin.freeze();
    const first = await Promise.all([other, '/v2/films?limit=3'].map((path) => timed(() => statusWithin(world.edge.url + path, waitMs))));
    expect(first.map(({ answer }) => answer)).toEqual(waitMs === undefined ? [504, 504] : ['gone', 'gone']);
    if (waitMs === undefined) for (const { ms } of first) expect(ms).toBeWithin(9_000, 20_000);
    else await eventually('a breaker that opens', () => log.some((line) => line.includes('origin.breaker_open')), { msMax: 20_000 });

    const [took, own]: [number[], number[]] = [[], []];
    for (let index = 0; index < 60; index++) {
      const refused = await timed(() => world.request(other));
      expect([refused.answer.status, JSON.parse(refused.answer.text)]).toMatchObject([503, { code: 'origin_unavailable' }]);
      const retryAfter = Number(refused.answer.headers.get('retry-after'));
      expect(retryAfter).toBeWithin(1, 3);
      const stale = await timed(() => world.request(kept));
      expect([stale.answer.status, stale.answer.cacheStatus]).toEqual([200, 'tombolo; fwd=stale; detail=stale-if-error']);
      took.push(refused.ms, stale.ms);
      // What the edge answers by itself takes as long as this machine needs for anything.
      const nothing = await timed(() => world.request('/v2/nothing'));
      expect(nothing.answer.status).toBe(404);
      own.push(nothing.ms);
      // Over several pauses, so that probes are among what is measured.
      await Bun.sleep(50);
    }
    for (const times of [took, own]) times.sort((a, b) => a - b);
    const ofOwn = own[30] ?? Number.NaN;
    const firstMs = first.map(({ ms }) => ms.toFixed(0)).join(' ');
    console.log(`${engine}: the edge's own ${ofOwn.toFixed(1)} ms; first ${firstMs} ms; then median ${
      took[60]?.toFixed(1)}, p95 ${took[114]?.toFixed(1)}, longest ${took.at(-1)?.toFixed(1)} ms`);
    // 5 ms where the edge's own answer takes one; where all is slower, this is too.
    expect(took[60]).toBeLessThan(Math.max(5, 5 * ofOwn));
    // Whoever waited for a probe would have waited for two seconds.
    expect(took.at(-1)).toBeLessThan(1_500);
    // A write was not sent, so nobody need ask what became of it.
    const write = await world.request('/v2/films', { token, json: { title: 'A', year: 2_000 } });
    expect([write.status, 'outcome' in (JSON.parse(write.text) as object)]).toEqual([503, false]);

    world.origin.thaw();
    await eventually('an answer', async () => (await world.request(other)).status === 200);
    expect(log.filter((line) => line.includes('origin.breaker_')).map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'origin.breaker_open', 'origin.breaker_closed',
    ]);
  }, 90_000);
});

/** Of an answer past the cache, or that the client has not waited for it. */
async function statusWithin(url: string, ms: number | undefined): Promise<number | 'gone'> {
  const headers = { 'cache-control': 'no-store' };
  const asked = fetch(url, { headers, ...(ms === undefined ? {} : { signal: AbortSignal.timeout(ms) }) });
  return asked.then(({ status }) => status, () => 'gone');
}

async function timed<T>(ask: () => Promise<T>): Promise<{ readonly answer: T; readonly ms: number }> {
  const started = performance.now();
  const answer = await ask();
  return { answer, ms: performance.now() - started };
}
