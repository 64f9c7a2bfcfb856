/** The one form on the wire of numbers that are declared as `decimal()` and `long()`: what MongoDB shows of what it stores. */

/** Decimal128 (IEEE 754-2019 §3.5) is a whole number of so many digits, times a power of ten. */
export const decimal128 = { digitsMax: 34, exponentMin: -6_176, exponentMax: 6_111 } as const;

const notations = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,6}))?$/;

/** A decimal as it is written, zeros behind it kept. */
export interface WrittenDecimal {
  readonly sign: '-' | '';
  readonly digits: string;
  /** The power of ten of its last digit. */
  readonly exponent: number;
}

/** Any notation of a decimal; `undefined` for what is none, as NaN and the infinities are. */
export function parseWritten(text: string): WrittenDecimal | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] = notations.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { sign: sign === '-' ? '-' : '', digits: whole + fraction, exponent: Number(exponent) - fraction.length };
}

/** The text by which a Decimal128 is shown (MongoDB's `Decimal128.toString`); `undefined` for what none holds exactly. */
export function toDecimalText(text: string): string | undefined {
  const written = parseWritten(text);
  if (written === undefined) return undefined;
  const digits = written.digits.replace(/^0+(?=\d)/, '');
  const held = digits === '0' ? toZero(written.exponent) : toHeld(digits, written.exponent);
  return held === undefined ? undefined : written.sign + format(held);
}

type Held = Pick<WrittenDecimal, 'digits' | 'exponent'>;

function toZero(exponent: number): Held {
  return { digits: '0', exponent: Math.min(Math.max(exponent, decimal128.exponentMin), decimal128.exponentMax) };
}

/** Zeros at the end come and go until digits and exponent are within bounds. */
function toHeld(digits: string, exponent: number): Held | undefined {
  const { digitsMax, exponentMin, exponentMax } = decimal128;
  const tooMany = Math.max(digits.length - digitsMax, exponentMin - exponent, 0);
  for (let at = digits.length - tooMany; at < digits.length; at++) if (at < 1 || digits[at] !== '0') return undefined;
  const kept = digits.slice(0, digits.length - tooMany);
  const missing = Math.max(exponent + tooMany - exponentMax, 0);
  if (kept.length + missing > digitsMax) return undefined;
  return { digits: kept + '0'.repeat(missing), exponent: exponent + tooMany - missing };
}

function format({ digits, exponent }: Held): string {
  const first = exponent + digits.length - 1;
  if (exponent > 0 || first < -6) {
    const rest = digits.slice(1);
    return `${digits.charAt(0)}${rest === '' ? '' : `.${rest}`}E${first < 0 ? '-' : '+'}${Math.abs(first)}`;
  }
  if (exponent === 0) return digits;
  const padded = digits.padStart(1 - exponent, '0');
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

const longMax = 2n ** 63n - 1n;

/** 64 bits as a number up to 2^53 and as its digits past it; `undefined` for what is no such whole number. */
export function toLong(value: unknown): number | string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) <= 2 ** 53 ? value + 0 : undefined;
  if (typeof value !== 'string' || !/^-?(?:0|[1-9]\d{0,18})$/.test(value)) return undefined;
  const long = BigInt(value);
  if (long > longMax || long < -longMax - 1n) return undefined;
  const number = Number(long);
  return Math.abs(number) <= 2 ** 53 && BigInt(number) === long ? number : long.toString();
}
