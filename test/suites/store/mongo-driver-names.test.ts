/** Members by whose names the driver tells its own objects: documents of others may have them, and nobody is held up by that. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type Collection, DBRef, ObjectId } from 'mongodb';
import * as z from 'zod';
import { kindOf } from '../../../origin/database/adopting/values.ts';
import { toEvent } from '../../../origin/store/mongo/feed/events.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { read } from './read-changes.ts';

const posts = resource({
  name: 'posts', id: { kind: 'string', format: z.string() }, extra: 'serve',
  schema: z.looseObject({ name: z.string(), more: z.record(z.string(), z.unknown()).optional(), list: z.array(z.unknown()).optional() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

let database: MongoDatabase;
let origin: DirectOrigin;
let collection: Collection<{ _id: string }>;
beforeAll(async () => {
  database = await openMongoDatabase();
  origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(posts));
  collection = database.foreign.collection('posts');
  await origin.ask('replace', posts, { id: 'a', body: { name: 'a', more: { n: 1 }, list: [1] } });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

const named = { _bsontype: 'Foo' };
const patch = (id: string, body: object, mediaType?: string) =>
  origin.ask('patch', posts, { id, body, ...(mediaType === undefined ? {} : { mediaType }) });

test.each([
  ['a merge', { more: named }, undefined],
  ['a merge of no text', { more: { _bsontype: 5 } }, undefined],
  ['an array', { list: [named] }, undefined],
  ['a JSON Patch', [{ op: 'add', path: '/more/_bsontype', value: 'ObjectId' }], 'application/json-patch+json'],
  ['operators', { set: { 'more._bsontype': 'Foo' } }, 'application/vnd.tombolo.changes+json'],
])('%s that brings it is refused, and the document stands as it was', async (_, body, mediaType) => {
  const { outcome, errors } = await patch('a', body, mediaType);
  expect([outcome, errors[0]?.detail]).toEqual(['document_invalid', expect.stringContaining('has a member that is called _bsontype')]);
  expect((await origin.ask('get', posts, { id: 'a' })).json).toMatchObject({ more: { n: 1 }, list: [1], rev: 1 });
});

test('no update adds it to the document itself', async () => {
  const { outcome, errors } = await patch('a', named);
  expect([outcome, errors]).toEqual(['document_invalid', [{ at: '/_bsontype', in: 'body', detail: 'is a name that no update can add' }]]);
});

test('new documents and rows with it are refused by themselves, and a text that looks like it is none', async () => {
  const outcomes = await Promise.all([{ name: 'b' }, { name: 'c', more: named }, { name: '{"_bsontype":"Foo"}' }].map(
    async (body, index) => (await origin.ask('replace', posts, { id: `new${index}`, body })).outcome,
  ));
  expect(outcomes).toEqual(['created', 'document_invalid', 'created']);
  const rows = [{ id: 'i1', name: 'x' }, { id: 'i2', name: 'x', more: named }, { id: 'i3', name: 'x' }];
  const { text } = await origin.ask('import', posts, { body: rows.map((row) => JSON.stringify(row)).join('\n') });
  expect(JSON.parse(text.split('\n').at(1) ?? '')).toMatchObject({ summary: { imported: 2, rejected: 1, complete: true } });
});

test('a document of others with it is read, told of, patched beside it and rid of one below', async () => {
  const { store } = origin.context;
  const reader = read(store, await store.head());
  const more = new Map(Object.entries({ ...named, n: 1 }));
  const foreign = new Map<string, unknown>([['_id', 'f'], ['name', 'f'], ['_bsontype', 'Long'], ['more', more]]);
  await collection.insertOne(foreign as never);
  const shown = { name: 'f', _bsontype: 'Long', more: { ...named, n: 1 } };
  expect((await origin.ask('get', posts, { id: 'f' })).json).toMatchObject(shown);
  const [told] = (await reader.nextChanges()).changes;
  expect(told).toMatchObject({ kind: 'document', before: null, after: shown });
  expect((await patch('f', { more: { n: 2 } })).json).toMatchObject({ ...shown, more: { ...named, n: 2 } });
  await patch('f', { _bsontype: null, more: { _bsontype: null } });
  expect((await origin.ask('get', posts, { id: 'f' })).json).toEqual(expect.objectContaining({ _bsontype: 'Long', more: { n: 2 } }));
  expect((await origin.ask('remove', posts, { id: 'f' })).outcome).toBe('removed');
});

const json = 'application/json-patch+json';
test.each([
  ['a merge', { more: { to: { $ref: 'a.b', $id: 'y', z: 1 } } }, undefined],
  ['an element', { list: [{ $id: 5, $ref: 'films' }] }, undefined],
  ['a JSON Patch that adds the second', [{ op: 'add', path: '/more/half/$id', value: 1 }], json],
])('%s that makes an object with $ref and $id is refused, since the driver would give it back as another', async (_, body, mediaType) => {
  await origin.ask('replace', posts, { id: 'r', body: { name: 'r', more: { half: { $ref: 'x' } } } });
  const { outcome, errors } = await patch('r', body, mediaType);
  expect([outcome, errors[0]?.detail]).toEqual(['document_invalid', expect.stringContaining('has an object with both $ref and $id')]);
  const made = await origin.ask('create', posts, { body: { id: 's', name: 's', more: { $ref: 'a.b', $id: 'y' } } });
  expect(made.outcome).toBe('document_invalid');
  const { json: stands } = await origin.ask('get', posts, { id: 'r' });
  expect([stands['more'], stands['list']]).toEqual([{ half: { $ref: 'x' } }, undefined]);
});

test('what has one of the two, or others that no reference has, comes back as it was sent', async () => {
  const more = { a: { $ref: 'a.b' }, b: { $id: 'y' }, c: { $ref: 1, $id: 2 }, d: { $ref: 'a', $id: null }, e: '{"$ref":"a","$id":1}' };
  expect((await origin.ask('replace', posts, { id: 't', body: { name: 't', more } })).outcome).toBe('created');
  expect((await origin.ask('get', posts, { id: 't' })).json['more']).toEqual(more);
});

test('a reference of others is shown and kept', async () => {
  const reference = new DBRef('films', new ObjectId('0123456789abcdef01234567'));
  await collection.insertOne({ _id: 'd', name: 'd', more: { reference, n: 1 }, list: [reference] } as never);
  const shown = { $ref: 'films', $id: { $oid: '0123456789abcdef01234567' } };
  const body = { more: { n: 2 }, list: [0, shown] };
  expect((await patch('d', body)).json).toMatchObject({ more: { reference: shown, n: 2 }, list: [0, shown] });
  expect(await collection.findOne({ _id: 'd' })).toMatchObject({ more: { reference, n: 2 }, list: [0, reference] });
});

test('an examination takes an object with it for an object', () => {
  expect(kindOf({ _bsontype: 'Long' })).toBe('object');
});

test('an image that cannot be converted is unknown, and the feed goes on', () => {
  const broken = { get name(): string { throw new Error('not to be read'); } };
  const images = { fullDocumentBeforeChange: broken, fullDocument: { name: 'b' } };
  const event = { operationType: 'update', ns: { coll: 'posts' }, documentKey: { _id: 'a' }, ...images };
  expect(toEvent(new Map([['posts', posts]]), event, {} as never)).toMatchObject({
    kind: 'changes', changes: [{ id: 'a', before: undefined, after: { name: 'b' } }],
  });
});
