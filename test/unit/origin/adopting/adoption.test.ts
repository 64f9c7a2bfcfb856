/** What documents become in a resource file: documents as they are stored, and the text that is written of them. */
import { describe, expect, test } from 'bun:test';
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { type Sample, toAdoption } from '../../../../origin/database/adopting/adoption.ts';
import { toResourceText } from '../../../../origin/database/adopting/resource-text.ts';

type Given = Readonly<Record<string, unknown>>;

const times = <T>(count: number, make: (index: number) => T): readonly T[] => Array.from({ length: count }, (_, index) => make(index));
const uuid = (index: number) => `01a22266-fb91-75bb-9c2a-${String(index).padStart(12, '0')}`;

function textOf(documents: readonly Given[], more: Partial<Sample> = {}): string {
  const identified = documents.map((document, index) => ({ _id: new Int32(index), ...document }));
  const read: Sample = {
    collection: 'things', documents: identified, total: documents.length, reading: 'all', indexes: [], isCollated: false,
  };
  const adoption = toAdoption('things', { ...read, ...more });
  return adoption === undefined ? 'none' : toResourceText(adoption);
}

/** The lines inside of `schema: z.object({ … })`, without their indent. */
function schemaOf(documents: readonly Given[]): readonly string[] {
  const [, inside = ''] = /\n {2}schema: z\.\w+\((?:'\w+', \[|\{)\n([^]*?)\n {2}[}\]]\),\n/.exec(textOf(documents)) ?? [];
  return inside.split('\n').map((line) => line.slice(4));
}

/** In one line. */
const storedAsOf = (text: string): string | undefined => /\n {2}storedAs: (\{[^}]*\})/.exec(text)?.[1]?.replace(/,?\s+/g, ' ');

describe('one field', () => {
  test.each<[string, readonly unknown[], readonly string[]]>([
    ['text', ['a', 'b'], ['f: z.string(),']],
    ['whole numbers', [new Int32(1), new Int32(2)], ['f: integer(),']],
    ['whole numbers, as Int32 and as doubles', [new Int32(1), new Double(2), new Double(-0)],
      ['f: z.number(), // whole in the sample, and stored as doubles']],
    ['doubles that are whole', [new Double(80), new Double(5e9)], ['f: z.number(), // whole in the sample, and stored as doubles']],
    ['a number that is not whole among whole ones', [new Int32(1), new Double(0.5)], ['f: z.number(),']],
    ['a double that is whole, and past what is exact', [new Int32(1), new Double(1e300)], ['f: z.number(),']],
    ['Longs', [Long.fromNumber(1), Long.fromString('9007199254740993')], ['f: long(),']],
    ['a Long among many Int32', [new Int32(1), new Int32(2), Long.fromNumber(5e9)], ['f: integer(),']],
    ['a Long past 2^53 among many Int32', [new Int32(1), new Int32(2), Long.MAX_VALUE], ['f: long(),']],
    ['a Long among doubles', [new Double(0.5), Long.fromNumber(5)], ['f: z.number(),']],
    ['a Long past 2^53 among doubles', [new Double(0.5), Long.MAX_VALUE],
      ['f: z.union([long(), z.number()]), // 1 long; 1 number']],
    ['decimals', [Decimal128.fromString('1.50')], ['f: decimal(),']],
    ['decimals among numbers', [Decimal128.fromString('1.50'), new Int32(1)],
      ['f: z.union([decimal(), integer()]), // 1 decimal; 1 whole number']],
    ['dates', [new Date(0)], ['f: instant(),']],
    ['a date that no instant can be', [new Date(0), new Date(-6.3e13)],
      ['f: z.union([instant(), z.string()]), // 1 date; 1 date outside of the years 1 to 9999']],
    ['object ids', [new ObjectId()], ['f: objectId(),']],
    ['binary', [new Binary(new Uint8Array(3)), new Binary(new Uint8Array(16), 4)], ['f: binary(),']],
    ['booleans', [true, false], ['f: z.boolean(),']],
    ['UUIDs as text', [uuid(1), uuid(2)], ['f: z.uuid(),']],
    ['UUIDs of no version', ['00000000-1111-0000-0000-000000000001'], ['f: z.guid(),']],
    ['UUIDs in upper case', [uuid(1), 'A1A22266-FB91-75BB-9C2A-1E341692867E'],
      ['f: z.string(), // UUIDs, not all in lower case: z.uuid() would miss them']],
    ['dates as text', ['2026-01-31', '2026-01-31T10:00:00Z'], ['f: z.string(), // dates as text: instant() would store new ones as dates']],
    ['null among others', ['a', null], ['f: z.string().nullable(), // 1 null']],
    ['what JSON shows as null', [new Double(1.5), new Double(Number.NaN), Decimal128.fromString('NaN'), new Date(Number.NaN)],
      ['f: z.number().nullable(), // 3 null']],
    ['nothing but null', [null, null], ['f: z.unknown(), // always null']],
    ['texts and numbers', ['1995è', new Int32(1995), new Int32(1996)],
      ['f: z.union([integer(), z.string()]), // 2 whole numbers; 1 text']],
    ['more types than a union is of use for', ['a', new Int32(1), true, new Date(0)],
      ['f: z.unknown(), // 1 date; 1 whole number; 1 boolean; 1 text']],
    ['types that JSON lacks', [new BSONRegExp('a'), new Timestamp({ t: 1, i: 1 })],
      ['f: z.unknown(), // 2 values that only BSON has types for']],
    ['arrays of one type', [['a'], [], ['b', 'c']], ['f: z.array(z.string()),']],
    ['arrays of several', [['a', new Int32(1)], [null]],
      ['f: z.array(z.union([integer(), z.string()]).nullable()), // of 3 elements 1 null, 1 whole number, 1 text']],
    ['arrays with nothing in them', [[], []], ['f: z.array(z.unknown()), // always empty']],
    ['an array here and one value there', [['a'], 'b'], ['f: z.union([z.array(z.string()), z.string()]), // 1 array; 1 text']],
    ['arrays of arrays', [[[new Double(0.5)], [new Int32(1)]]], ['f: z.array(z.array(z.number())),']],
    ['objects', [{ a: 'x', b: { c: true } }], ['f: z.object({ a: z.string(), b: z.object({ c: z.boolean() }) }),']],
    ['objects that lack members', [{ a: 'x' }, { a: 'y', b: 'z' }],
      ['f: z.object({', '  a: z.string(),', '  b: z.string().optional(), // 1 of 2', '}),']],
    ['objects with nothing in them', [{}, {}], ['f: z.object({}), // always empty']],
    ['arrays of objects', [[{ n: new Int32(1) }], [{ n: new Int32(2) }, { n: null }]],
      ['f: z.array(z.object({', '  n: integer().nullable(), // 1 null', '})),']],
    ['a map whose names are ids', [{ '5ca4bbc7a2dd94ee5816238c': { n: new Int32(1) } }, { [uuid(1)]: { n: new Int32(2) } }],
      ['f: z.record(z.string(), z.object({ n: integer() })), // a map of 2 names']],
    ['a map of very many names', times(60, (index) => ({ [`name ${index}`]: new Int32(index) })),
      ['f: z.record(z.string(), integer()), // a map of 60 names']],
    ['a place on earth', [{ type: 'Point', coordinates: [new Double(1.5), new Double(2)] }],
      ["f: z.object({ type: z.literal('Point'), coordinates: z.array(z.number()) }),"]],
  ])('%s', (_title, values, expected) => {
    expect(schemaOf(values.map((f) => ({ f })))).toEqual([...expected]);
  });

  test('a few values that many documents have are an enum, and a value that few have makes it a text', () => {
    const values = (count: number) => times(count, (index) => ({ f: ['b', 'a'][index % 2] }));
    expect(schemaOf(values(40))).toEqual(["f: z.enum(['a', 'b']),"]);
    expect(schemaOf(values(20))).toEqual(['f: z.string(),']);
    expect(schemaOf([...values(40), { f: 'c' }])).toEqual(['f: z.string(),']);
    expect(schemaOf(times(40, () => ({ f: 'shop.Order' })))).toEqual(['f: z.string(), // always shop.Order']);
    for (const values of [20, 10]) expect(schemaOf(times(60, (index) => ({ f: `${index % values}` })))).toEqual(['f: z.string(),']);
  });

  test('one that some documents lack is optional', () => {
    expect(schemaOf([{ a: 'x', f: null }, { a: 'y' }, { a: 'z', f: true }])).toEqual([
      'a: z.string(),', 'f: z.boolean().nullable().optional(), // 2 of 3; 1 null',
    ]);
  });

  test('objects in objects without end become z.unknown()', () => {
    const tree = (levels: number): Given => (levels === 0 ? { n: new Int32(1) } : { n: new Int32(1), child: tree(levels - 1) });
    expect(schemaOf([tree(20)]).join('\n')).toContain('child: z.unknown()');
  });
});

describe('a discriminator', () => {
  const shapes = times(30, (index) => index % 3 === 0
    ? { kind: 'circle', radius: new Double(0.5), colour: 'red' }
    : index % 3 === 1 ? { kind: 'square', side: new Double(1.5) } : { kind: 'cube', side: new Double(1.5), colour: 'blue' });

  test('makes a union of what its values have', () => {
    expect(schemaOf(shapes)).toEqual([
      "z.object({ kind: z.literal('circle'), radius: z.number(), colour: z.string() }),",
      "z.object({ kind: z.literal('square'), side: z.number() }),",
      "z.object({ kind: z.literal('cube'), colour: z.string(), side: z.number() }),",
    ]);
    expect(textOf(shapes)).toContain("schema: z.discriminatedUnion('kind', [");
  });

  test('values of the same members are one branch, and in a branch members may be optional', () => {
    const events = times(40, (index) => index % 2 === 0
      ? { type: index % 4 === 0 ? 'opened' : 'closed', door: 'x', ...(index % 3 === 0 ? { note: 'n' } : {}) }
      : { type: 'rang', bell: 'y' });
    expect(schemaOf(events)).toEqual([
      'z.object({', "  type: z.enum(['closed', 'opened']),", '  door: z.string(),', '  note: z.string().optional(), // 7 of 20', '}),',
      "z.object({ type: z.literal('rang'), bell: z.string() }),",
    ]);
  });

  test('may stand for one value that has all the others lack', () => {
    expect(schemaOf(times(40, (index) => (index % 2 === 0 ? { by: 'cash' } : { by: 'card', digits: '1', end: 'x' })))).toEqual([
      "z.object({ by: z.literal('cash') }),", "z.object({ by: z.literal('card'), digits: z.string(), end: z.string() }),",
    ]);
  });

  test('stands in arrays, too', () => {
    expect(schemaOf(shapes.map((shape) => ({ shapes: [shape] })))[0]).toBe("shapes: z.array(z.discriminatedUnion('kind', [");
  });

  test.each<[string, number, (index: number) => Given]>([
    ['a field that comes and goes within a value', 40, (index) => ({ kind: ['a', 'b'][index % 2], ...(index % 3 === 0 ? { x: '' } : {}) })],
    ['values that too few documents have', 9, (index) => (index % 2 === 0 ? { kind: 'a', x: 'x' } : { kind: 'b' })],
    ['one value that has a field more', 40, (index) => (index % 2 === 0 ? { status: 'a', at: 'x' } : { status: 'b', at: 'x', end: 'y' })],
    ['a field that some documents lack', 40, (index) => [{ kind: 'a', x: 'x' }, { kind: 'b' }, { kind: 'a', x: 'x' }, {}][index % 4] ?? {}],
  ])('%s makes none', (_title, count, make) => {
    expect(textOf(times(count, make))).not.toContain('discriminatedUnion');
  });
});

test('others hear of changes: a feed is declared', () => {
  expect(textOf([{ a: true }])).toContain('\n  live: true,\n');
});

describe('names', () => {
  test.each<[stored: string, wire: string]>([
    ['_class', 'class'], ['first name', 'firstName'], ['Straße', 'Strasse'], ['a-b', 'aB'], ['_p_user', 'p_user'], ['id', 'externalId'],
    ['__v', 'v'], ['2fa', 'field2fa'], ['名前', 'field'], ['Größe (cm)', 'GrosseCm'], ["it's", 'itS'],
    ['constructor', 'constructorValue'], ['toString', 'toStringValue'], [`${'x'.repeat(70)}`, 'x'.repeat(63)],
  ])('%s is %s on the wire', (stored, wire) => {
    const text = textOf([{ [stored]: true }]);
    expect(text).toContain(`    ${wire}: z.boolean(),`);
    expect(storedAsOf(text)).toStartWith(`{ ${wire}: '`);
  });

  test('clash with nothing, and one that is fit stays', () => {
    const text = textOf([{ 'a-b': 'x', aB: true, _aB: 'x', externalId: true, id: 'y' }]);
    expect(storedAsOf(text)).toBe("{ aB2: 'a-b' aB3: '_aB' externalId2: 'id' }");
  });

  test('inside of objects and arrays are told by their wire paths', () => {
    const text = textOf([{ 'the items': [{ _id: new ObjectId(), 'unit price': { 'a-b': 'x' } }] }]);
    expect(storedAsOf(text)).toBe(
      "{ theItems: 'the items' 'theItems.id': '_id' 'theItems.unitPrice': 'unit price' 'theItems.unitPrice.aB': 'a-b' }",
    );
  });

  test('stay as they are where no path leads', () => {
    const text = textOf([{ byId: { '5ca4bbc7a2dd94ee5816238c': { 'first name': 'x', "o'k": 'y' } } }]);
    expect(text).toContain("z.record(z.string(), z.object({ 'first name': z.string(), 'o\\'k': z.string() }))");
    expect(text).not.toContain('storedAs');
  });

  test('that cannot be declared are left out', () => {
    const document = Object.fromEntries([['a', true], ['b.c', true], ['$d', true], ['', true], ['__proto__', true]]);
    Object.defineProperty(document, '__proto__', { value: true, enumerable: true });
    const said = (name: string) => `${name} (no name that can be declared)`;
    expect(schemaOf([document]).join(' ').replaceAll('// ', '')).toBe(
      `a: z.boolean(), Left out: ${['b.c', '"$d"', '""', '__proto__'].map(said).join(', ')}.`,
    );
  });

  test('of collections end no comment and no text', () => {
    const text = textOf([{ a: true }], { collection: "x*/ '\n\u2028" });
    expect(text).toContain('The collection "x*\\/ \'\\n\\u2028", as');
    expect(text).toContain("collection: 'x*/ \\'\\n\\u2028',");
  });
});
