/** The module's texts beside the driver's objects and `toJson`: over random documents, odd ones and broken bytes. */
import { expect, test } from 'bun:test';
import { BSON, Binary, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { toDocument } from '../../../origin/store/mongo/read/documents.ts';
import { RawDocument, toRawDocument, toTyped } from '../../../origin/store/mongo/read/raw-documents.ts';
import { RawTexts } from '../../../origin/store/mongo/read/raw-texts.ts';
import { BsonTexts } from '../../../shared/transforms/bson.ts';
import { randomFrom } from '../../support/random.ts';
import type { BsonVectorFile } from '../../unit/wasm/bson-vectors.ts';
import { instance, moduleFile, tombolo } from '../../unit/wasm/module.ts';
import { trap, withCode } from '../../unit/wasm/patched-module.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { things } from './things.ts';

const named = things('named', anyone);
const linked = things('linked', anyone, 'objectId');
const texts = () => new RawTexts(tombolo(), (message, facts) => expect({ message, facts }).toBeUndefined());
const module = new BsonTexts(instance());
const { vectors } = JSON.parse(readFileSync(new URL('../../../wasm/vectors/bson.json', import.meta.url), 'utf8')) as BsonVectorFile;

const bytes = fc.uint8Array({ maxLength: 40 });
const double = fc.double().map((value) => new Double(value));
const long = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
  fc.bigInt({ min: -(2n ** 53n) - 3n, max: 3n - 2n ** 53n }),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('\ufeff', '\u2028', '\u0000', '"\\', '\u001f\u007f', 'x'.repeat(60)),
);
const leaf = fc.oneof(
  text, double, fc.boolean(), fc.constant(null), fc.constant(undefined), bytes.map((value) => new Binary(value)),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((value) => new Int32(value)),
  long.map((value) => Long.fromBigInt(value)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((value) => new ObjectId(value)),
  fc.oneof(fc.date({ noInvalidDate: true }), fc.integer({ min: 0, max: 2e9 }).map((seconds) => new Date(seconds * 1000))),
  fc
    .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 34n - 1n }), fc.integer({ min: -6176, max: 6111 }))
    .map(([negative, digits, exponent]) => Decimal128.fromString(`${negative ? '-' : ''}${digits}E${exponent}`)),
  fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })).map(([t, i]) => new Timestamp({ t, i })),
  fc
    .tuple(fc.string(), fc.subarray(['i', 'l', 'm', 's', 'u', 'x']))
    .map(([pattern, options]) => new BSON.BSONRegExp(pattern.replaceAll('\0', ''), options.join(''))),
  text.map((code) => new Code(code)), fc.constantFrom(new MinKey(), new MaxKey()),
);
const name = fc
  .oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('id', '_id', '__proto__', '_bsontype', 'toString', 'n'.repeat(16), 'n'.repeat(17)),
  )
  .map((value) => value.replaceAll('\0', ''));
/** JavaScript's objects put these first, whatever the order in the database. */
const isIndex = (value: string) => /^(0|[1-9]\d{0,9})$/.test(value);

function tree(names: fc.Arbitrary<string>): fc.Arbitrary<ReadonlyMap<string, unknown>> {
  const { fields } = fc.letrec<{ value: unknown; fields: Map<string, unknown> }>((tie) => ({
    value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 5 }), tie('fields')),
    fields: fc.uniqueArray(fc.tuple(names, tie('value')), { maxLength: 25, selector: ([key]) => key }).map((entries) => new Map(entries)),
  }));
  return fields;
}

function serialize(fields: ReadonlyMap<string, unknown>): Uint8Array {
  return BSON.serialize(new Map([['_id', 'key'], ...[...fields].filter(([key]) => key !== '_id')]) as never, { ignoreUndefined: false });
}

/** The slow way: the driver's objects. */
function slow(document: Uint8Array): string {
  return toDocument(named, 'key', new RawDocument(named, 'key', document).stored).text;
}

test('random documents come out as the driver and toJson have them, in the order of the database', () => {
  let taken = 0;
  fc.assert(
    fc.property(tree(name.filter((value) => !isIndex(value))), (fields) => {
      const document = serialize(fields);
      const [fast] = module.convert([document]);
      taken += fast === undefined ? 0 : 1;
      if (fast !== undefined) expect(fast).toBe(slow(document));
    }),
    { numRuns: 1_500 },
  );
  expect(taken).toBeGreaterThan(1_000);
}, 60_000);

test('names like numbers keep their place in the text, behind the id, and the value is the same', () => {
  fc.assert(
    fc.property(tree(fc.oneof(name, fc.nat({ max: 20 }).map(String))), (fields) => {
      const document = serialize(fields);
      const [fast] = module.convert([document]);
      if (fast !== undefined) expect(JSON.stringify(JSON.parse(fast))).toBe(JSON.stringify(JSON.parse(slow(document))));
    }),
    { numRuns: 700 },
  );
  const [text] = module.convert([serialize(new Map<string, unknown>([['b', 1], ['1', new Map([['10', 2], ['9', 3]])]]))]);
  expect(text).toBe('{"id":"key","b":1,"1":{"10":2,"9":3}}');
}, 60_000);

test('long text is written as short text is', () => {
  for (const length of [4_095, 4_096, 4_097, 20_000])
    for (const unit of ['x', '\u0001', '"', 'é', '😀']) {
      const document = serialize(new Map<string, unknown>([['v', unit.repeat(length)], ['w', 1]]));
      expect(module.convert([document])).toEqual([slow(document)]);
    }
});

test('doubles are written as JavaScript writes them, digit for digit', () => {
  const random = randomFrom(53);
  const view = new DataView(new ArrayBuffer(8));
  const anyBits = () => {
    view.setUint32(0, random() * 2 ** 32);
    view.setUint32(4, random() * 2 ** 32);
    return view.getFloat64(0);
  };
  const ways = [
    anyBits,
    () => random(),
    () => Math.round(random() * 1e6) / 10 ** Math.floor(random() * 9),
    () => random() * 10 ** Math.floor(random() * 30),
    () => (random() * 2 ** 53) / 8,
    () => 2 ** Math.floor(random() * 2_000 - 1_000),
  ];
  for (let round = 0; round < 200; round++) {
    const numbers = Array.from({ length: 1_000 }, (_, index) => (ways[index % ways.length] ?? anyBits)() * (random() < 0.5 ? -1 : 1));
    const [text] = module.convert([serialize(new Map([['v', numbers.map((number) => new Double(number))]]))]);
    expect(text).toBe(JSON.stringify({ id: 'key', v: numbers }));
  }
}, 60_000);

test('broken bytes never give a text that the driver would not', () => {
  const random = randomFrom(7);
  const documents = vectors
    .map(({ bson }) => Uint8Array.from(Buffer.from(bson, 'hex')))
    .filter((document) => document.byteLength > 5 && Buffer.from(document).readUInt32LE() === document.byteLength);
  let taken = 0;
  for (const document of documents)
    for (let round = 0; round < 60; round++) {
      const broken = document.slice();
      for (let times = 0; times <= round % 3; times++) {
        broken[4 + Math.floor(random() * (broken.byteLength - 4))] =
          random() < 0.5 ? Math.floor(random() * 20) : Math.floor(random() * 256);
      }
      const [fast] = module.convert([broken]);
      if (fast === undefined) continue;
      taken += 1;
      const { id: _id, ...rest } = JSON.parse(fast);
      expect(JSON.stringify({ id: 'key', ...rest })).toBe(JSON.stringify(JSON.parse(slow(broken))));
    }
  expect(taken).toBeGreaterThan(1_000);
}, 60_000);

const repeated = Uint8Array.from([
  ...Buffer.from('18000000', 'hex'),
  ...Buffer.from('\x0A_id\0\x10v\0\x01\0\0\0\x10v\0\x02\0\0\0\x00', 'latin1'),
]);

test.each([
  ['a repeated name, of which the last counts', repeated, '{"id":"a","v":2}'],
  [
    'a reference',
    BSON.serialize({ _id: 'a', v: new DBRef('c', new ObjectId('0123456789abcdef01234567')) }),
    '{"id":"a","v":{"$ref":"c","$id":{"$oid":"0123456789abcdef01234567"}}}',
  ],
  ['code with scope', BSON.serialize({ _id: 'a', v: new Code('f', { x: 1 }) }), '{"id":"a","v":{"$code":"f","$scope":{"x":1}}}'],
  ['an id behind other fields', BSON.serialize({ v: 1, _id: 'a' }), '{"id":"a","v":1}'],
  ['more levels than the module walks', deep(200), `{"id":"a","v":${'['.repeat(200)}${']'.repeat(200)}}`],
])('what the module leaves to others comes out all the same: %s', async (_, document, expected) => {
  expect(module.convert([document])).toEqual([undefined]);
  const [one, two] = await texts().all([new RawDocument(named, 'a', document), new RawDocument(named, 'b', BSON.serialize({ _id: 'b' }))]);
  expect([one?.text, two?.text]).toEqual([expected, '{"id":"b"}']);
});

function deep(levels: number): Uint8Array {
  let value: unknown[] = [];
  for (let level = 1; level < levels; level++) value = [value];
  return BSON.serialize({ _id: 'a', v: value });
}

test('a module that traps is replaced, is told of, and costs no answer', async () => {
  const warnings: string[] = [];
  const broken = new RawTexts(withCode('push', trap, new Uint8Array(await Bun.file(moduleFile).arrayBuffer())), (message) =>
    warnings.push(message),
  );
  const document = new RawDocument(named, 'a', BSON.serialize({ _id: 'a', v: 1 }));
  expect([broken.one(document).text, broken.one(document).text]).toEqual(['{"id":"a","v":1}', '{"id":"a","v":1}']);
  expect(warnings.length).toBe(2);
});

test('bytes that lie about their length touch no other document', () => {
  const one = BSON.serialize({ _id: 'a' });
  const own = new BsonTexts(instance());
  expect(() => own.convert([one, Uint8Array.from([...one, ...one])])).toThrow(/says that it has/);
  expect(own.convert([one])).toEqual(['{"id":"a"}']);
});

test('many bytes become text in parts, and others have their turn between', async () => {
  const large = (id: string) => new RawDocument(named, id, BSON.serialize({ _id: id, v: 'x'.repeat(600_000) }));
  const order = async (documents: readonly RawDocument[]) => {
    const seen: string[] = [];
    const turn = new Promise<void>((resolve) => setImmediate(() => (seen.push('another request'), resolve())));
    const done = await texts().all(documents);
    seen.push(...done.map(({ id }) => id));
    await turn;
    return seen;
  };
  expect(await order([large('a')])).toEqual(['a', 'another request']);
  expect(await order([large('a'), large('b'), large('c')])).toEqual(['another request', 'a', 'b', 'c']);
});

test('ids are read from the bytes, and only those that a request can name', () => {
  const nameOf = (resource: typeof named, fields: object) => toRawDocument(resource, BSON.serialize(fields))?.id;
  const id = new ObjectId();
  expect(nameOf(linked, { _id: id, v: 1 })).toBe(id.toHexString());
  expect(nameOf(linked, { v: 1, _id: id })).toBe(id.toHexString());
  expect(nameOf(linked, { _id: id.toHexString() })).toBeUndefined();
  expect([nameOf(named, { _id: 'größe' }), nameOf(named, { v: 1, _id: '' }), nameOf(named, { _id: '' })]).toEqual(['größe', '', '']);
  expect([nameOf(named, { _id: id }), nameOf(named, { _id: 1 }), nameOf(named, {})]).toEqual([undefined, undefined, undefined]);
});

test('the same types, kept for writing back', () => {
  const stored = toTyped(named, BSON.serialize({ _id: 'a', v: new Double(1), w: new Int32(1), r: new BSON.BSONRegExp('(?i)a', 'x') }));
  expect(stored['v']).toBeInstanceOf(Double);
  expect(stored['w']).toBeInstanceOf(Int32);
  expect(stored['r']).toBeInstanceOf(BSON.BSONRegExp);
});
