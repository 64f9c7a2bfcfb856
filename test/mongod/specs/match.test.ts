import { describe, expect, test } from 'bun:test';
import { Binary, Decimal128, Int32, Long, ObjectId, Timestamp } from 'bson';
import { match, type MatchScope } from './match.ts';

const scope: MatchScope = {
  get: id => (id === 'saved' ? { token: 7 } : undefined),
  lsid: () => ({ id: new Binary(new Uint8Array([1, 2, 3]), 4) }),
};

const matches = (expected: unknown, actual: unknown, root = true) => {
  try {
    match({ expected, actual, root, at: 'value', scope });
    return true;
  } catch {
    return false;
  }
};

describe('documents', () => {
  test('a root-level document may have fields that the test does not name', () => {
    expect(matches({ a: 1 }, { a: 1, b: 2 })).toBe(true);
  });

  test('a nested document may not', () => {
    expect(matches({ a: { b: 1 } }, { a: { b: 1, c: 2 } })).toBe(false);
    expect(matches({ a: 1 }, { a: 1, b: 2 }, false)).toBe(false);
  });

  test('a document inside an array at root level is a root-level document, inside a nested array it is not', () => {
    expect(matches([{ a: 1 }], [{ a: 1, b: 2 }])).toBe(true);
    expect(matches({ list: [{ a: 1 }] }, { list: [{ a: 1, b: 2 }] })).toBe(false);
  });

  test('a missing field is no match, not even for null', () => {
    expect(matches({ a: 1 }, {})).toBe(false);
    expect(matches({ a: null }, {})).toBe(false);
    expect(matches({ a: null }, { a: null })).toBe(true);
  });

  test('the order of keys is free, the order and number of items is not', () => {
    expect(matches({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
    expect(matches([1, 2], [2, 1])).toBe(false);
    expect(matches([1], [1, 2])).toBe(false);
  });

  test('an empty document is no array and an absent value no empty document', () => {
    expect(matches({}, [])).toBe(false);
    expect(matches([], {})).toBe(false);
    expect(matches({}, undefined)).toBe(false);
  });

  test("a driver's Map reads as a document", () => {
    expect(matches({ 0: { code: 1 } }, new Map([[0, { code: 1 }]]))).toBe(true);
    expect(matches({ results: {} }, { results: new Map([[0, 1]]) })).toBe(false);
  });
});

describe('scalars', () => {
  test('numbers are equal across int, long and double, and only there', () => {
    expect(matches(1, new Int32(1))).toBe(true);
    expect(matches(Long.fromNumber(1), 1)).toBe(true);
    expect(matches(Number.NaN, Number.NaN)).toBe(true);
    expect(matches(Long.fromString('9007199254740993'), Long.fromString('9007199254740992'))).toBe(false);
    expect(matches(1, '1')).toBe(false);
    expect(matches(1, true)).toBe(false);
    expect(matches(1, Decimal128.fromString('1'))).toBe(false);
  });

  test("BSON's own types are equal by type and content", () => {
    const id = new ObjectId();
    expect(matches(id, new ObjectId(id.toHexString()))).toBe(true);
    expect(matches(id, id.toHexString())).toBe(false);
    expect(matches(new Date(5), new Date(5))).toBe(true);
    expect(matches(new Timestamp({ t: 1, i: 2 }), new Timestamp({ t: 1, i: 3 }))).toBe(false);
  });
});

describe('operators', () => {
  test('$$exists asks for the field or for its absence', () => {
    expect(matches({ a: { $$exists: true } }, { a: null })).toBe(true);
    expect(matches({ a: { $$exists: true } }, {})).toBe(false);
    expect(matches({ a: { $$exists: false } }, {})).toBe(true);
    expect(matches({ a: { $$exists: false } }, { a: null })).toBe(false);
  });

  test('$$unsetOrMatches lets a field be absent but not wrong', () => {
    expect(matches({ a: { $$unsetOrMatches: 1 } }, {})).toBe(true);
    expect(matches({ a: { $$unsetOrMatches: 1 } }, { a: 1 })).toBe(true);
    expect(matches({ a: { $$unsetOrMatches: 1 } }, { a: 2 })).toBe(false);
    expect(matches({ a: { $$unsetOrMatches: 1 } }, { a: null })).toBe(false);
    expect(matches({ $$unsetOrMatches: { a: 1 } }, undefined)).toBe(true);
  });

  test('$$unsetOrMatches keeps the level of the document around it', () => {
    expect(matches({ $$unsetOrMatches: { a: 1 } }, { a: 1, b: 2 })).toBe(true);
    expect(matches({ x: { $$unsetOrMatches: { a: 1 } } }, { x: { a: 1, b: 2 } })).toBe(false);
  });

  test('$$type takes one name or several', () => {
    expect(matches({ a: { $$type: 'string' } }, { a: 'x' })).toBe(true);
    expect(matches({ a: { $$type: ['int', 'long'] } }, { a: Long.fromNumber(4) })).toBe(true);
    expect(matches({ a: { $$type: 'int' } }, { a: 1.5 })).toBe(false);
    expect(matches({ a: { $$type: 'object' } }, { a: [] })).toBe(false);
    expect(matches({ a: { $$type: 'object' } }, {})).toBe(false);
  });

  test('$$matchesEntity, $$sessionLsid and $$matchesHexBytes compare with what the test holds', () => {
    expect(matches({ a: { $$matchesEntity: 'saved' } }, { a: { token: 7 } })).toBe(true);
    expect(matches({ a: { $$matchesEntity: 'saved' } }, { a: { token: 8 } })).toBe(false);
    expect(matches({ lsid: { $$sessionLsid: 's' } }, { lsid: { id: new Binary(new Uint8Array([1, 2, 3]), 4) } })).toBe(true);
    expect(matches({ lsid: { $$sessionLsid: 's' } }, { lsid: { id: new Binary(new Uint8Array([1, 2, 4]), 4) } })).toBe(false);
    expect(matches({ $$matchesHexBytes: '0aFF' }, new Uint8Array([10, 255]))).toBe(true);
  });

  test('$$matchAsRoot, $$matchAsDocument and $$lte', () => {
    expect(matches({ a: { $$matchAsRoot: { b: 1 } } }, { a: { b: 1, c: 2 } })).toBe(true);
    expect(matches({ $$matchAsDocument: { b: 1 } }, '{"b": 1}')).toBe(true);
    expect(matches({ a: { $$lte: 5 } }, { a: 5 })).toBe(true);
    expect(matches({ a: { $$lte: 5 } }, { a: 6 })).toBe(false);
  });

  test('an unknown operator is an error of the file, not a value', () => {
    expect(() => match({ expected: { a: { $$near: 1 } }, actual: { a: 1 }, root: true, at: 'value', scope })).toThrow('$$near');
  });
});
