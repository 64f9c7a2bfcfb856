/** Exact numbers against fractions of whole numbers, which is what they are. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { askedAs, compareExact, type Exact, isExactText, parseExact, parseShown, shownAs } from '../../../shared/wire/exact-numbers.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

/** By definition: a double is a whole number times a power of two, a decimal one times a power of ten. */
function toFraction(value: number | string): { readonly over: bigint; readonly under: bigint } {
  if (typeof value === 'string') {
    const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/i.exec(value) ?? [];
    const tens = Number(exponent) - fraction.length;
    const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
    return tens >= 0 ? { over: digits * 10n ** BigInt(tens), under: 1n } : { over: digits, under: 10n ** BigInt(-tens) };
  }
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const mantissa = (raw & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n);
  const twos = Math.max(exponent, 1) - 1_075;
  const over = mantissa * (raw >> 63n === 0n ? 1n : -1n);
  return twos >= 0 ? { over: over << BigInt(twos), under: 1n } : { over, under: 1n << BigInt(-twos) };
}

function naive(left: number | string, right: number | string): number {
  const [a, b] = [toFraction(left), toFraction(right)];
  const difference = a.over * b.under - b.over * a.under;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const near = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 });
const decimal = fc.oneof(
  near.map(String).filter((text) => /^-?\d+(\.\d+)?$/.test(text)),
  fc.tuple(fc.bigInt({ min: -(10n ** 34n) + 1n, max: 10n ** 34n - 1n }), fc.integer({ min: -40, max: 10 })).map(([n, e]) => `${n}E${e}`),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.constantFrom('0.10', '0.1', '19.99', '9007199254740993', '0.1000000000000000055511151231257827', '-0.0', '1E6144', '1E-6176'),
);

test('the order is that of the fractions, between doubles, decimals and both', () => {
  fc.assert(
    fc.property(fc.oneof(near, decimal), fc.oneof(near, decimal), (left, right) => {
      const [a, b] = [left, right].map((value) => (typeof value === 'string' ? parseExact(value) : value)) as [Exact, Exact];
      expect(Math.sign(compareExact(a, b)) + 0).toBe(naive(left, right));
    }),
    { numRuns: 3_000 },
  );
});

test('each number has one form, and a double has that of its own', () => {
  fc.assert(fc.property(decimal, (text) => {
    const exact = parseExact(text);
    expect(exact).toBeDefined();
    expect(naive(text, exact ?? Number.NaN)).toBe(0);
    if (typeof exact === 'string') expect([isExactText(exact), parseExact(exact), naive(Number(exact), text)]).not.toContain(0);
    if (typeof exact === 'string') expect(parseExact(exact)).toBe(exact);
  }), { numRuns: 1_000 });
  fc.assert(fc.property(near, (value) => {
    expect(parseShown(String(value))).toBe(value === 0 ? 0 : value);
    expect(shownAs(value)[0]).toBe(value);
  }));
});

test('what is shown as one number is asked for as one', () => {
  expect([parseShown('0.1'), parseShown('0.10'), parseShown('1e-1')]).toEqual([0.1, 0.1, 0.1]);
  expect(shownAs(0.1)).toEqual([0.1, '1E-1']);
  expect([shownAs(0.5), shownAs(1984), shownAs('9007199254740993E0')]).toEqual([[0.5], [1984], ['9007199254740993E0']]);
  expect(parseShown('1212092628029698049')).toBe('1212092628029698049E0');
});

test('NaN and the infinities have their places, and what no database stores is no number', () => {
  expect((['Infinity', 1e308, '1E400', 0, '-Infinity', 'NaN'] satisfies Exact[]).toSorted(compareExact)).toEqual([
    'NaN', '-Infinity', 0, 1e308, '1E400', 'Infinity',
  ]);
  for (const [over, under] of [[Number.POSITIVE_INFINITY, '1E400'], ['-1E400', Number.NEGATIVE_INFINITY]] as const) {
    expect(Math.sign(compareExact(over, under))).toBe(1);
  }
  for (const text of ['1'.repeat(35), '1E6200', '1E-6200', '1E9999999', '', '-', '1.', '.5', '0x10', ' 1']) {
    expect([text, parseExact(text)]).toEqual([text, undefined]);
  }
});

test('whatever a number is found by, it is asked for by', () => {
  const text = fc.oneof(decimal, near.map((value) => String(parseExact(String(value)))), fc.constantFrom('1152921504606846976', '1e-9'));
  const exactText = (value: number) => BigInt.asIntN(64, BigInt(Math.round(value))).toString();
  const whole = fc.integer({ min: 53, max: 62 }).chain((power) => fc.double({ noNaN: true, min: 2 ** power, max: 2 ** power * 1.5 }));
  const fraction = fc.integer({ min: 1, max: 30 }).map((n) => (2 ** -n).toFixed(n));
  const question = fc.oneof(text, whole.map(exactText), whole.map(String), fraction);
  fc.assert(fc.property(question, (asked) => {
    const value = parseShown(asked);
    if (value === undefined) return;
    // Each number that a database holds is found by a form that equals it, and shown as a double is, or by all of its digits.
    for (const stored of shownAs(value).map((form) => (typeof form === 'string' ? (parseExact(form) ?? form) : form))) {
      for (const shown of typeof stored === 'string' ? [stored] : [stored, asked].filter((each) => parseExact(String(each)) === stored)) {
        expect(askedAs(shown)).toContain(value);
      }
      if (typeof stored === 'number') expect(askedAs(stored)).toContain(value);
    }
  }), { numRuns: 3_000 });
  expect(askedAs(2 ** 60)).toEqual([2 ** 60, '1152921504606846976E0']);
  expect(askedAs('1152921504606846976')).toEqual([2 ** 60, '1152921504606846976E0']);
  expect(askedAs(2 ** -30)).toEqual([2 ** -30, '931322574615478515625E-30']);
  expect([askedAs(0.1), askedAs('0.10'), askedAs('NaN')]).toEqual([[0.1], ['1E-1', 0.1], ['NaN']]);
});

test('a number of many digits costs what its text costs', () => {
  expect(cpuMsOf(() => expect(parseExact(`1${'0'.repeat(300_000)}1`)).toBeUndefined())).toBeLessThan(1_000);
});
