/** Every kind of id, as callers meet it: in bodies, paths, filters, orders and imports, and in one form (SEMANTICS §4, §15). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Change } from '../../../shared/contract/change.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';
import { versions } from '../../../shared/resources/versions.ts';

const schema = z.object({ name: z.string(), kind: z.string().optional() });
const open = { schema, rules: { read: anyone, write: anyone }, shapes: { all: { range: 'id', sort: ['id'] }, ofId: { equal: ['id'] } } };
const films = resource({ name: 'films', collection: 'TMDB movies', id: 'integer', live: true, ...open });
const parts = resource({ name: 'parts', collection: 'stock.parts', id: { kind: 'uuid', storedAs: 'binary' }, ...open });
const first = resource({ name: 'first', id: 'integer', ...open, rules: { read: equals('id', 7), write: anyone } });
const codes = resource({ name: 'codes', id: { kind: 'integer', importedFrom: 'code' }, ...open });
const idsIn = (json: { readonly [name: string]: unknown }) => (json['data'] as readonly { readonly id: unknown }[]).map(({ id }) => id);

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(versions, films, parts, first, codes))));
  afterAll(() => origin[Symbol.asyncDispose]());
  const list = async (of: typeof films | typeof parts, query = '') => idsIn((await origin.ask('list', of, { query })).json);

  test('an integer is a number in its document, and past 2^53 its digits', async () => {
    for (const id of [7, -3, 0, 10, 9, 2 ** 31, '9007199254740993', '-9223372036854775808', '9223372036854775807']) {
      const created = await origin.ask('create', films, { body: { id, name: `n${id}` } });
      expect([created.outcome, created.json['id'], created.createdId]).toEqual(['created', id, String(id)]);
      const got = await origin.ask('get', films, { id: String(id) });
      expect([got.text, got.etag]).toEqual([created.text, created.etag]);
    }
    const whole = ['-9223372036854775808', -3, 0, 7, 9, 10, 2 ** 31, '9007199254740993', '9223372036854775807'];
    expect(await list(films)).toEqual(whole);
    expect(await list(films, '?sort=-id')).toEqual(whole.toReversed());
    expect(await list(films, '?id[gt]=9&id[lte]=9007199254740993')).toEqual([10, 2 ** 31, '9007199254740993']);
    expect(await list(films, '?id[in]=9007199254740993,7,9007199254740992')).toEqual([7, '9007199254740993']);
    const paged: unknown[] = [];
    for (let query = '?limit=2'; ; ) {
      const { json, pages } = await origin.ask('list', films, { query });
      paged.push(...idsIn(json));
      if (pages?.next === undefined) break;
      query = `?limit=2&after=${pages.next}`;
    }
    expect(paged).toEqual(whole);
  });

  test('what is no integer of 64 bits is refused where it would name a document, and names none where it stands', async () => {
    for (const id of ['x', '', '1.5', 1.5, '007', '1e3', 2 ** 53, '9223372036854775808', null, true]) {
      expect((await origin.ask('create', films, { body: { id, name: 'no' } })).outcome).toBe('document_invalid');
    }
    expect((await origin.ask('create', films, { body: { name: 'no' } })).outcome).toBe('document_invalid');
    await origin.ask('replace', films, { id: '0', body: { name: 'zero' } });
    for (const id of ['x', '007', '7.0', '-0', '+0', '00', '0.0', '9223372036854775808']) {
      expect((await origin.ask('get', films, { id })).outcome).toBe('absent');
      expect((await origin.ask('replace', films, { id, body: { name: 'no' } })).outcome).toBe('document_invalid');
      expect(['absent', 'document_not_found']).toContain((await origin.ask('remove', films, { id })).outcome);
    }
    expect((await origin.ask('get', films, { id: '0' })).json).toMatchObject({ name: 'zero' });
    expect((await origin.ask('list', films, { query: '?id=x' })).outcome).toBe('query_invalid');
    expect((await origin.ask('replace', films, { id: 'x', body: { name: 'no' } })).outcome).toBe('document_invalid');
  });

  test('whoever puts one makes it, patches it, may not make it twice, and removes it', async () => {
    expect((await origin.ask('replace', films, { id: '77', body: { name: 'a' } })).json).toMatchObject({ id: 77, name: 'a' });
    const { json } = await origin.ask('get', films, { id: '77' });
    expect(await origin.ask('replace', films, { id: '77', body: { ...json, name: 'b' } })).toMatchObject({ json: { id: 77, name: 'b' } });
    expect((await origin.ask('patch', films, { id: '77', body: { kind: 'k' } })).json).toMatchObject({ id: 77, name: 'b', kind: 'k' });
    expect((await origin.ask('create', films, { body: { id: '77', name: 'c' } })).outcome).toBe('document_exists');
    expect((await origin.ask('remove', films, { id: '77' })).outcome).toBe('removed');
    expect((await origin.ask('get', films, { id: '77' })).outcome).toBe('absent');
  });

  test('rows of an import name documents by them, as numbers and as text', async () => {
    const rows = [501, '502', '9007199254740995', 'd', undefined].map((id) => JSON.stringify({ id, name: 'c' }));
    const { text } = await origin.ask('import', films, { body: rows.join('\n') });
    expect(text).toContain('"imported":3');
    const csv = await origin.ask('import', films, { body: 'id,name\n503,x\n504,y\n', mediaType: 'text/csv' });
    expect(csv.text).toContain('"imported":2');
    expect(await list(films, '?id[gte]=501&id[lt]=600')).toEqual([501, 502, 503, 504]);
    expect((await origin.ask('get', films, { id: '9007199254740995' })).json).toMatchObject({ id: '9007199254740995', name: 'c' });
    const coded = await origin.ask('import', codes, { body: 'code,name\n5,x\n06,y\n9007199254740995,z\n', mediaType: 'text/csv' });
    expect(coded.text).toContain('"errors":[{"at":"/code"');
    expect(coded.text).toContain('"imported":2');
    expect(idsIn((await origin.ask('list', codes, {})).json)).toEqual([5, '9007199254740995']);
  });

  test('a rule over the id compares the number', async () => {
    for (const id of [6, 7, 8]) await origin.ask('replace', first, { id: String(id), body: { name: 'x' } });
    expect(idsIn((await origin.ask('list', first, {})).json)).toEqual([7]);
    expect((await origin.ask('get', first, { id: '8' })).outcome).toBe('absent');
    expect((await origin.ask('get', first, { id: '7' })).outcome).toBe('found');
  });

  test('a UUID in bytes is made by Tombolo, and is text to whoever asks', async () => {
    const made: string[] = [];
    for (const name of ['a', 'b', 'c']) made.push(String((await origin.ask('create', parts, { body: { name } })).createdId));
    for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await list(parts)).toEqual([...made].sort());
    expect(await list(parts, `?id[gt]=${made.toSorted()[0]}`)).toEqual([...made].sort().slice(1));
    expect(await list(parts, `?id[in]=${made[2]?.toUpperCase()},${made[0]}`)).toEqual([made[0] ?? '', made[2] ?? ''].sort());
    const upper = await origin.ask('patch', parts, { id: String(made[1]).toUpperCase(), body: { kind: 'k' } });
    expect(upper.json).toMatchObject({ id: made[1], name: 'b', kind: 'k' });
    expect((await origin.ask('get', parts, { id: 'no-uuid' })).outcome).toBe('absent');
    expect((await origin.ask('create', parts, { body: { id: made[0], name: 'x' } })).outcome).toBe('document_invalid');
  });

  test('changes name the resource and the document as callers do, whatever the collection is called', async () => {
    const signal = new AbortController();
    const from = await origin.context.store.head();
    await origin.ask('replace', films, { id: '9007199254740999', body: { name: 'told' } });
    const told: unknown[] = [];
    for await (const batch of origin.context.store.watch(from, signal.signal)) {
      if ('lost' in batch) throw new Error('lost');
      const tellOf = (change: Change) => (change.kind === 'document' ? [change.resource, change.id, change.after?.['id']] : change);
      told.push(...batch.changes.map(tellOf));
      if (told.length > 0) signal.abort();
    }
    expect(told).toEqual([['films', '9007199254740999', '9007199254740999']]);
  });
});
