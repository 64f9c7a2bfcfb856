/** Preconditions of writes (RFC 9110 §13): what holds is done, what does not is refused and changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner, signedIn } from '../../../shared/contract/rules.ts';
import { Pipeline, type PipelineAnswer, type PipelineAsking } from '../../support/pipeline.ts';
import { principalHeader } from '../../support/signed-hop.ts';
import { engines } from '../../support/whole-world.ts';

const named = { kind: 'string', format: z.string().regex(/^[a-z0-9]+$/) } as const;
const schema = z.object({ by: z.string(), text: z.string() });
const notes = resource({ name: 'notes', schema, rules: { read: anyone, create: signedIn, update: owner('by'), remove: owner('by') }, shapes: { all: {} } });
const pages = resource({ name: 'pages', id: named, schema, rules: { read: anyone, write: signedIn }, shapes: { all: {} } });
const drafts = resource({ name: 'drafts', id: named, schema, rules: { read: anyone, write: signedIn }, shapes: { all: {} }, preconditions: 'required' });

type Headers = NonNullable<PipelineAsking['headers']>;
const body = (text: string) => JSON.stringify({ by: 'ada', text });
const writes: Readonly<Record<'PUT' | 'PATCH' | 'DELETE', (text: string) => PipelineAsking>> = {
  PUT: (text) => ({ method: 'PUT', body: body(text) }),
  PATCH: (text) => ({ method: 'PATCH', body: JSON.stringify({ text }) }),
  DELETE: () => ({ method: 'DELETE' }),
};
const methods = ['PUT', 'PATCH', 'DELETE'] as const;

describe.each([...engines])('preconditions on %s', (engine) => {
  let origin: Pipeline;
  beforeAll(async () => void (origin = await Pipeline.on(engine, contract(notes, pages, drafts))));
  afterAll(() => origin[Symbol.asyncDispose]());

  let serial = 0;
  const newNote = async () => {
    const made = await origin.ask('/v1/notes', { method: 'POST', body: body(`note ${serial++}`) });
    return { path: `/v1/notes/${String(made.json['id'])}`, etag: made.headers.get('etag') ?? '' };
  };
  const write = (path: string, method: (typeof methods)[number], headers: Headers) => origin.ask(path, { ...writes[method](`changed ${serial++}`), headers });
  const expectRefused = (answer: PipelineAnswer, status: number, code: string) => expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status, code });

  const refusing: readonly (readonly [what: string, headers: (etag: string) => Headers])[] = [
    ['If-None-Match: *', () => ({ 'if-none-match': '*' })],
    ['If-None-Match with its tag', (etag) => ({ 'if-none-match': etag })],
    ['If-None-Match with its tag as a weak one', (etag) => ({ 'if-none-match': `W/${etag}` })],
    ['If-None-Match with its tag in a list', (etag) => ({ 'if-none-match': `, "a,b",, ${etag} ,` })],
    ['If-Match with another tag', () => ({ 'if-match': '"other"' })],
    ['If-Match with its tag as a weak one', (etag) => ({ 'if-match': `W/${etag}` })],
    ['If-Match that holds and If-None-Match that does not', (etag) => ({ 'if-match': etag, 'if-none-match': `"x", ${etag}` })],
    ['If-None-Match that holds and If-Match that does not', () => ({ 'if-match': '"x"', 'if-none-match': '"x"' })],
  ];
  const allowing: readonly (readonly [what: string, headers: (etag: string) => Headers])[] = [
    ['If-None-Match with another tag', () => ({ 'if-none-match': '"zzz"' })],
    ['If-Match: *', () => ({ 'if-match': '*' })],
    ['If-Match with its tag in a list with empty elements', (etag) => ({ 'if-match': `"a",,${etag},` })],
    ['both, which hold', (etag) => ({ 'if-match': `"a", ${etag}`, 'if-none-match': '"b", W/"c"' })],
  ];

  test.each(methods)('%s is not done where a condition does not hold', async (method) => {
    for (const [what, headers] of refusing) {
      const { path, etag } = await newNote();
      const answer = await write(path, method, headers(etag));
      expect([what, answer.status, answer.json['code']]).toEqual([what, 412, 'precondition_failed']);
      expect((await origin.ask(path)).headers.get('etag')).toBe(etag);
    }
  });

  test.each(methods)('%s is done where they hold', async (method) => {
    for (const [what, headers] of allowing) {
      const { path, etag } = await newNote();
      const answer = await write(path, method, headers(etag));
      expect([what, answer.status]).toEqual([what, method === 'DELETE' ? 204 : 200]);
      expect((await origin.ask(path)).headers.get('etag')).not.toBe(etag);
    }
  });

  test.each(methods)('%s of what is not there is 404, and of what the caller may not change 403, whatever the condition', async (method) => {
    const { path, etag } = await newNote();
    for (const [, headers] of [...refusing, ...allowing]) {
      expectRefused(await write(`/v1/notes/${crypto.randomUUID()}`, method, headers(etag)), 404, 'document_not_found');
      expectRefused(await write(path, method, { ...headers(etag), 'tombolo-principal': principalHeader('bob', []) }), 403, 'forbidden');
    }
    expect((await origin.ask(path)).headers.get('etag')).toBe(etag);
  });

  test('reads of what is not there are 404, whatever the condition', async () => {
    for (const headers of [{ 'if-match': '*' }, { 'if-match': '"x"' }, { 'if-none-match': '*' }]) expect((await origin.ask(`/v1/notes/${crypto.randomUUID()}`, { headers })).status).toBe(404);
  });

  test('PUT creates by name where nothing is there, and If-None-Match: * asks for that alone', async () => {
    const put = (id: string, headers: Headers) => origin.ask(`/v1/pages/${id}`, { method: 'PUT', body: body(`page ${serial++}`), headers });
    expectRefused(await put('one', { 'if-match': '*' }), 412, 'precondition_failed');
    expectRefused(await put('one', { 'if-match': '"x"' }), 412, 'precondition_failed');
    expect((await put('one', { 'if-none-match': '*' })).status).toBe(201);
    expectRefused(await put('one', { 'if-none-match': '*' }), 412, 'precondition_failed');
    expect((await put('one', { 'if-none-match': '"zzz"' })).status).toBe(200);
    expect((await put('two', { 'if-none-match': '"zzz"' })).status).toBe(201);
  });

  test('a POST takes none, since it is about no document yet', async () => {
    for (const headers of [{ 'if-match': '*' }, { 'if-none-match': '*' }, { 'if-none-match': '"x"' }]) {
      expectRefused(await origin.ask('/v1/notes', { method: 'POST', body: body('posted'), headers }), 400, 'header_invalid');
      expectRefused(await origin.ask('/v1/notes/import', { method: 'POST', body: body('posted'), headers }), 400, 'header_invalid');
    }
    expect((await origin.ask('/v1/notes?limit=200')).text).not.toContain('posted');
  });

  test('a key of idempotency used again under another condition is another request', async () => {
    const { path, etag } = await newNote();
    const key = { 'idempotency-key': crypto.randomUUID() };
    const patch = (headers: Headers) => origin.ask(path, { ...writes.PATCH('once'), headers: { ...headers, ...key } });
    const first = await patch({ 'if-none-match': '"a"' });
    expect([first.status, (await patch({ 'if-none-match': '"a"' })).text]).toEqual([200, first.text]);
    for (const headers of [{}, { 'if-none-match': '"b"' }, { 'if-match': etag }]) expectRefused(await patch(headers), 422, 'idempotency_mismatch');
  });

  test('a key of idempotency is the same one in quotes and bare', async () => {
    const post = (key: string) => origin.ask('/v1/notes', { method: 'POST', body: body('once'), headers: { 'idempotency-key': key } });
    const bare = crypto.randomUUID();
    const made = await post(bare);
    expect(made.status).toBe(201);
    expect((await post(`"${bare}"`)).text).toBe(made.text);
    const quoted = `"order ${bare} of \\"ada\\""`;
    expect((await post(quoted)).text).toBe((await post(quoted)).text);
    expectRefused(await post('order of ada'), 400, 'header_invalid');
  });

  describe('a resource that demands them', () => {
    const put = (id: string, headers: Headers) => origin.ask(`/v1/drafts/${id}`, { method: 'PUT', body: body(`draft ${serial++}`), headers });

    test('creates and changes nothing without them', async () => {
      expectRefused(await put('bare', {}), 428, 'precondition_required');
      expectRefused(await put('bare', { 'if-none-match': '"zzz"' }), 428, 'precondition_required');
      expect((await origin.ask('/v1/drafts/bare')).status).toBe(404);
      const made = await put('kept', { 'if-none-match': '*' });
      expect(made.status).toBe(201);
      for (const method of methods) expectRefused(await write('/v1/drafts/kept', method, {}), 428, 'precondition_required');
      for (const method of ['PATCH', 'DELETE'] as const) expectRefused(await write('/v1/drafts/kept', method, { 'if-none-match': '*' }), 428, 'precondition_required');
      expect((await origin.ask('/v1/drafts/kept')).text).toBe(made.text);
    });

    test('changes what was read', async () => {
      let { headers } = await put('read', { 'if-none-match': '*' });
      for (const method of methods) {
        const answer = await write('/v1/drafts/read', method, { 'if-match': headers.get('etag') ?? '' });
        expect(answer.status).toBeLessThan(300);
        headers = answer.headers;
      }
    });

    test('takes what was not there before by POST and import, and lets no row replace another', async () => {
      expect((await origin.ask('/v1/drafts', { method: 'POST', body: JSON.stringify({ id: 'posted', by: 'ada', text: 'x' }) })).status).toBe(201);
      const row = JSON.stringify({ id: 'row', by: 'ada', text: 'x' });
      expect((await origin.ask('/v1/drafts/import', { method: 'POST', body: row })).text).toContain('"imported":1');
      expect((await origin.ask('/v1/drafts/import?onDuplicate=skip', { method: 'POST', body: row })).text).toContain('"skipped":1');
      expectRefused(await origin.ask('/v1/drafts/import?onDuplicate=replace', { method: 'POST', body: row }), 428, 'precondition_required');
    });
  });
});
