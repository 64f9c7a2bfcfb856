/**
 * The table of types (SEMANTICS §4), each row a test: what MongoDB holds, how it is shown, by what it is asked for, and what a
 * value that is sent becomes. Whatever the type, a write that does not change it leaves its bytes.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  Binary, BSON, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp,
} from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { binary, decimal, instant, integer, long, objectId } from '../../../shared/contract/types.ts';
import type { Json } from '../../../shared/wire/values.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

const declared = {
  number: z.number(), integer: integer(), decimal: decimal(), long: long(), string: z.string(), boolean: z.boolean(),
  instant: instant(), objectId: objectId(), binary: binary(), unknown: z.unknown(), object: z.object({ a: z.number().optional() }),
  array: z.array(z.number()),
} as const;
type Declared = keyof typeof declared;

const [id, other] = [new ObjectId('0123456789abcdef01234567'), new ObjectId('76543210fedcba9876543210')];
const bytes = (subtype: number) => new Binary(Buffer.from([1, 2, 255]), subtype);
const zero = new Binary(Buffer.from([0]), 0);
const date = (text: string) => new Date(text);

interface Row {
  readonly stored: unknown;
  readonly shown: Json;
  readonly as: Declared;
  /** The text of an equality that finds it; without one it is not asked for. */
  readonly asked?: string;
  /** What is sent in its place, and what that becomes. */
  readonly sent: readonly [sent: Json, becomes: unknown];
}

const table: Readonly<Record<string, Row>> = {
  'double': { stored: new Double(1.5), shown: 1.5, as: 'number', asked: '1.5', sent: [2.5, new Double(2.5)] },
  'double without a fraction': { stored: new Double(80), shown: 80, as: 'number', asked: '8e1', sent: [81, new Int32(81)] },
  'double -0': { stored: new Double(-0), shown: 0, as: 'number', asked: '0', sent: [1e300, new Double(1e300)] },
  'double NaN': { stored: new Double(Number.NaN), shown: null, as: 'number', sent: [1, new Int32(1)] },
  'double Infinity': { stored: new Double(Number.POSITIVE_INFINITY), shown: null, as: 'number', sent: [1, new Int32(1)] },
  'int32': { stored: new Int32(-5), shown: -5, as: 'integer', asked: '-5', sent: [6, new Int32(6)] },
  'int64': { stored: Long.fromNumber(5), shown: 5, as: 'long', asked: '5', sent: ['6', Long.fromNumber(6)] },
  'int64 up to 2^53': {
    stored: Long.fromNumber(2 ** 53), shown: 2 ** 53, as: 'long', asked: '9007199254740992', sent: [2 ** 40, Long.fromNumber(2 ** 40)],
  },
  'int64 past 2^53': {
    stored: Long.fromString('9007199254740993'), shown: '9007199254740993', as: 'long', asked: '9007199254740993',
    sent: ['-9223372036854775808', Long.MIN_VALUE],
  },
  'int64 of an integer()': {
    stored: Long.fromNumber(2 ** 40), shown: 2 ** 40, as: 'integer', asked: '1099511627776', sent: [2 ** 41, Long.fromNumber(2 ** 41)],
  },
  'decimal128': {
    stored: Decimal128.fromString('80.00'), shown: '80.00', as: 'decimal', asked: '80', sent: ['1e3', Decimal128.fromString('1E+3')],
  },
  'decimal128 of a z.number()': {
    stored: Decimal128.fromString('0.10'), shown: '0.10', as: 'number', asked: '0.1', sent: [0.2, new Double(0.2)],
  },
  'decimal128 NaN': { stored: Decimal128.fromString('NaN'), shown: null, as: 'decimal', sent: ['-0', Decimal128.fromString('-0')] },
  'decimal128 Infinity': {
    stored: Decimal128.fromString('-Infinity'), shown: null, as: 'decimal', sent: ['1', Decimal128.fromString('1')],
  },
  'string': { stored: 'é', shown: 'é', as: 'string', asked: 'é', sent: ['f', 'f'] },
  'symbol': { stored: new BSONSymbol('s'), shown: 's', as: 'string', sent: ['t', 't'] },
  'boolean': { stored: true, shown: true, as: 'boolean', asked: 'true', sent: [false, false] },
  'null': { stored: null, shown: null, as: 'string', sent: ['a', 'a'] },
  'objectId': { stored: id, shown: id.toHexString(), as: 'objectId', asked: id.toHexString(), sent: [other.toHexString(), other] },
  'date': {
    stored: date('2026-01-01T00:00:00Z'), shown: '2026-01-01T00:00:00.000Z', as: 'instant', asked: '2026-01-01T01:00:00+01:00',
    sent: ['2026-06-01T00:00:00+02:00', date('2026-05-31T22:00:00Z')],
  },
  'date past the year 9999': {
    stored: date('+010000-01-01T00:00:00Z'), shown: '+010000-01-01T00:00:00.000Z', as: 'instant',
    sent: ['2026-01-01T00:00:00Z', date('2026-01-01T00:00:00Z')],
  },
  'binary': { stored: bytes(0), shown: 'AQL_', as: 'binary', asked: 'AQL_', sent: ['', new Binary(Buffer.alloc(0), 0)] },
  'binary, old (2)': { stored: bytes(2), shown: 'AQL_', as: 'binary', asked: 'AQL_', sent: ['AA', zero] },
  'binary, UUID (4)': { stored: bytes(4), shown: 'AQL_', as: 'binary', asked: 'AQL_', sent: ['AA', zero] },
  'binary of users (128)': { stored: bytes(128), shown: 'AQL_', as: 'binary', asked: 'AQL_', sent: ['AA', zero] },
  'object': { stored: { a: new Double(1.5) }, shown: { a: 1.5 }, as: 'object', sent: [{ a: 2 }, { a: new Int32(2) }] },
  'array': { stored: [new Double(1.5)], shown: [1.5], as: 'array', asked: '1.5', sent: [[1.5, 2], [new Double(1.5), new Int32(2)]] },
  'timestamp': { stored: new Timestamp({ t: 1, i: 2 }), shown: '4294967298', as: 'unknown', sent: ['a', 'a'] },
  'regular expression': {
    stored: new BSONRegExp('^a', 'i'), shown: { $regularExpression: { pattern: '^a', options: 'i' } }, as: 'unknown',
    sent: [1.5, new Double(1.5)],
  },
  'code': { stored: new Code('f()'), shown: { $code: 'f()' }, as: 'unknown', sent: [null, null] },
  'code with scope': {
    stored: new Code('f()', { x: new Int32(1) }), shown: { $code: 'f()', $scope: { x: 1 } }, as: 'unknown', sent: [true, true],
  },
  'DBRef': {
    stored: new DBRef('films', id), shown: { $ref: 'films', $id: { $oid: id.toHexString() } }, as: 'unknown', sent: [[1], [new Int32(1)]],
  },
  'min key': { stored: new MinKey(), shown: { $minKey: 1 }, as: 'unknown', sent: ['a', 'a'] },
  'max key': { stored: new MaxKey(), shown: { $maxKey: 1 }, as: 'unknown', sent: ['a', 'a'] },
};

const resources = (Object.keys(declared) as Declared[]).map((kind) =>
  resource({
    name: `of-${kind.toLowerCase()}`, id: { kind: 'string', format: z.string() },
    schema: z.object({ name: z.string().optional(), v: declared[kind].nullish() }),
    rules: { read: anyone, write: anyone },
    shapes: { all: {}, ...(kind === 'unknown' || kind === 'object' ? {} : { ofV: { equal: ['v'] } }) },
  }),
);

let database: MongoDatabase;
let origin: Pipeline;
beforeAll(async () => {
  database = await openMongoDatabase();
  origin = await Pipeline.open({ MONGODB_URI: database.uri }, contract(...resources));
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

/** Bytes tell types apart that compare alike. */
const bytesOf = (v: unknown) => Buffer.from(BSON.serialize({ v })).toString('hex');

test.each(Object.entries(table).map(([name, row]) => [name, row.shown, row.asked, row.sent[0], row] as const))(
  '%s is shown as %j, asked for by %p, and %j in its place is what the field declares',
  async (name, shown, asked, sent, { stored, as, sent: [, becomes] }) => {
    const path = `/v1/of-${as.toLowerCase()}`;
    const collection = database.foreign.collection(`of-${as.toLowerCase()}`);
    const at = `${path}/${encodeURIComponent(name)}`;
    const held = async () => {
      const [raw] = (await collection.find({ _id: name as never }, { raw: true }).toArray()) as unknown as Uint8Array[];
      const { v } = BSON.deserialize(raw ?? new Uint8Array(), { promoteValues: false, bsonRegExp: true });
      return v as unknown;
    };
    const put = async (v: Json) => (await origin.ask(at, { method: 'PUT', body: JSON.stringify({ name: 'b', v }) })).status;

    await collection.insertOne({ _id: name as never, v: stored }, { bypassDocumentValidation: true });
    expect((await origin.ask(at)).json['v']).toEqual(shown);
    if (asked !== undefined) {
      const { json } = await origin.ask(`${path}?v=${encodeURIComponent(asked)}`);
      expect((json['data'] as readonly { readonly id: string }[]).map((each) => each.id)).toContain(name);
    }
    expect((await origin.ask(at, { method: 'PATCH', body: JSON.stringify({ name: 'a' }) })).status).toBe(200);
    expect(bytesOf(await held())).toBe(bytesOf(stored));
    const isSendable = name !== 'date past the year 9999' && name !== 'decimal128 of a z.number()';
    expect(await put(shown)).toBe(isSendable ? 200 : 422);
    expect(bytesOf(await held())).toBe(bytesOf(stored));
    expect(await put(sent)).toBe(200);
    expect(bytesOf(await held())).toBe(bytesOf(becomes));
  },
);
