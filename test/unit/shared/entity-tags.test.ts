import { describe, expect, test } from 'bun:test';
import { listsStrongly, listsWeakly, toTagList } from '../../../shared/wire/entity-tags.ts';
import { parseIdempotencyKey } from '../../../shared/wire/idempotency-key.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

describe('a list of entity tags', () => {
  test.each([
    ['"a"', '"a"'], ['W/"a"', 'W/"a"'], [' * ', '*'], ['"a","b"', '"a", "b"'], ['"a",,"b"', '"a", "b"'],
    [', ,"a" ,\t, W/"b",', '"a", W/"b"'], ['"a,b" , "c"', '"a,b", "c"'],
    ['"\u00e9"', '""'], ['"a", "\ufffd\u00ff"', '"a", ""'], ['', '""'], [',', '""'], ['""', '""'],
  ])('%p means %p', (header, list) => {
    expect(toTagList(header)).toBe(list);
  });

  test.each([
    'a', '"a', '"a" "b"', '"a""b"', '*,', '*, "a"', '"a", *', 'W/', 'W/ "a"', 'w/"a"', '"a b"', '"a\u0000"', '"a"x', 'x,"a"',
    '\u00a0"a"',
  ])('is not %p', (header) => {
    expect(toTagList(header)).toBeUndefined();
  });

  test('is read in time proportional to its length, whatever it is', () => {
    const cpuMs = cpuMsOf(() => {
      for (const part of [' ', ',', '"', '" ', '"a" ', '"a",', 'W/', 'W/"']) {
        for (const end of ['', 'x', '"']) toTagList(part.repeat(100_000) + end);
      }
    });
    expect(cpuMs).toBeLessThan(2_000);
  });

  test('lists a tag strongly as it stands, and weakly however either is marked', () => {
    for (const [list, strongly, weakly] of [
      ['"a"', true, true], ['W/"a"', false, true], ['"b", W/"a"', false, true], ['"b,"', false, false], ['*', true, true],
      ['""', false, false], ['"x\\"a"', false, false],
    ] as const) {
      expect([list, listsStrongly(list, '"a"'), listsWeakly(list, '"a"'), listsWeakly(list, 'W/"a"')]).toEqual([
        list,
        strongly,
        weakly,
        weakly,
      ]);
    }
  });
});

describe('an idempotency key', () => {
  test.each([
    ['abc', 'abc'], ['"abc"', 'abc'], ['"a b"', 'a b'], ['"say \\"hi\\" \\\\"', 'say "hi" \\'], ['a"b\\', 'a"b\\'],
    ['8e03978e-40d5-43e8-bc93-6894a57f9324', '8e03978e-40d5-43e8-bc93-6894a57f9324'],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
  ])('spelt %p is %p', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  test.each([
    '', '""', '"', '"a', 'a b', '"a"b"', '"a\\n"', '"a\\"', '"a", "b"',
    '"a";b',
    '"\u00e9"',
    '\u00e9',
    '"a\tb"',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
  ])('is not %p', (header) => {
    expect(parseIdempotencyKey(header)).toBeUndefined();
  });
});
