/**
 * Whether a document exists that the caller may not see cannot be asked (SEMANTICS §8): whatever the method and the
 * condition, it is answered as one that is not there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { Pipeline, type PipelineAnswer, type PipelineAsking } from '../../support/pipeline.ts';
import { principalHeader } from '../../support/signed-hop.ts';
import { engines } from '../../support/whole-world.ts';

const schema = z.object({ by: z.string(), text: z.string() });
const shapes = { all: {} };
const read = any(owner('by'), role('auditor'));
/** Tombolo names these. */
const notes = resource({ name: 'notes', schema, rules: { read, write: signedIn }, shapes, live: true });
/** Callers name these. */
const pages = resource({ name: 'pages', id: { kind: 'string', format: z.string().regex(/^[a-z0-9-]+$/) }, schema, rules: { read, create: role('editor'), update: signedIn, remove: signedIn }, shapes });

const callers = { 'whom nothing lets create': principalHeader('bob', []), 'who may create': principalHeader('bob', ['editor']) } as const;
const owned = (text: string) => ({ by: 'bob', text });
const asking: readonly PipelineAsking[] = [
  { method: 'GET' }, { method: 'HEAD' }, { method: 'DELETE' },
  { method: 'PUT', body: JSON.stringify(owned('put')) }, { method: 'PUT', body: JSON.stringify({ by: 'eve', text: 'put' }) },
  { method: 'PATCH', body: '{"text":"patched"}' }, { method: 'PATCH', body: '{"text":"as it is"}' }, { method: 'PATCH', body: '{}' },
];
/** `etag` is the tag of the hidden document, as somebody may have told it. */
const conditionsFor = (etag: string): readonly Readonly<Record<string, string>>[] => {
  const lists = ['*', '"x"', etag, `W/${etag}`, `"x",,${etag}`];
  const plain = lists.flatMap((list) => [{ 'if-match': list }, { 'if-none-match': list }]);
  return [{}, ...plain, ...lists.map((list) => ({ 'if-match': list, 'if-none-match': '"y"' })), { 'if-match': etag, 'if-none-match': '*' }];
};

describe.each([...engines])('on %s, a document that the caller may not see', (engine) => {
  let origin: Pipeline;
  const hidden = { notes: '', pages: 'hidden-page' };
  const etags = { notes: '', pages: '' };
  beforeAll(async () => {
    origin = await Pipeline.on(engine, contract(notes, pages));
    const text = JSON.stringify({ by: 'ada', text: 'as it is' });
    const note = await origin.ask('/v1/notes', { method: 'POST', body: text });
    const page = await origin.ask(`/v1/pages/${hidden.pages}`, { method: 'PUT', body: text });
    hidden.notes = String(note.json['id']);
    etags.notes = note.headers.get('etag') ?? '';
    etags.pages = page.headers.get('etag') ?? '';
    expect([note.status, page.status]).toEqual([201, 201]);
  });
  afterAll(async () => {
    for (const name of ['notes', 'pages'] as const) expect((await origin.ask(`/v1/${name}/${hidden[name]}`)).headers.get('etag')).toBe(etags[name]);
    await origin[Symbol.asyncDispose]();
  });

  test.each(Object.entries(callers))('is answered like one that is not there, to one %s', async (_who, principal) => {
    let compared = 0;
    for (const condition of conditionsFor(etags.notes)) for (const each of asking) for (const key of [{}, { 'idempotency-key': crypto.randomUUID() }]) {
      const headers = { ...condition, 'tombolo-principal': principal, ...(each.method === 'GET' || each.method === 'HEAD' ? {} : key) };
      const [there, absent] = [hidden.notes, Bun.randomUUIDv7()];
      const given = await origin.ask(`/v1/notes/${there}`, { ...each, headers });
      expect([each, condition, told(given, there)]).toEqual([each, condition, told(await origin.ask(`/v1/notes/${absent}`, { ...each, headers }), absent)]);
      compared++;
    }
    expect(compared).toBeGreaterThan(200);
  });

  test.each(Object.entries(callers))('whose name a caller may choose is so too, but where one of that name would be made, to one %s', async (_who, principal) => {
    let made = 0;
    for (const condition of conditionsFor(etags.pages)) for (const each of asking) {
      const headers = { ...condition, 'tombolo-principal': principal };
      const absent = `absent-${crypto.randomUUID()}`;
      const given = await origin.ask(`/v1/pages/${hidden.pages}`, { ...each, headers });
      const wanted = await origin.ask(`/v1/pages/${absent}`, { ...each, headers });
      if (wanted.status === 201) made++;
      if (wanted.status === 201) expect([each, condition, given.status, given.json['code']]).toEqual([each, condition, 409, 'document_exists']);
      else expect([each, condition, told(given, hidden.pages)]).toEqual([each, condition, told(wanted, absent)]);
    }
    expect(made > 0).toBe(principal === callers['who may create']);
  });

  test.each(['reject', 'skip', 'replace', 'merge'])('is no duplicate of an imported row that names it, with onDuplicate=%s', async (onDuplicate) => {
    for (const [name, principal] of [['notes', callers['who may create']], ['pages', callers['whom nothing lets create']]] as const) {
      const absent = name === 'notes' ? Bun.randomUUIDv7() : 'absent-row';
      const rows = (id: string) => origin.ask(`/v1/${name}/import?onDuplicate=${onDuplicate}`, { method: 'POST', body: JSON.stringify({ id, ...owned('row') }), headers: { 'tombolo-principal': principal } });
      const given = told(await rows(hidden[name]), hidden[name]);
      expect(given).toEqual(told(await rows(absent), absent));
      expect((await origin.ask(`/v1/${name}/${absent}`, { headers: { 'tombolo-principal': principalHeader('eve', ['auditor']) } })).status).toBe(404);
    }
  });

  test('does not stand in the way of rows without ids, of own ones, or of one who may see all', async () => {
    const rows = (query: string, row: object, principal: string) => origin.ask(`/v1/notes/import${query}`, { method: 'POST', body: JSON.stringify(row), headers: { 'tombolo-principal': principal } });
    const bob = callers['who may create'];
    expect((await rows('', owned('first'), bob)).text).toContain('"imported":1');
    const [own] = JSON.parse((await origin.ask('/v1/notes', { headers: { 'tombolo-principal': bob } })).text).data as readonly { id: string }[];
    expect((await rows('?onDuplicate=replace', { id: own?.id, ...owned('second') }, bob)).text).toContain('"replaced":1');
    expect((await rows('?onDuplicate=skip', { id: own?.id, ...owned('third') }, bob)).text).toContain('"skipped":1');
    expect((await rows('', { id: Bun.randomUUIDv7(), ...owned('named') }, principalHeader('eve', ['auditor']))).text).toContain('"imported":1');
  });
});

/** What an answer tells, but for the id that was asked for and what is of this request alone. */
function told({ status, headers, text }: PipelineAnswer, id: string): object {
  const ofThisRequest = new Set(['signature', 'signature-input', 'tombolo-read', 'tombolo-position']);
  return {
    status, text: text.replaceAll(id, '<id>').replace(/req_[0-9a-f-]+/, '<request>').replace(/"position":"[^"]+"/, '"position":"<position>"'),
    headers: [...headers].filter(([name]) => !ofThisRequest.has(name)),
  };
}
