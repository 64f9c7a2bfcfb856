/** Exact numbers as SQLite indexes them: one key, whether our code writes it or the database makes it of a text. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { exactKey, fromExactKey, hasDigitsAtMost, isDecimal, toExactKey } from '../../../origin/store/sqlite/install/exact-keys.ts';
import { compareExact, type Exact, parseFinite } from '../../../shared/wire/exact-numbers.ts';
import { parseWritten } from '../../../shared/wire/shown-numbers.ts';
import { soakFactor } from './soak.ts';

const database = new Database(':memory:');
const ask = database.prepare<{ decimal: number; short: number; key: string }, [string]>(
  `SELECT ${isDecimal('t')} AS decimal, ${hasDigitsAtMost('t', 34)} AS short, ${exactKey('t')} AS key FROM (SELECT ? AS t)`,
);

const whole = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String), fc.nat(99).map(String), fc.constantFrom('0', '00', '5000'));
const exponent = fc.tuple(fc.constantFrom('E', 'e'), fc.constantFrom('', '+', '-'), fc.nat(6_000)).map((parts) => parts.join(''));
const decimal = fc.tuple(
  fc.constantFrom('', '-', '+'), whole, fc.option(whole.map((digits) => `.${digits}`), { nil: '' }), fc.option(exponent, { nil: '' }),
).map((parts) => parts.join(''));
const mark = fc.constantFrom('1', '0', '5', '.', 'E', 'e', '-', '+', ' ', 'x', '٣');
const noise = fc.array(mark, { maxLength: 8 }).map((parts) => parts.join(''));

test('the database takes for a decimal what our code does, and gives it the same key', () => {
  fc.assert(fc.property(fc.oneof(decimal, noise), (text) => {
    const found = ask.get(text);
    expect([text, found?.decimal === 1]).toEqual([text, parseWritten(text) !== undefined]);
    const value = parseFinite(text);
    if (value === undefined) return;
    expect([text, found?.key, found?.short]).toEqual([text, toExactKey(value), 1]);
  }), { numRuns: 3_000 * soakFactor });
  expect([ask.get('1'.repeat(35))?.short, ask.get(`-0.${'1'.repeat(35)}E9`)?.short]).toEqual([0, 0]);
});

test('the order of keys by their bytes is that of the numbers, each of which a key gives back', () => {
  const number = fc.oneof(decimal.map(parseFinite), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -99, max: 99 }))
    .filter((value): value is Exact => value !== undefined);
  const compared = database.prepare<{ order: number }, [string, string, string, string]>('SELECT (? > ?) - (? < ?) AS "order"');
  fc.assert(fc.property(number, number, (left, right) => {
    const [a, b] = [toExactKey(left), toExactKey(right)];
    expect([left, right, compared.get(a, b, a, b)?.order]).toEqual([left, right, Math.sign(compareExact(left, right)) + 0]);
    expect(compareExact(fromExactKey(a), left) + 0).toBe(0);
  }), { numRuns: 3_000 * soakFactor });
});
