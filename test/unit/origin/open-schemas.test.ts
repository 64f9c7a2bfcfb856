/** Members that a schema lets through by `z.looseObject` or `catchall`: declared, at the top as well as below (SEMANTICS §14). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant, integer } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const common = { rules: { read: anyone, write: anyone }, shapes: { all: {}, ofName: { equal: ['name'] } } };
const level = { n: integer().optional() };
const loose = resource({ name: 'loose', schema: z.looseObject({ name: z.string(), at: z.looseObject(level).optional() }), ...common });
const caught = resource({
  name: 'caught', ...common,
  schema: z.object({ name: z.string(), at: z.object(level).catchall(instant()).optional() }).catchall(z.object({ when: instant() })),
});
const strict = resource({ name: 'strict', schema: z.strictObject({ name: z.string(), at: z.strictObject(level).optional() }), ...common });
const when = '2026-01-01T02:00:00+02:00';
const canonical = '2026-01-01T00:00:00.000Z';

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(loose, caught, strict));
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const contentOf = ({ id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields }: JsonObject) => fields;
  const create = (of: typeof loose | typeof caught | typeof strict, body: object) => origin.ask('create', of, { body });
  const rejected = async (of: typeof loose | typeof caught | typeof strict, row: object) => {
    const [line = '{}'] = (await origin.ask('import', of, { body: JSON.stringify(row) })).text.split('\n');
    return (JSON.parse(line) as { readonly errors?: readonly { readonly at: string }[] }).errors?.map((error) => error.at) ?? [];
  };

  test('whatever a loose object takes is kept, served, patched and taken back', async () => {
    const body = { name: 'a', free: { deep: [{ x: 1 }] }, 7: 'seven', at: { n: 1, more: null } };
    const { outcome, json, etag } = await create(loose, body);
    expect([outcome, contentOf(json)]).toEqual(['created', body]);
    const id = String(json['id']);
    expect((await origin.ask('list', loose, { query: '?name=a' })).json['data']).toEqual([json]);
    expect((await origin.ask('replace', loose, { id, body: json })).etag).toBe(etag!);
    const patched = await origin.ask('patch', loose, { id, body: { free: { deep: 2 }, at: { more: 3, n: null }, added: true, 7: null } });
    const next = { name: 'a', free: { deep: 2 }, at: { more: 3 }, added: true };
    expect(contentOf(patched.json)).toEqual(next);
    expect((await origin.ask('get', loose, { id })).text).toBe(patched.text);
    expect(contentOf((await origin.ask('replace', loose, { id, body: { name: 'b' } })).json)).toEqual({ name: 'b' });
    expect(await rejected(loose, { name: 'imported', free: 1 })).toEqual([]);
  });

  test('a catchall says what a member is that has no name, in every way in', async () => {
    const { outcome, json } = await create(caught, { name: 'a', x: { when }, at: { n: 1, y: when } });
    expect([outcome, contentOf(json)]).toEqual(['created', { name: 'a', x: { when: canonical }, at: { n: 1, y: canonical } }]);
    const id = String(json['id']);
    for (const [body, at] of [
      [{ z: 5 }, '/z'], [{ z: { when: 'noon' } }, '/z/when'], [{ z: { when, more: 1 } }, '/z/more'], [{ at: { z: 5 } }, '/at/z'],
    ] as const) {
      const full = { name: 'a', ...body };
      const written = [await origin.ask('replace', caught, { id, body: full }), await origin.ask('patch', caught, { id, body })];
      expect([await create(caught, full), ...written].map(({ errors }) => errors.map((error) => error.at))).toEqual([[at], [at], [at]]);
      expect(await rejected(caught, full)).toEqual([at]);
    }
    const patched = await origin.ask('patch', caught, { id, body: { z: { when }, x: null } });
    expect(contentOf(patched.json)).toEqual({ name: 'a', at: { n: 1, y: canonical }, z: { when: canonical } });
  });

  test('what it lets through is no filter and no order', async () => {
    for (const query of ['?free=1', '?sort=free', '?at.n=1&free=2']) {
      expect((await origin.ask('list', loose, { query })).outcome).toBe('query_invalid');
    }
  });

  test('no member takes the name of one that Tombolo keeps, nor one that no update can name', async () => {
    const id = String((await create(loose, { name: 'a' })).json['id']);
    const before = await origin.stored(loose, id);
    for (const name of ['_id', '$set', 'a.b', '']) {
      const body = { name: 'a', [name]: 'x' };
      const written = [await origin.ask('replace', loose, { id, body }), await origin.ask('patch', loose, { id, body })];
      const places = [await create(loose, body), ...written].map(({ errors }) => errors.map((error) => error.at));
      expect(places).toEqual([[`/${name}`], [`/${name}`], [`/${name}`]]);
      expect(await rejected(loose, body)).toEqual([`/${name}`]);
    }
    for (const name of ['id', 'rev', 'createdAt', 'updatedAt']) {
      const body = { name: 'a', [name]: 'x' };
      const asked = [await create(loose, body), await origin.ask('patch', loose, { id, body })];
      expect(asked.map(({ errors }) => errors.map((error) => error.at))).toEqual([[`/${name}`], [`/${name}`]]);
    }
    expect(await origin.stored(loose, id)).toEqual(before as JsonObject);
  });

  test('a strict object takes none, as any other does', async () => {
    for (const body of [{ name: 'a', free: 1 }, { name: 'a', at: { free: 1 } }]) {
      expect((await create(strict, body)).errors.map(({ detail }) => detail)).toEqual(['unknown field']);
    }
  });
});
