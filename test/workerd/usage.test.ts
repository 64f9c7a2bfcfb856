/** What a caller has spent, in real workerd: counted by month and day in the objects that count, and told to whoever it is about. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { parseList } from '../support/structured-fields.ts';
import { codeOf, World } from '../support/world.ts';

const workerModule = 'test/workerd/workers/limits.worker.ts';
const persistDir = mkdtempSync(join(tmpdir(), 'tombolo-usage-'));
let world: World;
beforeAll(async () => {
  world = await World.start({ workerModule, persistDir, silent: true, variables: { TOMBOLO_ANONYMOUS_PLAN: '' } });
  world.origin.script = () => ({ status: 200, body: '{"data":[]}', headers: { 'content-type': 'application/json' } });
});
afterAll(async () => {
  await world.close();
  rmSync(persistDir, { recursive: true, force: true });
});

type Fields = Readonly<Record<string, string>>;

interface Used {
  readonly month: { readonly used: number };
  readonly days: readonly { readonly unsettled: number }[];
}

let callers = 0;

/** The headers of a caller whom no counter has seen before. */
async function caller(plan: string): Promise<Fields> {
  return { authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub: `usr_${++callers}`, plan } })}` };
}

const ask = (headers: Fields, path = '/v2/notes', init: RequestInit = {}) =>
  fetch(world.edge.url + path, { ...init, headers: { ...headers, ...init.headers } });
const statuses = async (headers: Fields, times: number) =>
  Promise.all(Array.from({ length: times }, async () => (await ask(headers)).status));
const passed = (all: readonly number[]) => all.filter((status) => status === 200).length;
/** From an address of its own each time, whose plan pays for it. */
const usageOf = async (headers: Fields) =>
  (await ask({ ...headers, 'cf-connecting-ip': `2001:db8:${(++callers).toString(16)}::1` }, '/v2/usage')).json() as Promise<Used>;

describe('a quota of a month', () => {
  test('is kept to the request, outlives the objects that count, and says when it ends', async () => {
    const headers = await caller('monthly');
    expect(passed(await statuses(headers, 30))).toBe(11);
    // The window of a second must pass.
    await Bun.sleep(1_100);
    expect(passed(await statuses(headers, 30))).toBe(1);
    const told = await eventually('both shares in the log', async () => {
      const lines = await world.logged('limit.quota_used');
      return lines.length === 2 && lines.map((line) => JSON.parse(line) as object);
    });
    const digest = expect.not.stringContaining('usr_') as string;
    expect(told).toEqual([80, 100].map((share) => ({
      level: 'warn', event: 'limit.quota_used', caller: digest, plan: 'monthly', share,
    })));
    await world.edge.restart();
    // So must the next, whose unit the restart has not given back.
    await Bun.sleep(1_100);
    const refused = await ask(headers);
    const now = new Date();
    const endsIn = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()) / 1_000;
    expect(await refused.json()).toMatchObject({
      status: 429, code: 'quota_exceeded', 'violated-policies': ['month'], detail: 'plan "monthly": 12 in a month',
    });
    expect(Math.abs(Number(refused.headers.get('retry-after')) - endsIn)).toBeLessThan(5);
    expect(refused.headers.get('ratelimit-policy')).toBe('"second";q=11;w=1, "month";q=12');
    const limits = parseList(refused.headers.get('ratelimit') ?? '').map(({ value, parameters }) => [value, parameters['r']]);
    expect(limits).toEqual([['month', 0]]);
    expect(await usageOf(headers)).toMatchObject({
      plan: 'monthly', month: { quota: 12, used: 12, left: 0 }, days: [{ reads: 12, streams: 0, writes: 0, unsettled: 0 }],
    });
  });

  test('is told by day and kind, also of what was leased, to nobody else', async () => {
    const headers = await caller('leased');
    await statuses(headers, 40);
    const note = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"text":"a"}' };
    for (let written = 0; written < 3; written++) await ask(headers, '/v2/notes', note);
    // Leases are settled when they end, after two seconds.
    const settled = await eventually('all is settled', async () => {
      const { days, month } = await usageOf(headers);
      return days[0]?.unsettled === 0 && { days, month };
    });
    expect(settled).toMatchObject({ month: { used: 43 }, days: [{ reads: 40, streams: 0, writes: 3 }] });
    expect(await usageOf(await caller('leased'))).toMatchObject({ month: { used: 0 }, days: [] });
    const nobody = await ask({ 'cf-connecting-ip': '192.0.2.77' }, '/v2/usage');
    expect([nobody.status, await codeOf(nobody)]).toEqual([401, 'token_missing']);
    const asked = await ask({ ...headers, 'cf-connecting-ip': '192.0.2.78' }, '/v2/usage?of=usr_1');
    expect([asked.status, await codeOf(asked)]).toEqual([400, 'query_invalid']);
  });
});

describe('requests under way', () => {
  test('are as many as the plan has, exactly, and there is room again when one of them is over', async () => {
    const headers = await caller('three');
    const asked = () => world.origin.seen.filter(({ path }) => path === '/v2/ledgers').length;
    const script = world.origin.script;
    const held = Promise.withResolvers<void>();
    world.origin.script = async (seen) => {
      await held.promise;
      return script(seen);
    };
    const before = asked();
    const over: Response[] = [];
    const all = Array.from({ length: 40 }, async (_, index) => {
      const answer = await ask(headers, `/v2/ledgers?limit=${index + 1}`);
      over.push(answer);
      return answer;
    });
    // A refusal may be told before those that pass have reached the origin.
    await eventually('three are under way, and all others refused', async () => over.length === 37 && asked() - before >= 3);
    expect([over.map(({ status }) => status), asked() - before]).toEqual([new Array<number>(37).fill(429), 3]);
    const [refused] = over;
    expect(await refused?.json()).toMatchObject({ code: 'concurrency_exceeded', 'violated-policies': ['concurrent'], status: 429 });
    expect(refused?.headers.get('ratelimit-policy')).toBe('"minute";q=1000;w=60, "concurrent";q=3;qu="concurrent-requests"');
    expect([refused?.headers.get('ratelimit'), refused?.headers.get('retry-after')]).toEqual(['"concurrent";r=0', '1']);
    expect((await ask(await caller('three'), '/v2/notes/changes?nope=1')).status).not.toBe(429);
    held.resolve();
    world.origin.script = script;
    const passing = (await Promise.all(all)).filter(({ status }) => status === 200);
    expect(passing).toHaveLength(3);
    for (const { headers: told } of passing) expect(told.get('ratelimit')).toMatch(/^"minute";r=\d+;t=\d+, "concurrent";r=[012]$/);
    await eventually('room for three', async () => (await ask(headers)).headers.get('ratelimit')?.endsWith('"concurrent";r=2') === true);
    expect(passed(await statuses(headers, 3))).toBe(3);
  });
});
