/** Documents whose members the database calls otherwise than the wire, as other programs write and read them (SEMANTICS §15). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { openRawDatabase, type RawDatabase, type RawObject, type RawValue } from '../../support/raw-documents.ts';
import { engines } from '../../support/whole-world.ts';

const open = { id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
/** Mongoose keeps `__v` and an `_id` in each sub-document. */
const orders = resource({
  name: 'orders', collection: 'Orders of 2024', ...open, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    version: z.int().optional(), externalId: z.string().optional(), firstName: z.string(),
    lines: z.array(z.object({ lineId: z.string(), unitPrice: z.number(), tags: z.array(z.string()).optional() })).optional(),
    address: z.object({ zipCode: z.string(), geo: z.object({ lat: z.number() }).optional() }).optional(),
    labels: z.array(z.string()).optional(),
  }),
  shapes: {
    all: {}, byName: { range: 'firstName', sort: ['firstName', '-firstName'] }, ofExternal: { equal: ['externalId'] },
    ofLabel: { equal: ['labels'], sort: ['firstName'] },
  },
  storedAs: {
    version: '__v', externalId: 'id', firstName: 'first name', labels: '7 labels',
    'lines.lineId': '_id', 'lines.unitPrice': 'unit_price', 'address.zipCode': 'zip_code',
    'address.geo': 'Länge "x"', 'address.geo.lat': 'it\'s',
  },
});
/** Parse keeps its times and pointers under names of its own, Spring the name of a class. */
const parse = resource({
  name: 'parse', collection: 'User', ...open, createdAt: 'createdAt', updatedAt: 'updatedAt', rev: 'rev',
  schema: z.object({ team: z.string(), clazz: z.string().optional() }), shapes: { all: {}, newest: { sort: ['-createdAt'] } },
  storedAs: { createdAt: '_created_at', updatedAt: '_updated_at', team: '_p_team', clazz: '_class' },
});

describe.each([...engines])('on %s', (engine) => {
  let database: RawDatabase;
  let origin: DirectOrigin;
  beforeAll(async () => {
    database = await openRawDatabase(engine);
    origin = await DirectOrigin.open(database.variables, contract(orders, parse));
  });
  afterAll(async () => {
    await origin[Symbol.asyncDispose]();
    await database.remove();
  });

  const leaf = (value: string | number, isInstant = false): RawValue => ({ leaf: database.toLeaf(value, isInstant) });
  const namesIn = (value: RawValue | undefined): unknown => {
    if (value === undefined || 'leaf' in value) return null;
    if (!('members' in value)) return value.map(namesIn);
    return Object.fromEntries(value.members.map(([name, each]) => [name, namesIn(each)]));
  };
  const body = {
    firstName: 'Ada', externalId: 'x1', version: 0, lines: [{ lineId: 'a', unitPrice: 1.5, tags: ['t'] }],
    address: { zipCode: '8001', geo: { lat: 47.5 } }, labels: ['new', 'paid'],
  };

  test('what is created lies there under the stored names alone, and is shown under those of the wire', async () => {
    const created = await origin.ask('create', orders, { body: { id: 'a', ...body } });
    expect(created.json).toEqual({ id: 'a', ...body });
    const got = await origin.ask('get', orders, { id: 'a' });
    expect([got.text, got.etag]).toEqual([created.text, created.etag]);
    const { _id, ...stored } = namesIn(await database.read(orders.collection, 'a')) as Readonly<Record<string, unknown>>;
    expect(stored).toEqual({
      '__v': null, id: null, 'first name': null, lines: [{ _id: null, unit_price: null, tags: [null] }],
      address: { zip_code: null, 'Länge "x"': { 'it\'s': null } }, '7 labels': [null, null],
    });
  });

  test('lists, filters and orders ask by the names of the wire', async () => {
    for (const [id, firstName] of [['b', 'Bob'], ['c', 'Cleo']] as const) {
      await origin.ask('create', orders, { body: { id, ...body, firstName, externalId: `x-${id}`, labels: [firstName, 'all'] } });
    }
    const ids = async (query: string) => {
      const { json, outcome } = await origin.ask('list', orders, { query });
      return outcome === 'found' ? (json['data'] as readonly { readonly id: string }[]).map(({ id }) => id) : outcome;
    };
    expect(await ids('?sort=-firstName')).toEqual(['c', 'b', 'a']);
    expect(await ids('?firstName[gte]=B&sort=firstName')).toEqual(['b', 'c']);
    expect(await ids('?externalId=x-b')).toEqual(['b']);
    expect(await ids('?labels=all&sort=firstName')).toEqual(['b', 'c']);
    expect(await ids('?first%20name=Bob')).toBe('query_invalid');
    const { json } = await origin.ask('list', orders, { query: '?fields=externalId&sort=firstName&limit=1' });
    expect(json['data']).toEqual([{ id: 'a', externalId: 'x1' }]);
  });

  test('a member of others under the wire name of another is kept by every write, and shown to nobody', async () => {
    const part: RawObject = { members: [['_id', leaf('p1')], ['lineId', leaf('theirs')], ['unit_price', leaf(2)], ['unitPrice', leaf(9)]] };
    const names = [['first name', leaf('Dan')], ['firstName', leaf('theirs')], ['externalId', leaf(7)], ['__v', leaf(1)]] as const;
    await database.replace(orders.collection, 'd', { members: [...names, ['lines', [part, part]]] });
    const before = await origin.ask('get', orders, { id: 'd' });
    expect(before.json).toEqual({
      id: 'd', firstName: 'Dan', lines: [{ lineId: 'p1', unitPrice: 2 }, { lineId: 'p1', unitPrice: 2 }], version: 1,
    });
    const theirs = async () => {
      const { firstName, externalId, lines } = namesIn(await database.read(orders.collection, 'd')) as Record<string, unknown>;
      return { firstName, externalId, lines };
    };
    const kept = await theirs();
    const patched = await origin.ask('patch', orders, { id: 'd', body: { firstName: 'Eve', externalId: 'new' } });
    expect(patched.json).toMatchObject({ externalId: 'new' });
    expect(await theirs()).toEqual(kept);
    const { json, text, etag } = await origin.ask('replace', orders, { id: 'd', body: { ...before.json, firstName: 'Fay' } });
    expect(json).toEqual({ ...before.json, firstName: 'Fay' });
    expect(await theirs()).toEqual(kept);
    expect(await origin.ask('get', orders, { id: 'd' })).toMatchObject({ text, etag });
  });

  test('what Tombolo keeps has a stored name, too, and what is wrong is told by the names of the wire', async () => {
    const created = await origin.ask('create', parse, { body: { id: 'a', team: 'Team$1', clazz: 'c' } });
    expect(created.json).toMatchObject({ rev: 1, createdAt: expect.any(String), team: 'Team$1', clazz: 'c' });
    await origin.ask('patch', parse, { id: 'a', body: { clazz: null } });
    const { members } = await database.read(parse.collection, 'a');
    expect(members.map(([name]) => name).filter((name) => name !== '_id').sort()).toEqual(['_created_at', '_p_team', '_updated_at', 'rev']);
    const listed = await origin.ask('list', parse, { query: '?sort=-createdAt' });
    expect(listed.text).toContain('"createdAt":"20');
    const { errors } = await origin.ask('create', parse, { body: { id: 'b', team: 5 } });
    expect(errors.map(({ at }) => at)).toEqual(['/team']);
  });

  test('events and imports speak the names of the wire', async () => {
    const from = await origin.context.store.head();
    const csv = { mediaType: 'text/csv', body: 'id,firstName,externalId\ni1,Ida,x9\n' };
    expect((await origin.ask('import', orders, csv)).text).toContain('"imported":1');
    await database.replace(orders.collection, 'i2', { members: [['first name', leaf('Ian')]] });
    const told: unknown[] = [];
    const signal = new AbortController();
    for await (const batch of origin.context.store.watch(from, signal.signal)) {
      if ('lost' in batch) throw new Error('lost');
      for (const change of batch.changes) if (change.kind === 'document' && change.after !== null) told.push(change.after);
      if (told.length >= 2) signal.abort();
    }
    expect(told).toEqual([{ id: 'i1', firstName: 'Ida', externalId: 'x9' }, { id: 'i2', firstName: 'Ian' }]);
  });
});
