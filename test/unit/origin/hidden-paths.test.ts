/** A field rule of a nested place: neither shown, nor asked by, nor guessed by writing; kept where it is not named (SEMANTICS §14, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, owner, role } from '../../../shared/contract/rules.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const staff = role('staff');
const deals = resource({
  name: 'deals', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    meta: z.object({ by: z.string(), open: z.boolean().optional() }),
    price: z
      .object({ net: z.number(), cost: z.number().optional(), margin: z.object({ rate: z.number().optional() }).optional() })
      .optional(),
    parts: z
      .array(z.object({ sku: z.string(), count: z.int().optional(), note: z.string().optional(), cost: z.number().optional() }))
      .optional(),
  }),
  rules: { read: anyone, create: anyone, update: owner('meta.by'), remove: owner('meta.by') },
  fieldRules: {
    'price.cost': { read: staff, write: staff }, 'price.margin': { read: staff, write: staff },
    'price.margin.rate': { read: staff, write: staff },
    'parts.note': { read: equals('meta.open', true) }, 'parts.cost': { read: staff }, 'meta.by': { write: owner('meta.by') },
  },
  shapes: { all: {}, ofCost: { equal: ['price.cost'] }, byNet: { range: 'price.net' }, ofNote: { equal: ['parts.note'] } },
});
const stored: JsonObject = {
  name: 'a', meta: { by: 'bob' }, price: { net: 9, cost: 5, margin: { rate: 2 } },
  parts: [{ sku: 'x', count: 1, note: 'n1' }, { sku: 'y', note: 'n2' }],
  rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z',
};
const shown: JsonObject = { name: 'a', meta: { by: 'bob' }, price: { net: 9 }, parts: [{ sku: 'x', count: 1 }, { sku: 'y' }] };
const eve: Principal = { subject: 'eve', roles: ['staff'], claims: {} };
const bob: Principal = { subject: 'bob', roles: [], claims: {} };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(deals))));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function asked(operation: 'replace' | 'patch' | 'get' | 'list', asking: DirectAsking, document: JsonObject = stored) {
    const id = `d${++made}`;
    await origin.put(deals, id, document);
    const of = operation === 'list' ? {} : { id };
    const answer = await origin.ask(operation, deals, { ...of, principal: bob, ...asking });
    const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...after } = (await origin.stored(deals, id)) ?? {};
    return { ...answer, after };
  }
  const { rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...unchanged } = stored;

  test('it is shown to nobody whom its rule excludes, whatever fields are asked for', async () => {
    const fieldsOf = async (query: string, principal = bob) => {
      const { id: _id, rev: _r, createdAt: _c, updatedAt: _u, ...json } = (await asked('get', { query, principal })).json;
      return json;
    };
    expect(await fieldsOf('')).toEqual(shown);
    expect(await fieldsOf('?fields=price')).toEqual({ price: { net: 9 } });
    expect(await fieldsOf('?fields=price.cost,parts.note,parts.sku')).toEqual({ price: {}, parts: [{ sku: 'x' }, { sku: 'y' }] });
    expect(await fieldsOf('?fields=price.cost', eve)).toEqual({ price: { cost: 5 } });
    expect((await asked('get', { query: '?fields=price.nope' })).outcome).toBe('query_invalid');
  });

  test('it is asked by of nobody whom its rule excludes', async () => {
    for (const query of ['?price.cost=5', '?parts.note=n1']) expect((await asked('list', { query })).outcome).toBe('forbidden');
    expect((await asked('list', { query: '?price.net[gte]=1' })).outcome).toBe('found');
  });

  const { price: _price, ...priceless } = shown;
  const bodies: Readonly<Record<'patch' | 'replace', (price: Json) => JsonObject>> = {
    patch: (price) => ({ price }),
    replace: (price) => (price === null ? priceless : { ...shown, price }),
  };
  const guesses: readonly (readonly [string, Json, Json])[] = [
    ['a value', { net: 9, cost: 5 }, { net: 9, cost: 6 }],
    ['an object', { net: 9, margin: { rate: 2 } }, { net: 9, margin: {} }],
    ['what it stands in', null, null],
  ];
  for (const way of ['patch', 'replace'] as const) {
    test.each([...guesses])(`a ${way} that names %s is refused, right or wrong, there or not`, async (_what, right, wrong) => {
      const bare = { ...stored, price: { net: 9 } };
      for (const [price, document] of [[right, stored], [wrong, stored], [right, bare], [wrong, bare]] as const) {
        const { outcome, detail, after } = await asked(way, { body: bodies[way](price) }, document);
        expect([outcome, detail]).toEqual(['forbidden', expect.stringContaining('you may not write price.')]);
        expect({ ...after, price: 0 }).toEqual({ ...unchanged, price: 0 });
      }
    });
  }

  test('what was shown may be sent back, changed where it may be, and the rest is kept', async () => {
    const replaced = await asked('replace', { body: { ...shown, name: 'b', price: { net: 10 } } });
    expect(replaced.after).toEqual({ ...unchanged, name: 'b', price: { net: 10, cost: 5, margin: { rate: 2 } } });
    const patched = await asked('patch', { body: { price: { net: 10 } } });
    expect(patched.after).toEqual({ ...unchanged, price: { net: 10, cost: 5, margin: { rate: 2 } } });
    expect((await asked('replace', { body: shown })).after).toEqual(unchanged);
  });

  test('whoever may not write it makes no document with it', async () => {
    const create = (price: JsonObject, principal = bob) =>
      origin.ask('create', deals, { principal, body: { id: `n${++made}`, ...shown, meta: { by: principal.subject ?? '' }, price } });
    expect((await create({ net: 9, cost: 5 })).outcome).toBe('forbidden');
    expect((await create({ net: 9, margin: {} })).outcome).toBe('forbidden');
    expect((await create({ net: 9 })).outcome).toBe('created');
    expect((await create({ net: 9, cost: 5, margin: { rate: 1 } }, eve)).outcome).toBe('created');
  });

  test('in elements of an array it is kept with the element, wherever that stands', async () => {
    const parts = [{ sku: 'new' }, { sku: 'y' }, { sku: 'x', count: 1 }];
    const expected = [{ sku: 'new' }, { sku: 'y', note: 'n2' }, { sku: 'x', count: 1, note: 'n1' }];
    for (const [operation, body] of [['replace', { ...shown, parts }], ['patch', { parts }]] as const) {
      expect((await asked(operation, { body })).after).toEqual({ ...unchanged, parts: expected });
    }
  });

  test('all that is hidden in an element is kept with it, where another was put before it', async () => {
    const document = { ...stored, parts: [{ sku: 'x', note: 'n1', cost: 1 }, { sku: 'y', note: 'n2', cost: 2 }] };
    const parts = [{ sku: 'new' }, { sku: 'y' }, { sku: 'x' }];
    const expected = [{ sku: 'new' }, { sku: 'y', note: 'n2', cost: 2 }, { sku: 'x', note: 'n1', cost: 1 }];
    for (const [operation, body] of [['replace', { ...shown, parts }], ['patch', { parts }]] as const) {
      expect((await asked(operation, { body }, document)).after['parts']).toEqual(expected);
    }
  });

  test('a rule over a nested place decides who may write, and a document without it is nobody\'s', async () => {
    expect((await asked('patch', { body: { name: 'b' } })).outcome).toBe('written');
    expect((await asked('patch', { body: { name: 'b' } }, { ...stored, meta: { by: 'eve' } })).outcome).toBe('forbidden');
    expect((await asked('patch', { body: { meta: { by: 'eve' } } })).outcome).toBe('forbidden');
  });
});
