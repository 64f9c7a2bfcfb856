/** A write is the set of paths that differ, whichever operation brings it (SEMANTICS §4, §14, §16, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import type { FieldError } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const hashed = () => z.string().transform((text) => `h(${text})`);
const dimensions = z.object({
  w: z.number(),
  h: z.number().optional(),
  madeAt: instant().optional(),
  lock: z.object({ code: hashed(), note: hashed().optional() }).optional(),
});
const goods = resource({
  name: 'goods', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    dimensions: dimensions.optional(),
    variants: z.array(z.object({ sku: z.string(), price: z.number(), at: instant().optional() })).optional(),
    part: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('bolt'), d: z.number(), mark: hashed().optional() }),
        z.object({ kind: z.literal('nut'), size: z.number() }),
      ])
      .optional(),
    either: z.union([z.object({ a: z.number() }), z.object({ b: z.number() })]).optional(),
    record: z.record(z.string(), z.unknown()).optional(),
    loose: z.looseObject({ a: z.number().optional() }).optional(),
    any: z.unknown().optional(),
    secret: hashed().optional(), size: z.string().transform((text) => text.length).optional(), year: z.int().optional(),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} }, extra: 'serve',
});
const kept: JsonObject = { rev: 3, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(goods))));
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
  const send = (operation: 'replace' | 'patch', id: string, body: object | string) => origin.ask(operation, goods, { id, body });
  const create = (body: object | string) => origin.ask('create', goods, { body });
  const importRow = (mode: string, row: object | string) => origin.ask('import', goods, { query: `?onDuplicate=${mode}`, body: row });
  const placesIn = ({ errors }: { readonly errors: readonly FieldError[] }) => errors.map(({ at, detail }) => `${at}: ${detail}`);

  describe('members that the schema does not name', () => {
    test.each([
      [{ dimensions: { w: 1, depth: 9 } }, '/dimensions/depth'],
      [{ variants: [{ sku: 'a', price: 1, colour: 'red' }] }, '/variants/0/colour'],
      [{ dimensions: { w: 1, lock: { code: 'x', 'a/b': 1 } } }, '/dimensions/lock/a~1b'],
      [{ part: { kind: 'bolt', d: 1, size: 2 } }, '/part/size'],
      [{ nope: 1 }, '/nope'],
    ])('are refused by name in %p by every way in', async (body, at) => {
      const id = await given({ name: 'a', dimensions: { w: 1 }, variants: [] });
      const before = await origin.stored(goods, id);
      const answers = [
        await create({ id: `new-${made}`, name: 'b', ...body }), await send('replace', `put-${made}`, { name: 'b', ...body }),
        await send('replace', id, { name: 'b', ...body }), await send('patch', id, body),
      ];
      expect(answers.map((answer) => [answer.outcome, placesIn(answer)])).toEqual(
        answers.map(() => ['document_invalid', [`${at}: unknown field`]]),
      );
      for (const mode of ['reject', 'skip', 'replace', 'merge']) for (const of of [id, `imported-${made}`]) {
        const lines = (await importRow(mode, { id: of, name: 'b', ...body })).text.split('\n');
        expect(placesIn(JSON.parse(lines[0] ?? '{}') as { errors: FieldError[] })).toEqual([`${at}: unknown field`]);
      }
      expect(await origin.stored(goods, id)).toEqual(before as JsonObject);
    });

    test('are refused where a union has no branch that knows them', async () => {
      const id = await given({ name: 'a' });
      for (const { outcome } of [
        await create({ id: 'union', name: 'b', either: { a: 1, b: 'x' } }),
        await send('replace', id, { name: 'b', either: { a: 1, b: 'x' } }),
        await send('patch', id, { either: { a: 1, c: 1 } }),
      ]) {
        expect(outcome).toBe('document_invalid');
      }
    });

    test('are refused in a patch by the branch of what results', async () => {
      const id = await given({ name: 'a', part: { kind: 'bolt', d: 1 } });
      expect(placesIn(await send('patch', id, { part: { size: 2 } }))).toEqual(['/part/size: unknown field']);
      expect(placesIn(await send('patch', id, { part: { kind: 'nut', size: 2, lost: null } }))).toEqual(['/part/lost: unknown field']);
      expect((await send('patch', id, { part: { kind: 'nut', size: 2, d: null } })).outcome).toBe('written');
      expect((await fieldsOf(id))['part']).toEqual({ kind: 'nut', size: 2 });
    });

    test('are free where the schema takes anything', async () => {
      const free = { record: { x: { y: 1 } }, loose: { a: 1, b: { c: 2 } }, any: { z: [{ q: 1 }] } };
      expect((await create({ id: `free-${engine}`, name: 'b', ...free })).outcome).toBe('created');
      expect((await send('replace', `free-${engine}`, { name: 'b', record: { n: 1 }, loose: {}, any: {} })).outcome).toBe('written');
      expect(await fieldsOf(`free-${engine}`)).toEqual({ name: 'b', record: { n: 1 }, loose: {}, any: {} });
    });

    const others = {
      name: 'a',
      __v: 2,
      dimensions: { w: 1, h: 1, depth: 77 },
      variants: [
        { _id: 'i1', sku: 'v1', price: 1 },
        { _id: 'i2', sku: 'v2', price: 2, at: '2026-01-01T00:00:00.000Z' },
      ],
      part: { kind: 'bolt', d: 1, made: 'x' },
    };

    test('are kept by a patch', async () => {
      const id = await given(others);
      expect((await send('patch', id, { dimensions: { w: 5 }, part: { d: 2 } })).outcome).toBe('written');
      expect(await fieldsOf(id)).toEqual({ ...others, dimensions: { w: 5, h: 1, depth: 77 }, part: { kind: 'bolt', d: 2, made: 'x' } });
    });

    test('are kept by a replacement and by an import that replaces', async () => {
      const sent = {
        name: 'b',
        dimensions: { w: 5 },
        variants: [
          { sku: 'v2', price: 2, at: '2026-01-01T01:00:00+01:00' },
          { sku: 'v3', price: 3 },
          { sku: 'v1', price: 1 },
        ],
        part: { kind: 'bolt', d: 2 },
      };
      const [put, imported] = [await given(others), await given(others)];
      expect((await send('replace', put, sent)).outcome).toBe('written');
      expect((await importRow('replace', { id: imported, ...sent })).text).toContain('"replaced":1');
      for (const id of [put, imported]) {
        expect(await fieldsOf(id)).toEqual({
          name: 'b',
          __v: 2,
          dimensions: { w: 5, depth: 77 },
          part: { kind: 'bolt', d: 2, made: 'x' },
          variants: [
            { _id: 'i2', sku: 'v2', price: 2, at: '2026-01-01T00:00:00.000Z' },
            { sku: 'v3', price: 3 },
            { _id: 'i1', sku: 'v1', price: 1 },
          ],
        });
      }
    });

    test('are taken back as they were served, in any order, and not otherwise', async () => {
      const id = await given(others);
      const served = (await origin.ask('get', goods, { id })).json;
      expect((await send('replace', id, { ...served, name: 'b' })).outcome).toBe('written');
      expect(
        (
          await send('patch', id, {
            variants: [
              { _id: 'i2', sku: 'v2', price: 3 },
              { _id: 'i1', sku: 'v1', price: 1 },
            ],
          })
        ).outcome,
      ).toBe('written');
      expect((await fieldsOf(id))['variants']).toEqual([{ _id: 'i2', sku: 'v2', price: 3 }, { _id: 'i1', sku: 'v1', price: 1 }]);
      expect(placesIn(await send('replace', id, { ...served, __v: 3 }))).toEqual(['/__v: unknown field']);
      expect(placesIn(await send('patch', id, { variants: [{ _id: 'i9', sku: 'v2', price: 3 }] }))).toEqual([
        '/variants/0/_id: unknown field',
      ]);
      expect(placesIn(await send('patch', id, { dimensions: { depth: null } }))).toEqual(['/dimensions/depth: unknown field']);
      expect((await fieldsOf(id))['dimensions']).toEqual(others.dimensions);
    });
  });

  describe('a patch', () => {
    test('has its values in their one form, whatever else is wrong with the stored document', async () => {
      const id = await given({ name: 'a', __v: 1, dimensions: { w: 'wide', depth: 1 } });
      expect((await send('patch', id, { dimensions: { madeAt: '2026-06-01T12:00:00+02:00' } })).outcome).toBe('written');
      expect(await fieldsOf(id)).toEqual({ name: 'a', __v: 1, dimensions: { w: 'wide', depth: 1, madeAt: '2026-06-01T10:00:00.000Z' } });
    });

    test('transforms what it names once, and nothing else, at every depth', async () => {
      const id = await given({
        name: 'a',
        secret: 'h(s)',
        size: 3,
        dimensions: { w: 1, lock: { code: 'h(c)', note: 'h(n)' } },
        part: { kind: 'bolt', d: 1, mark: 'h(m)' },
      });
      expect((await send('patch', id, { secret: 'new' })).outcome).toBe('written');
      expect((await send('patch', id, { size: 'four' })).outcome).toBe('written');
      expect((await send('patch', id, { dimensions: { lock: { code: 'x' } }, part: { d: 2 } })).outcome).toBe('written');
      expect(await fieldsOf(id)).toEqual({
        name: 'a',
        secret: 'h(new)',
        size: 4,
        dimensions: { w: 1, lock: { code: 'h(x)', note: 'h(n)' } },
        part: { kind: 'bolt', d: 2, mark: 'h(m)' },
      });
    });

    test('of an object that is not there is a whole new one', async () => {
      const id = await given({ name: 'a' });
      expect((await send('patch', id, { dimensions: { h: 1 } })).outcome).toBe('document_invalid');
      expect((await send('patch', id, { dimensions: { w: 1, h: null, lock: { code: 'x' } } })).outcome).toBe('written');
      expect(await fieldsOf(id)).toEqual({ name: 'a', dimensions: { w: 1, lock: { code: 'h(x)' } } });
    });
  });

  test('a transform runs once in each way in', async () => {
    await create({ id: `once-${engine}`, name: 'a', secret: 'x' });
    expect((await fieldsOf(`once-${engine}`))['secret']).toBe('h(x)');
    await send('replace', `once-${engine}`, { name: 'a', secret: 'y' });
    expect((await fieldsOf(`once-${engine}`))['secret']).toBe('h(y)');
    await send('replace', `once-${engine}`, { name: 'b', secret: 'h(y)' });
    expect(await fieldsOf(`once-${engine}`)).toEqual({ name: 'b', secret: 'h(y)' });
  });

  describe('what changes nothing makes no revision', () => {
    const document = { name: 'a', year: 1, dimensions: { w: 1, depth: 2 }, record: { x: 1, y: 2 } };
    test.each([
      ['patch', { year: 1 }],
      ['patch', {}],
      ['patch', { secret: null }],
      ['patch', { dimensions: { h: null } }],
      ['patch', { record: { z: null } }],
      ['replace', document], ['replace', { record: { y: 2, x: 1 }, year: 1, name: 'a', dimensions: { w: 1 } }],
    ] as const)('%s of %p', async (operation, body) => {
      const id = await given(document);
      const before = await origin.ask('get', goods, { id });
      const key = { idempotencyKey: crypto.randomUUID() };
      const ask = (given: DirectAsking) => origin.ask(operation, goods, { id, body, ...given });
      for (const answer of [await ask({}), await ask(key), await ask(key), await ask({ ifMatch: before.etag })])
        expect([answer.outcome, answer.etag, answer.json]).toEqual(['written', before.etag, before.json]);
      expect((await ask({ ifMatch: '"other"' })).outcome).toBe('precondition_failed');
      expect((await origin.ask('get', goods, { id })).json).toEqual(before.json);
    });

    test('a row that replaces', async () => {
      const id = await given(document);
      expect((await importRow('replace', { id, ...document })).text).toContain('"replaced":1');
      expect((await origin.stored(goods, id))?.['rev']).toBe(3);
    });
  });

  describe('is refused wherever it stands:', () => {
    test.each([
      ['{"any":1e999}', '/any'],
      ['{"any":[{"a":-1e400}]}', '/any/0/a'],
      ['{"record":{"x":1e999}}', '/record/x'],
      ['{"loose":{"b":{"c":1e999}}}', '/loose/b/c'],
      ['{"year":1e999}', '/year'],
      ['{"any":{"__proto__":{"a":1}}}', '/any/__proto__'],
      ['{"record":{"__proto__":1}}', '/record/__proto__'],
      ['{"loose":{"__proto__":null}}', '/loose/__proto__'],
      ['{"__proto__":1}', '/__proto__'],
      ['{"any":["\\ud800"]}', '/any/0'], ['{"any":{"\\udc00":1}}', '/any'], [`{"any":${'['.repeat(2_000)}1${']'.repeat(2_000)}}`, '/any'],
    ])('%p', async (text, at) => {
      const id = await given({ name: 'a', any: 5 });
      const named = text.replace('{', '{"name":"b",');
      for (const answer of [
        await create(named.replace('{', `{"id":"bad-${made}",`)),
        await send('replace', id, named),
        await send('patch', id, text),
      ]) {
        expect(answer.outcome).toBe('document_invalid');
        expect(placesIn(answer).map((place) => place.split(': ')[0])).toEqual([at]);
      }
      const [line = '{}'] = (await importRow('replace', named.replace('{', `{"id":"${id}",`))).text.split('\n');
      expect(placesIn(JSON.parse(line) as { errors: FieldError[] }).map((place) => place.split(': ')[0])).toEqual([at]);
      expect(await fieldsOf(id)).toEqual({ name: 'a', any: 5 });
    });
  });
});
