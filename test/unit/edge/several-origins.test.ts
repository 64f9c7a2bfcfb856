/** Several origins behind one client: who goes where, what is asked twice, and a canary that is withdrawn. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { Canary, type Side } from '../../../edge/origin-client/canary.ts';
import { Macs } from '../../../edge/origin-client/macs.ts';
import { isForCanary, rankedFor } from '../../../edge/origin-client/order.ts';
import { OriginClient, type Question } from '../../../edge/origin-client/origin-client.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { readOrigins } from '../../../shared/settings/origin-list.ts';
import { SettingsReader } from '../../../shared/settings/reader.ts';
import { hash32 } from '../../../shared/wire/hash.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { freePort } from '../../support/free-port.ts';
import { toHasher } from '../../support/hasher.ts';
import { ScriptedOrigin, testKeys } from '../../support/scripted-origin.ts';

const callers = Array.from({ length: 20_000 }, (_, index) => `caller-${index}`);
const weighted = (name: string, weight = 1) => ({ name, weight, seed: hash32(`https://${name}.example.com`) });
const firstOf = (origins: readonly ReturnType<typeof weighted>[], caller: string) => rankedFor(origins, caller)[0]?.name;
const share = (matches: (caller: string) => boolean) => callers.filter(matches).length / callers.length;

describe('callers', () => {
  const [a, b, c] = [weighted('a', 2), weighted('b'), weighted('c')];

  test('are shared out by weight, and stay', () => {
    expect(share((caller) => firstOf([a, b, c], caller) === 'a')).toBeWithin(0.48, 0.52);
    expect(share((caller) => firstOf([a, b, c], caller) === 'b')).toBeWithin(0.235, 0.265);
    expect(callers.every((caller) => firstOf([a, b, c], caller) === firstOf([c, a, b], caller))).toBe(true);
  });

  test('of an origin that goes are shared out, and no others move', () => {
    for (const caller of callers) {
      const before = firstOf([a, b, c], caller);
      if (before !== 'c') expect(firstOf([a, b], caller)).toBe(before);
    }
    expect(share((caller) => firstOf([a, b, c], caller) === 'c' && firstOf([a, b], caller) === 'b')).toBeWithin(0.06, 0.11);
  });

  test('never go to an origin without weight', () => {
    expect(callers.every((caller) => rankedFor([weighted('blue', 0), b], caller).length === 1)).toBe(true);
  });

  test('of a canary are so many, of all origins alike', () => {
    expect(share((caller) => isForCanary(caller, 5))).toBeWithin(0.045, 0.055);
    expect(share((caller) => isForCanary(caller, 5) && firstOf([a, b, c], caller) === 'a')).toBeWithin(0.02, 0.03);
  });
});

describe('a list of origins', () => {
  const read = (text: string) => {
    const reader = new SettingsReader({ TOMBOLO_ORIGIN_URL: text });
    const origins = readOrigins(reader, 'TOMBOLO_ORIGIN_URL', 'production');
    return { wrong: reader.wrong, origins: origins.map(({ url, ...rest }) => ({ url: url.origin, ...rest })) };
  };

  test('says weights and a canary', () => {
    expect(read('https://a.test weight=0, https://b.test,https://c.test  canary=5')).toEqual({
      wrong: [],
      origins: [
        { url: 'https://a.test', weight: 0, canaryPercent: undefined }, { url: 'https://b.test', weight: 1, canaryPercent: undefined },
        { url: 'https://c.test', weight: 0, canaryPercent: 5 },
      ],
    });
  });

  test.each([
    ['https://a.test,', 'https URL'], ['https://a.test weight=-1', 'https URL'], ['https://a.test share=5', 'https URL'],
    ['https://a.test, http://b.test', 'https URL'], ['https://a.test/x', 'without a path'], ['https://a.test weight=0', 'with a weight'],
    ['https://a.test canary=5', 'with a weight'], ['https://a.test weight=1001', '1000'],
    ['https://a.test, https://b.test canary=51', '50'],
    ['https://a.test, https://b.test canary=0', 'from 1'], ['https://a.test, https://a.test', 'twice'],
    ['https://a.test, https://b.test canary=1, https://c.test canary=1', 'one canary'],
    [Array.from({ length: 9 }, (_, index) => `https://o${index}.test`).join(), '8 origins'],
  ])('%s is refused', (text, why) => {
    const { wrong } = read(text);
    expect(wrong.join()).toContain(why);
    expect(wrong.every((line) => line.startsWith('TOMBOLO_ORIGIN_URL: '))).toBe(true);
  });
});

describe('over the wire', () => {
  const hasher = toHasher();
  const macs = new Macs(mustKeyRing(testKeys), hasher);
  let [left, right]: readonly ScriptedOrigin[] = [];
  beforeAll(() => {
    [left, right] = [new ScriptedOrigin(), new ScriptedOrigin()];
  });
  afterAll(() => Promise.all([left?.stop(), right?.stop()]));
  afterEach(() => {
    for (const origin of both()) {
      origin.seen.length = 0;
      origin.script = () => ({ body: '{}' });
      origin.ready = undefined;
    }
  });

  function both(): readonly [ScriptedOrigin, ScriptedOrigin] {
    if (left === undefined || right === undefined) throw new Error('not started');
    return [left, right];
  }

  /** As the setting says. */
  const clientFor = (text: string) => new OriginClient({
    origins: readOrigins(new SettingsReader({ TOMBOLO_ORIGIN_URL: text }), 'TOMBOLO_ORIGIN_URL', 'development'),
    macs, hasher,
  });
  const clientOf = (...urls: readonly string[]) => clientFor(urls.join(', '));
  const ask = (client: OriginClient, subject: string, given: Partial<Question> = {}) =>
    client.ask({
      method: 'GET', target: { path: '/v2/films', query: '' }, safe: true, principal: { subject, roles: [], claims: {} }, headers: {},
      deadlineAt: Date.now() + 5_000, requestId: 'req_1', traceparent: '00-1-1-00', refusedAt: 4,
      waitUntil: (work) => void work, ...given,
    }).then(({ status }) => status, (fault: Fault) => fault.reason);

  test('a caller has one origin, and both have callers', async () => {
    const client = clientOf(both()[0].url, both()[1].url);
    for (const subject of callers.slice(0, 50)) for (let turn = 0; turn < 3; turn++) await ask(client, subject);
    const subjectsOf = ({ seen }: ScriptedOrigin) => new Set(seen.map(({ headers }) => headers.get('tombolo-principal')));
    const [ofLeft, ofRight] = both().map(subjectsOf) as [Set<string>, Set<string>];
    expect([[...ofLeft].some((subject) => ofRight.has(subject)), ofLeft.size > 10, ofRight.size > 10]).toEqual([false, true, true]);
  });

  test('where one is away every caller is answered by the other, and few find out by asking', async () => {
    const client = clientOf(both()[0].url, `http://127.0.0.1:${freePort()}`);
    const statuses = await callers.slice(0, 200).reduce(async (done, subject) => [...(await done), await ask(client, subject)],
      Promise.resolve<unknown[]>([]));
    expect(statuses.every((status) => status === 200)).toBe(true);
  });

  test('in an outage that no breaker ends, a tenth more is asked and no more', async () => {
    const [good, bad] = both();
    let turns = 0;
    // A signed answer now and then keeps the breaker closed: what bounds the load is the budget alone.
    bad.script = () => (++turns % 4 === 0 ? { body: '{}' } : { unsigned: true, status: 502 });
    const client = clientOf(good.url, bad.url);
    const asked = 2_000;
    const answered: unknown[] = [];
    for (const subject of callers.slice(0, asked)) answered.push(await ask(client, subject));
    const sent = good.seen.length + bad.seen.length;
    expect(sent).toBeLessThanOrEqual(asked * (1 + edgeLimits.retriesPerRequest) + edgeLimits.retriesMax);
    expect(sent).toBeGreaterThan(asked * (1 + edgeLimits.retriesPerRequest / 2));
    console.log(`asked ${asked}, sent ${sent}, answered ${answered.filter((status) => status === 200).length}`);
  });

  test('an effect is sent again with an idempotency key alone', async () => {
    for (const origin of both()) origin.script = () => ({ unsigned: true, status: 502 });
    const effect = { method: 'POST', safe: false, body: new TextEncoder().encode('{}') };
    const client = clientOf(both()[0].url, both()[1].url);
    expect(await ask(client, 'a', effect)).toBe('origin_unavailable');
    expect(both().map(({ seen }) => seen.length).sort()).toEqual([0, 1]);
    expect(await ask(client, 'a', { ...effect, headers: { 'idempotency-key': 'k' } })).toBe('origin_unavailable');
    expect(both().map(({ seen }) => seen.length).sort()).toEqual([1, 2]);
  });

  test('one setting sends all to the one of two, and the same with its weights exchanged all to the other', async () => {
    const [blue, green] = both();
    for (const [weights, asked] of [[[0, 1], [0, 60]], [[1, 0], [60, 60]]] as const) {
      const client = clientFor(`${blue.url} weight=${weights[0]}, ${green.url} weight=${weights[1]}`);
      for (const subject of callers.slice(0, 60)) expect(await ask(client, subject)).toBe(200);
      expect([blue.seen.length, green.seen.length]).toEqual([...asked]);
    }
  });

  test('one that says that it is not ready has no callers while another is, and all of them when none is', async () => {
    const [ready, drains] = both();
    drains.ready = () => Response.json({ services: { origin: { ready: false } } }, { status: 503 });
    const client = clientOf(ready.url, drains.url);
    let looked: Promise<unknown> = Promise.resolve();
    await ask(client, 'a', { waitUntil: (work) => { looked = Promise.all([looked, work]); } });
    await looked;
    drains.seen.length = 0;
    for (const subject of callers.slice(0, 60)) expect(await ask(client, subject)).toBe(200);
    expect(drains.seen).toHaveLength(0);
    ready.script = () => ({ unsigned: true, status: 502 });
    expect(await ask(client, 'a')).toBe(200);
    expect(drains.seen).toHaveLength(1);
  });

  test('a canary that is slow loses its callers', async () => {
    const [good, slow] = both();
    slow.script = async () => {
      await Bun.sleep(10 * edgeLimits.canaryMsMore);
      return { body: '{}' };
    };
    const client = clientFor(`${good.url}, ${slow.url} canary=50`);
    // As many at once as let it be judged in good time.
    const asks = (from: number, to: number) => Promise.all(callers.slice(from, to).map((subject) => ask(client, subject)));
    for (let from = 0; from < 400; from += 100) await asks(from, from + 100);
    const before = slow.seen.length;
    expect(before).toBeGreaterThanOrEqual(edgeLimits.canaryTimedMin);
    await asks(400, 600);
    expect([slow.seen.length, good.seen.length]).toEqual([before, 600 - before]);
  });

  test('a canary that fails loses its callers', async () => {
    const [good, bad] = both();
    let turns = 0;
    bad.script = () => ({ status: ++turns % 4 === 0 ? 500 : 200 });
    const client = clientFor(`${good.url}, ${bad.url} canary=20`);
    for (const subject of callers.slice(0, 400)) await ask(client, subject);
    // It is judged after 20 of its answers.
    expect(bad.seen).toHaveLength(edgeLimits.canaryJudgedEach);
    expect(good.seen).toHaveLength(400 - edgeLimits.canaryJudgedEach);
  });
});

describe('a canary', () => {
  const judged = (give: (canary: Canary) => void) => {
    const told: Readonly<Record<string, unknown>>[] = [];
    const canary = new Canary((facts) => told.push(facts));
    give(canary);
    return [canary.isWithdrawn, told.map((facts) => facts['for'])];
  };
  /** So many answers, evenly among them so many failures, each after so many milliseconds. */
  type Given = readonly [count: number, failures: number, ms: number];
  const noteAll = (canary: Canary, side: Side, [count, failures, ms]: Given) => {
    for (let index = 0; index < count; index++) {
      const failed = Math.floor((index * failures) / count) < Math.floor(((index + 1) * failures) / count);
      canary.note(side, { failed, ms, now: 1_000_000 });
    }
  };

  test.each([
    ['alike', [400, 4, 20], [400, 4, 20], false, []],
    ['failing as the others do', [400, 200, 20], [400, 200, 20], false, []],
    ['failing twice by chance', [20, 2, 20], [400, 0, 20], false, []],
    ['failing more', [40, 4, 20], [400, 0, 20], true, ['failures']],
    ['slower by little', [400, 0, 69], [400, 0, 20], false, []],
    ['slower by much', [400, 0, 71], [400, 0, 20], true, ['p99']],
    ['slower where all are slow', [400, 0, 380], [400, 0, 200], false, []],
    ['slower by much, and asked little', [80, 0, 500], [400, 0, 20], false, []],
    ['failing, and no others asked', [400, 400, 20], [0, 0, 0], false, []],
  ] as const)('%s', (_what, ofCanary, ofOthers, isWithdrawn, why) => {
    expect(judged((canary) => {
      noteAll(canary, 'others', ofOthers);
      noteAll(canary, 'canary', ofCanary);
    })).toEqual([isWithdrawn, [...why]]);
  });

  test('is judged by the last minute', () => {
    expect(judged((canary) => {
      for (let index = 0; index < 19; index++) canary.note('canary', { failed: true, ms: 1, now: 1_000_000 });
      noteAll(canary, 'others', [100, 0, 1]);
      const later = 1_000_001 + edgeLimits.canaryWindowMs;
      for (let index = 0; index < 40; index++) {
        canary.note('others', { failed: false, ms: 1, now: later });
        canary.note('canary', { failed: false, ms: 1, now: later });
      }
    })).toEqual([false, []]);
  });
});
