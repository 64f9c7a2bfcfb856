/** The texts of decimals and longs against the driver's own, which are what MongoDB's numbers are shown by. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Decimal128, Long } from 'mongodb';
import { toDecimalText, toLong } from '../../../shared/wire/shown-numbers.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

const many = fc.bigInt({ min: 0n, max: 10n ** 34n - 1n }).map(String);
const digits = fc.oneof(many, fc.nat().map(String), fc.constantFrom('0', '000', '0800'));
const written = fc.tuple(
  fc.constantFrom('', '-', '+'), digits, fc.option(fc.nat().map((n) => `.${n}`), { nil: '' }),
  fc.constantFrom('', '0', '000', '0'.repeat(40)),
  fc.oneof(
    fc.constant(''), fc.integer({ min: -60, max: 60 }).map((n) => `E${n}`), fc.integer({ min: -6_230, max: 6_180 }).map((n) => `e${n}`),
  ),
).map(([sign, whole, fraction, zeros, exponent]) => sign + whole + (fraction === '' ? zeros : fraction + zeros) + exponent);

test('a decimal has the one text by which a Decimal128 is shown, and is refused where none holds it', () => {
  fc.assert(fc.property(written, (text) => {
    const shown = toDecimalText(text);
    if (shown !== undefined) {
      expect(Decimal128.fromString(shown).toString()).toBe(shown);
      expect(toDecimalText(shown)).toBe(shown);
    }
    const significant = text.replace(/e.*$/i, '').replace(/[+.-]/g, '').replace(/^0+/, '');
    if (significant.length <= 34 && !/e-?\d{4}/i.test(text)) expect([text, shown]).toEqual([text, Decimal128.fromString(text).toString()]);
  }), { numRuns: 5_000 });
});

test('digits and powers of ten have the bounds of a Decimal128', () => {
  const most = '9'.repeat(34);
  for (const text of [
    `${most}9`, `${most}E6112`, '1E6145', '1E-6177', '12E-6177', `0.${'1'.repeat(35)}`, 'NaN', 'Infinity', '-Infinity',
    '', '1.', '.5', '0x10', ' 1', '1e', '--1', '1_000',
  ]) {
    expect([text, toDecimalText(text)]).toEqual([text, undefined]);
  }
  const held = [`${most}E6111`, '1E6144', '10E-6177', `${most}000`, '80.00', '-0.0', '0E9999', '1e3', '007', '0.0000001'];
  expect(held.map(toDecimalText)).toEqual([
    `9.${'9'.repeat(33)}E+6144`, `1.${'0'.repeat(33)}E+6144`, '1E-6176', `9.${'9'.repeat(33)}E+36`, '80.00', '-0.0', '0E+6111', '1E+3', '7',
    '1E-7',
  ]);
  expect(cpuMsOf(() => expect(toDecimalText(`1${'0'.repeat(1_000_000)}1`)).toBeUndefined())).toBeLessThan(1_000);
});

test('a long is a number up to 2^53 and its digits past it', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, 10n, 40n), (value, shift) => {
    const long = value >> shift;
    const shown = toLong(long.toString());
    expect(typeof shown).toBe(long <= 2n ** 53n && long >= -(2n ** 53n) ? 'number' : 'string');
    expect([toLong(shown), Long.fromValue(String(shown)).toBigInt()]).toEqual([shown, long]);
  }));
  const none = ['9223372036854775808', '-9223372036854775809', 2 ** 53 + 2, 1.5, '1.5', '1e3', '', '007', Number.NaN, null, true, [5]];
  for (const given of none) {
    expect([given, toLong(given)]).toEqual([given, undefined]);
  }
  expect([toLong('-0'), toLong(-0)].map((zero) => Object.is(zero, 0))).toEqual([true, true]);
});
