/** A write is the set of paths that differ, whichever operation brings it (SEMANTICS §4, §14, §16, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

const hashed = () => z.string().transform((text) => `h(${text})`);
const dimensions = z.object({ w: z.number(), h: z.number().optional(), madeAt: instant().optional(), lock: z.object({ code: hashed(), note: hashed().optional() }).optional() });
const goods = resource({
  name: 'goods', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(), dimensions: dimensions.optional(), variants: z.array(z.object({ sku: z.string(), price: z.number(), at: instant().optional() })).optional(),
    part: z.discriminatedUnion('kind', [z.object({ kind: z.literal('bolt'), d: z.number(), mark: hashed().optional() }), z.object({ kind: z.literal('nut'), size: z.number() })]).optional(),
    either: z.union([z.object({ a: z.number() }), z.object({ b: z.number() })]).optional(),
    record: z.record(z.string(), z.unknown()).optional(), loose: z.looseObject({ a: z.number().optional() }).optional(), any: z.unknown().optional(),
    secret: hashed().optional(), size: z.string().transform((text) => text.length).optional(), year: z.int().optional(),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});
const kept: JsonObject = { rev: 3, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };

describe.each([...engines])('on %s', (engine) => {
  let origin: Pipeline;
  let made = 0;
  beforeAll(async () => (origin = await Pipeline.on(engine, contract(goods))));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function given(document: JsonObject): Promise<string> {
    const id = `g${++made}`;
    await origin.put(goods, id, { ...document, ...kept });
    return id;
  }
  async function fieldsOf(id: string): Promise<JsonObject> {
    const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = (await origin.stored(goods, id)) ?? {};
    return fields;
  }
  const send = (method: string, id: string, body: object | string) => origin.ask(`/v1/goods/${id}`, { method, body: typeof body === 'string' ? body : JSON.stringify(body) });
  const create = (body: object | string) => origin.ask('/v1/goods', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  const importRow = (mode: string, row: object | string) => origin.ask(`/v1/goods/import?onDuplicate=${mode}`, { method: 'POST', body: typeof row === 'string' ? row : JSON.stringify(row) });
  const placesIn = (json: Readonly<Record<string, unknown>>) => ((json['errors'] ?? []) as readonly { at: string; detail: string }[]).map(({ at, detail }) => `${at}: ${detail}`);

  describe('members that the schema does not name', () => {
    test.each([
      [{ dimensions: { w: 1, depth: 9 } }, '/dimensions/depth'], [{ variants: [{ sku: 'a', price: 1, colour: 'red' }] }, '/variants/0/colour'],
      [{ dimensions: { w: 1, lock: { code: 'x', 'a/b': 1 } } }, '/dimensions/lock/a~1b'], [{ part: { kind: 'bolt', d: 1, size: 2 } }, '/part/size'], [{ nope: 1 }, '/nope'],
    ])('are refused by name in %p by every way in', async (body, at) => {
      const id = await given({ name: 'a', dimensions: { w: 1 }, variants: [] });
      const before = await origin.stored(goods, id);
      const answers = [
        await create({ id: `new-${made}`, name: 'b', ...body }), await send('PUT', `put-${made}`, { name: 'b', ...body }),
        await send('PUT', id, { name: 'b', ...body }), await send('PATCH', id, body),
      ];
      expect(answers.map(({ status, json }) => [status, placesIn(json)])).toEqual(answers.map(() => [422, [`${at}: unknown field`]]));
      for (const mode of ['reject', 'skip', 'replace', 'merge']) for (const of of [id, `imported-${made}`]) {
        const lines = (await importRow(mode, { id: of, name: 'b', ...body })).text.split('\n');
        expect(placesIn(JSON.parse(lines[0] ?? '{}'))).toEqual([`${at}: unknown field`]);
      }
      expect(await origin.stored(goods, id)).toEqual(before as JsonObject);
    });

    test('are refused where a union has no branch that knows them', async () => {
      const id = await given({ name: 'a' });
      for (const { status } of [await create({ id: 'union', name: 'b', either: { a: 1, b: 'x' } }), await send('PUT', id, { name: 'b', either: { a: 1, b: 'x' } }), await send('PATCH', id, { either: { a: 1, c: 1 } })]) expect(status).toBe(422);
    });

    test('are free where the schema takes anything', async () => {
      const free = { record: { x: { y: 1 } }, loose: { a: 1, b: { c: 2 } }, any: { z: [{ q: 1 }] } };
      expect((await create({ id: `free-${engine}`, name: 'b', ...free })).status).toBe(201);
      expect((await send('PUT', `free-${engine}`, { name: 'b', record: { n: 1 }, loose: {}, any: {} })).status).toBe(200);
      expect(await fieldsOf(`free-${engine}`)).toEqual({ name: 'b', record: { n: 1 }, loose: {}, any: {} });
    });

    const others = { name: 'a', __v: 2, dimensions: { w: 1, h: 1, depth: 77 }, variants: [{ _id: 'i1', sku: 'v1', price: 1 }, { _id: 'i2', sku: 'v2', price: 2, at: '2026-01-01T00:00:00.000Z' }], part: { kind: 'bolt', d: 1, made: 'x' } };

    test('are kept by a patch', async () => {
      const id = await given(others);
      expect((await send('PATCH', id, { dimensions: { w: 5 }, part: { d: 2 } })).status).toBe(200);
      expect(await fieldsOf(id)).toEqual({ ...others, dimensions: { w: 5, h: 1, depth: 77 }, part: { kind: 'bolt', d: 2, made: 'x' } });
    });

    test('are kept by a replacement and by an import that replaces', async () => {
      const sent = { name: 'b', dimensions: { w: 5 }, variants: [{ sku: 'v2', price: 2, at: '2026-01-01T01:00:00+01:00' }, { sku: 'v3', price: 3 }, { sku: 'v1', price: 1 }], part: { kind: 'bolt', d: 2 } };
      const [put, imported] = [await given(others), await given(others)];
      expect((await send('PUT', put, sent)).status).toBe(200);
      expect((await importRow('replace', { id: imported, ...sent })).text).toContain('"replaced":1');
      for (const id of [put, imported]) expect(await fieldsOf(id)).toEqual({
        name: 'b', __v: 2, dimensions: { w: 5, depth: 77 }, part: { kind: 'bolt', d: 2, made: 'x' },
        variants: [{ _id: 'i2', sku: 'v2', price: 2, at: '2026-01-01T00:00:00.000Z' }, { sku: 'v3', price: 3 }, { _id: 'i1', sku: 'v1', price: 1 }],
      });
    });

    test('are taken back as they were served, in any order, and not otherwise', async () => {
      const id = await given(others);
      const served = (await origin.ask(`/v1/goods/${id}`)).json;
      expect((await send('PUT', id, { ...served, name: 'b' })).status).toBe(200);
      expect((await send('PATCH', id, { variants: [{ _id: 'i2', sku: 'v2', price: 3 }, { _id: 'i1', sku: 'v1', price: 1 }] })).status).toBe(200);
      expect((await fieldsOf(id))['variants']).toEqual([{ _id: 'i2', sku: 'v2', price: 3 }, { _id: 'i1', sku: 'v1', price: 1 }]);
      expect(placesIn((await send('PUT', id, { ...served, __v: 3 })).json)).toEqual(['/__v: unknown field']);
      expect(placesIn((await send('PATCH', id, { variants: [{ _id: 'i9', sku: 'v2', price: 3 }] })).json)).toEqual(['/variants/0/_id: unknown field']);
      expect(placesIn((await send('PATCH', id, { dimensions: { depth: null } })).json)).toEqual(['/dimensions/depth: unknown field']);
      expect((await fieldsOf(id))['dimensions']).toEqual(others.dimensions);
    });
  });

  describe('a patch', () => {
    test('has its values in their one form, whatever else is wrong with the stored document', async () => {
      const id = await given({ name: 'a', __v: 1, dimensions: { w: 'wide', depth: 1 } });
      expect((await send('PATCH', id, { dimensions: { madeAt: '2026-06-01T12:00:00+02:00' } })).status).toBe(200);
      expect(await fieldsOf(id)).toEqual({ name: 'a', __v: 1, dimensions: { w: 'wide', depth: 1, madeAt: '2026-06-01T10:00:00.000Z' } });
    });

    test('transforms what it names once, and nothing else, at every depth', async () => {
      const id = await given({ name: 'a', secret: 'h(s)', size: 3, dimensions: { w: 1, lock: { code: 'h(c)', note: 'h(n)' } }, part: { kind: 'bolt', d: 1, mark: 'h(m)' } });
      expect((await send('PATCH', id, { secret: 'new' })).status).toBe(200);
      expect((await send('PATCH', id, { size: 'four' })).status).toBe(200);
      expect((await send('PATCH', id, { dimensions: { lock: { code: 'x' } }, part: { d: 2 } })).status).toBe(200);
      expect(await fieldsOf(id)).toEqual({ name: 'a', secret: 'h(new)', size: 4, dimensions: { w: 1, lock: { code: 'h(x)', note: 'h(n)' } }, part: { kind: 'bolt', d: 2, mark: 'h(m)' } });
    });

    test('of an object that is not there is a whole new one', async () => {
      const id = await given({ name: 'a' });
      expect((await send('PATCH', id, { dimensions: { h: 1 } })).status).toBe(422);
      expect((await send('PATCH', id, { dimensions: { w: 1, h: null, lock: { code: 'x' } } })).status).toBe(200);
      expect(await fieldsOf(id)).toEqual({ name: 'a', dimensions: { w: 1, lock: { code: 'h(x)' } } });
    });
  });

  test('a transform runs once in each way in', async () => {
    await create({ id: `once-${engine}`, name: 'a', secret: 'x' });
    expect((await fieldsOf(`once-${engine}`))['secret']).toBe('h(x)');
    await send('PUT', `once-${engine}`, { name: 'a', secret: 'y' });
    expect((await fieldsOf(`once-${engine}`))['secret']).toBe('h(y)');
    await send('PUT', `once-${engine}`, { name: 'b', secret: 'h(y)' });
    expect(await fieldsOf(`once-${engine}`)).toEqual({ name: 'b', secret: 'h(y)' });
  });

  describe('what changes nothing makes no revision', () => {
    const document = { name: 'a', year: 1, dimensions: { w: 1, depth: 2 }, record: { x: 1, y: 2 } };
    test.each([
      ['PATCH', { year: 1 }], ['PATCH', {}], ['PATCH', { secret: null }], ['PATCH', { dimensions: { h: null } }], ['PATCH', { record: { z: null } }],
      ['PUT', document], ['PUT', { record: { y: 2, x: 1 }, year: 1, name: 'a', dimensions: { w: 1 } }],
    ])('%s of %p', async (method, body) => {
      const id = await given(document);
      const before = await origin.ask(`/v1/goods/${id}`);
      const key = { 'idempotency-key': crypto.randomUUID() };
      const ask = (headers: Readonly<Record<string, string>>) => origin.ask(`/v1/goods/${id}`, { method, body: JSON.stringify(body), headers });
      for (const answer of [await ask({}), await ask(key), await ask(key), await ask({ 'if-match': before.headers.get('etag') ?? '' })])
        expect([answer.status, answer.headers.get('etag'), answer.json]).toEqual([200, before.headers.get('etag'), before.json]);
      expect((await ask({ 'if-match': '"other"' })).status).toBe(412);
      expect((await origin.ask(`/v1/goods/${id}`)).json).toEqual(before.json);
    });

    test('a row that replaces', async () => {
      const id = await given(document);
      expect((await importRow('replace', { id, ...document })).text).toContain('"replaced":1');
      expect((await origin.stored(goods, id))?.['rev']).toBe(3);
    });
  });

  describe('is refused wherever it stands:', () => {
    test.each([
      ['{"any":1e999}', '/any'], ['{"any":[{"a":-1e400}]}', '/any/0/a'], ['{"record":{"x":1e999}}', '/record/x'], ['{"loose":{"b":{"c":1e999}}}', '/loose/b/c'], ['{"year":1e999}', '/year'],
      ['{"any":{"__proto__":{"a":1}}}', '/any/__proto__'], ['{"record":{"__proto__":1}}', '/record/__proto__'], ['{"loose":{"__proto__":null}}', '/loose/__proto__'], ['{"__proto__":1}', '/__proto__'],
      ['{"any":["\\ud800"]}', '/any/0'], ['{"any":{"\\udc00":1}}', '/any'], [`{"any":${'['.repeat(2_000)}1${']'.repeat(2_000)}}`, '/any'],
    ])('%p', async (text, at) => {
      const id = await given({ name: 'a', any: 5 });
      const named = text.replace('{', '{"name":"b",');
      for (const answer of [await create(named.replace('{', `{"id":"bad-${made}",`)), await send('PUT', id, named), await send('PATCH', id, text)]) {
        expect(answer.status).toBe(422);
        expect(placesIn(answer.json).map((place) => place.split(': ')[0])).toEqual([at]);
      }
      const [line = '{}'] = (await importRow('replace', named.replace('{', `{"id":"${id}",`))).text.split('\n');
      expect(placesIn(JSON.parse(line)).map((place) => place.split(': ')[0])).toEqual([at]);
      expect(await fieldsOf(id)).toEqual({ name: 'a', any: 5 });
    });
  });
});
