/** Values of MongoDB that JSON shows alike equal those of their own type alone, in lists, gets, events and writes (SEMANTICS §3). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Binary, BSON, BSONRegExp, BSONSymbol, Code, Decimal128, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { absent, all, anyone, equals, type Rule } from '../../../shared/contract/rules.ts';
import { binary, instant, objectId } from '../../../shared/contract/types.ts';
import { toRawDocument } from '../../../origin/store/mongo/read/raw-documents.ts';
import { ranksIn, ranksInBytes } from '../../../origin/store/mongo/read/stored-ranks.ts';
import { applyIn } from '../../suites/store/applied.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';

const [hex, iso, bytes] = ['a'.repeat(24), '2020-01-01T00:00:00.000Z', 'YWJj'];

function rowsOf(name: string, f: z.ZodType, read: Rule): Resource {
  const schema = z.object({ f: f.optional(), o: z.object({ f: f.optional() }).optional(), note: z.string().optional() });
  return resource({
    name, id: { kind: 'string', format: z.string() }, schema, rules: { read, write: read }, live: true,
    shapes: { all: { beside: ['f'], examined: 100 }, of: { equal: ['f'] } },
  });
}

const kinds = [
  ['texts', z.string(), hex], ['ids', objectId(), hex], ['moments', instant(), iso], ['binaries', binary(), bytes],
  ['flags', z.boolean(), true],
] as const;
const others = [
  ['texts-iso', z.string(), iso], ['texts-bytes', z.string(), bytes], ['texts-number', z.string(), '1'],
] as const;
const resources = [
  ...kinds.map(([name, type, value]) => rowsOf(`${name}-inner`, type, equals('o.f', value))),
  ...kinds.map(([name, type]) => rowsOf(`${name}-none`, type, absent('f'))),
  ...[...kinds, ...others].map(([name, type, value]) => rowsOf(name, type, equals('f', value))),
];
const renamed = resource({
  name: 'renamed', id: { kind: 'string', format: z.string() }, storedAs: { f: 'g', note: 'f', o: 'p', 'o.f': 'g' },
  schema: z.object({ f: z.string().optional(), note: z.string().optional(), o: z.object({ f: z.string().optional() }).optional() }),
  rules: { read: all(equals('f', hex), equals('o.f', hex)), write: anyone }, shapes: { all: {} },
});
const open = [...kinds, ...others].map(([name, type, value]) => ({ of: rowsOf(`${name}-open`, type, anyone), value }));
const many = [...kinds, ...others, ['numbers', z.number(), 1] as const].map(([name, type, value]) => ({
  of: resource({
    name: `${name}-many`, id: { kind: 'string', format: z.string() }, rules: { read: anyone },
    schema: z.object({ f: z.array(type).optional(), o: z.array(z.object({ f: type.optional() })).optional() }),
    shapes: { all: { beside: ['f', 'o.f'], examined: 100 }, of: { equal: ['f'] }, ofInner: { equal: ['o.f'] } },
  }),
  value,
}));
const declared = [...resources, ...open.map(({ of }) => of)];

/** As other programs may have stored them before any check stood. */
const values: Readonly<Record<string, unknown>> = {
  hex, iso, bytes, one: '1', id: new ObjectId(hex), date: new Date(iso), binary: new Binary(Buffer.from('abc')), number: 1, flag: true,
  decimal: Decimal128.fromString('1'), nan: Number.NaN, infinite: Number.POSITIVE_INFINITY, nothing: null,
  decimalNan: Decimal128.fromString('NaN'), symbol: new BSONSymbol(hex), stamp: new Timestamp({ t: 0, i: 1 }),
};

let database: MongoDatabase;
let origin: DirectOrigin;
beforeAll(async () => {
  database = await openMongoDatabase();
  const documents = Object.entries(values).map(([id, f]) => ({ _id: id as never, f, o: { f } }));
  const withNone = [...documents, { _id: 'none' as never }];
  for (const { collection } of declared) await database.foreign.collection(collection).insertMany(withNone);
  await database.foreign.collection('renamed').insertMany([
    { _id: 'text' as never, g: hex, f: 'x', p: { g: hex } }, { _id: 'id' as never, g: hex, f: hex, p: { g: new ObjectId(hex), f: hex } },
  ]);
  const ofMany = many.map(({ of }) => of);
  const elements = withNone.map(({ _id, ...each }) => ({ _id, ...('f' in each ? { f: ['x', each.f], o: [{}, { f: 'x' }, each.o] } : {}) }));
  for (const { collection } of ofMany) await database.foreign.collection(collection).insertMany(elements);
  await applyIn(database.foreign, [...declared, ...ofMany, renamed]);
  origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(...declared, ...ofMany, renamed));
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

const listed = async (of: Resource, query = '') => {
  const { outcome, json } = await origin.ask('list', of, { query: `?limit=100${query}` });
  expect([query, outcome]).toEqual([query, 'found']);
  return (json['data'] as readonly { readonly id: string }[]).map(({ id }) => id).toSorted();
};
const ids = [...Object.keys(values), 'none'].toSorted();
const named = resources.map((of) => [of.name, of] as const);

test.each(named)('%s: whoever a list shows a document to reads and writes it, and nobody else', async (_name, of) => {
  const found: string[] = [];
  for (const id of ids) if ((await origin.ask('get', of, { id })).outcome === 'found') found.push(id);
  expect(found).toEqual(await listed(of));
  for (const id of ids) {
    const { outcome } = await origin.ask('patch', of, { id, body: { note: 'seen' } });
    expect([id, outcome !== 'document_not_found']).toEqual([id, found.includes(id)]);
  }
});

test('by whatever name it is stored', async () => {
  expect(await listed(renamed)).toEqual(['text']);
  expect((await origin.ask('get', renamed, { id: 'text' })).outcome).toBe('found');
  expect((await origin.ask('get', renamed, { id: 'id' })).outcome).toBe('absent');
});

test('an event tells of what a list shows', async () => {
  const before = await Promise.all(resources.map((of) => listed(of)));
  const asking = { msLeft: 3_000, parsed: { after: undefined, lastEventId: undefined, stream: undefined } };
  const live = resources.map((of) => origin.ask('changes', of, asking));
  await Bun.sleep(50);
  const documents = Object.entries(values).map(([id, f]) => ({ _id: `new-${id}` as never, f, o: { f } }));
  for (const { collection } of resources) {
    await database.foreign.collection(collection).insertMany(documents, { bypassDocumentValidation: true });
  }
  for (const [index, of] of resources.entries()) {
    const { text = '' } = (await live[index]) ?? {};
    const entered = (await listed(of)).filter((id) => before[index]?.includes(id) === false);
    expect([of.name, (text.match(/new-\w+/g) ?? []).toSorted()]).toEqual([of.name, entered]);
  }
});

const asked = open.map(({ of, value }) => [of.name, of, value] as const);

test.each(asked)('%s: what equals a value and what does not are all', async (_name, of, value) => {
  const [equal, left] = [await listed(of, `&f=${value}`), await listed(of, `&f[ne]=${value}`)];
  expect([...equal, ...left].toSorted()).toEqual(ids);
  expect(equal.length).toBeGreaterThan(0);
});

const askedMany = many.map(({ of, value }) => [of.name, of, value] as const);

test.each(askedMany)('%s: what contains a value and what does not are all', async (_name, of, value) => {
  for (const field of ['f', 'o.f']) {
    const [has, hasNot] = [await listed(of, `&${field}=${value}`), await listed(of, `&${field}[ne]=${value}`)];
    expect([field, [...has, ...hasNot].toSorted()]).toEqual([field, ids]);
    expect(has.length).toBeGreaterThan(0);
  }
});

test('the bytes of a document tell the same as its objects, whatever stands in it', () => {
  const rare = [
    undefined, [1], [{ f: 1 }], {}, { f: hex }, Long.fromString('9007199254740993'), new BSONRegExp('x'), new Code('x'), new MinKey(),
    new MaxKey(),
  ];
  const value = fc.constantFrom<unknown>(...Object.values(values), ...rare);
  const name = fc.constantFrom('f', 'o', 'ff', 'ö', '');
  const member = fc.oneof(value, fc.dictionary(name, value, { maxKeys: 4 }));
  const of = open[0]?.of;
  fc.assert(fc.property(fc.dictionary(name, member, { maxKeys: 5 }), (stored) => {
    const document = of && toRawDocument(of, BSON.serialize({ _id: 'a', ...stored }, { ignoreUndefined: false }));
    if (document === undefined) throw new Error('no document');
    const [quick, slow] = [ranksInBytes(document), ranksIn(document.stored)];
    for (const path of ['f', 'ö', 'ff', 'o.f', 'o.ö', 'f.f', 'o.f.f', 'none', 'id', '_id']) {
      expect([path, quick(path)]).toEqual([path, slow(path)]);
    }
  }), { numRuns: 2_000 });
});
