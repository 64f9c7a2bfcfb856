/** Requests in words that were asked before: answered as if each were the first, whoever asks and whatever was written since. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { KnownCalls } from '../../../origin/hop/known-calls.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { Pipeline, type PipelineAnswer, type PipelineAsking } from '../../support/pipeline.ts';
import { Random } from '../../support/random.ts';
import { principalHeader } from '../../support/signed-hop.ts';

const notes = resource({
  name: 'notes',
  id: { kind: 'string', format: z.string().regex(/^[a-z0-9]+$/) },
  schema: z.object({ by: z.string(), open: z.boolean(), size: integer() }),
  rules: { read: any(equals('open', true), owner('by')), write: signedIn },
  fieldRules: { size: { read: any(owner('by'), role('editor')) } },
  shapes: { all: {} },
});

const note = (size: number, open = true) => JSON.stringify({ by: 'ada', open, size });

describe.each(['sqlite', 'mongodb'] as const)('known calls on %s', (engine) => {
  let origin: Pipeline;
  beforeAll(async () => void (origin = await Pipeline.on(engine, contract(notes))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const put = (id: string, size: number, open = true) => origin.ask(`/v1/notes/${id}`, { method: 'PUT', body: note(size, open) });
  const get = (id: string, asking: PipelineAsking = {}) => origin.ask(`/v1/notes/${id}`, asking);

  test('show what was written since they were asked', async () => {
    for (let size = 0; size < 5; size++) {
      await put('fresh', size);
      for (let times = 0; times < 3; times++) expect((await get('fresh')).json).toMatchObject({ size });
    }
    await origin.ask('/v1/notes/fresh', { method: 'DELETE' });
    expect((await get('fresh')).status).toBe(404);
  });

  test('are those of one principal', async () => {
    await put('hers', 1, false);
    for (let times = 0; times < 3; times++) {
      expect((await get('hers')).status).toBe(200);
      expect((await get('hers', { subject: 'bob' })).status).toBe(404);
    }
  });

  test('are refused under the id of each request, and at its own deadline', async () => {
    const idOf = async (asked: string) => (await get('nobody', { headers: { 'tombolo-request': asked } })).json['instance'];
    const [first, second] = [await idOf('req_first'), await idOf('req_second')];
    expect(String(first)).toContain('req_first');
    expect(String(second)).toContain('req_second');
    await get('nobody', { headers: { 'tombolo-deadline': '5000' } });
    expect((await get('nobody', { headers: { 'tombolo-deadline': '0' } })).json).toMatchObject({ code: 'deadline_exceeded' });
  });

  test('bind each answer to the nonce of its own request', async () => {
    await put('bound', 1);
    const nonces = new Set<string | undefined>();
    for (let times = 0; times < 5; times++) {
      const signed = (await get('bound')).headers.get('signature-input') ?? '';
      nonces.add(/nonce="([^"]+)"/.exec(signed)?.[1]);
    }
    expect(nonces.size).toBe(5);
    expect(nonces.has(undefined)).toBe(false);
  });

  test('are forgotten where there are too many, and those of long words are not kept', async () => {
    const calls = new KnownCalls();
    const { calls: before } = origin.context;
    origin.change({ calls });
    await get('bound');
    const asked: string[] = [];
    const call = calls.find.bind(calls);
    calls.find = (words) => (asked.push(words), call(words));
    await get('bound');
    origin.change({ calls: before });
    const known = call(asked[0] ?? '');
    if (known === undefined) throw new Error('a call that was asked is known');
    calls.keep('x'.repeat(1_025), known);
    expect(call('x'.repeat(1_025))).toBeUndefined();
    for (let index = 0; index < 4_096; index++) calls.keep(`other ${index}`, known);
    expect(call(asked[0] ?? '')).toBeUndefined();
    expect(call('other 0')).toBe(known);
  });

  const seed = Math.floor(Math.random() * 2 ** 32);
  test(`at random are answered like ones that nobody knows, seed ${seed}`, async () => {
    const random = new Random(seed);
    const ids = ['r1', 'r2', 'r3'] as const;
    const tags: [string, ...string[]] = ['"none"', '*'];
    const paths: readonly [string, ...string[]] = [
      '/v1/notes', '/v1/notes?limit=2', '/v1/notes?fields=by', '/v1/nothing', ...ids.map((id) => `/v1/notes/${id}`),
    ];
    const question = (): readonly [string, PipelineAsking] => {
      const path = random.pick(paths);
      const headers: Record<string, string> = { 'tombolo-request': 'req_same' };
      if (random.chance(0.2)) headers['if-none-match'] = random.pick(tags);
      if (random.chance(0.1)) headers['if-match'] = random.pick(tags);
      if (random.chance(0.3)) headers['tombolo-principal'] = principalHeader('eve', random.chance(0.5) ? ['editor'] : []);
      return [path, { method: random.chance(0.1) ? 'HEAD' : 'GET', subject: random.pick(['ada', 'bob'] as const), headers }];
    };
    let again = 0;
    for (let round = 0; round < 40; round++) {
      if (random.chance(0.8)) await put(random.pick(ids), random.below(9), random.chance(0.5));
      else await origin.ask(`/v1/notes/${random.pick(ids)}`, { method: 'DELETE' });
      for (let times = 0; times < 12; times++) {
        const [path, asking] = question();
        const { calls } = origin.context;
        const found = calls.find.bind(calls);
        calls.find = (words) => {
          const known = found(words);
          if (known !== undefined) again++;
          return known;
        };
        const answered = await origin.ask(path, asking);
        origin.change({ calls: new KnownCalls() });
        const afresh = await origin.ask(path, asking);
        calls.find = found;
        origin.change({ calls });
        expect(shownOf(answered)).toEqual(shownOf(afresh));
        const etag = answered.headers.get('etag');
        if (etag !== null) tags.push(etag);
      }
    }
    expect(again).toBeGreaterThan(100);
  }, 60_000);
});

/** All but the signature, which is another each time, and the position, which may be a later one. */
function shownOf({ status, headers, text }: PipelineAnswer): unknown {
  const shown = [...headers].filter(([name]) => !name.startsWith('signature') && name !== 'tombolo-read');
  return { status, text, shown };
}
