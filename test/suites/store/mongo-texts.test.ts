/** Every read goes by the bytes of documents: one text for a document, wherever it is read, and what is written back keeps its types. */
import { expect, test } from 'bun:test';
import { BSON, DBRef, Double, Long, ObjectId } from 'mongodb';
import { Fault } from '../../../shared/wire/fault.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { decide, inTime, withoutId } from './harness.ts';
import { openMongoPlace } from './mongo-place.ts';
import { things } from './things.ts';

const named = things('named', anyone);

test('one text of a document for one, for a list and inside a write, so that its ETag is the same', async () => {
  await using place = await placeWith([
    { _id: 'a', text: 'x', counts: new Map([['b', 1], ['2024', 2]]) },
    {
      _id: 'b',
      text: 'x',
      pointer: new DBRef('c', new ObjectId('0123456789abcdef01234567')),
      size: Long.fromString('9007199254740993'),
      symbol: new BSON.BSONSymbol('s'),
    },
  ]);
  const one = async (id: string) => (await place.store.get(named, id, inTime())).value?.text;
  const listed = await place.store.list(
    named,
    { equal: {}, range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined, limit: 3 },
    inTime(),
  );
  const inside: (string | undefined)[] = [];
  const look = (id: string) => decide(named, id, (before) => {
    inside.push(before?.text);
    return { kind: 'refuse', fault: new Fault('forbidden') };
  });
  await place.store.write([look('a'), look('b')], inTime());
  // The test server, unlike MongoDB, loses the order of names that look like numbers.
  const expected = [
    expect.stringMatching(/^{"id":"a","text":"x","counts":{("b":1,"2024":2|"2024":2,"b":1)}}$/),
    '{"id":"b","text":"x","pointer":{"$ref":"c","$id":{"$oid":"0123456789abcdef01234567"}},"size":"9007199254740993","symbol":"s"}',
  ];
  expect(inside).toEqual(expected);
  expect([await one('a'), await one('b')]).toEqual(inside);
  expect(listed.value.map(({ document }) => document.text as string | undefined)).toEqual(inside);
});

test('a write gives the text that the next read gives', async () => {
  await using place = await placeWith([
    {
      _id: 'a', text: 'x', size: new Double(3), old: new BSON.BSONRegExp('(?i)x', 'x'), symbol: new BSON.BSONSymbol('s'),
      counts: new Map([
        ['b', 1],
        ['1', 2],
      ]),
    },
  ]);
  const change = decide(named, 'a', (before) => ({ kind: 'put', document: { ...withoutId(before?.value), text: 'y' } }));
  const { outcomes: [written] } = await place.store.write([change], inTime());
  const read = (await place.store.get(named, 'a', inTime())).value?.text;
  expect(written).toMatchObject({ kind: 'written', after: { text: read } });
  expect(read).toBe(
    '{"id":"a","text":"y","size":3,"old":{"$regularExpression":{"pattern":"(?i)x","options":"x"}},"symbol":"s","counts":{"1":2,"b":1}}',
  );
  const [kept] = await place.foreign.collection('named').find({}, { promoteValues: false, bsonRegExp: true }).toArray();
  expect([kept?.['size'], kept?.['old'], kept?.['symbol']]).toEqual([
    new Double(3),
    new BSON.BSONRegExp('(?i)x', 'x'),
    new BSON.BSONSymbol('s'),
  ]);
});

async function placeWith(documents: readonly object[]) {
  const place = await openMongoPlace({ resources: [named] });
  await place.foreign.collection('named').insertMany(documents.map((document) => document as never));
  return { store: place.store, foreign: place.foreign, [Symbol.asyncDispose]: () => place.remove() };
}
