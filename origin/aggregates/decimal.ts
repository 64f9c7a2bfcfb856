/**
 * Numbers as they are shown, added and divided to the last digit: both engines' sums and averages are made here, since their
 * own depend on the order of addition and on the types stored.
 */
import type { Exact } from '../../shared/wire/exact-numbers.ts';
import { parseWritten, toDecimalText } from '../../shared/wire/shown-numbers.ts';

/** `units × 10^exponent`. */
export interface Decimal {
  readonly units: bigint;
  readonly exponent: number;
}

export const zero: Decimal = { units: 0n, exponent: 0 };

/** A double is what its shortest text says. `undefined` for NaN and the infinities. */
export function toDecimal(value: Exact): Decimal | undefined {
  const written = parseWritten(String(value));
  return written === undefined ? undefined : { units: BigInt(written.sign + written.digits), exponent: written.exponent };
}

export function add(left: Decimal, right: Decimal): Decimal {
  const exponent = Math.min(left.exponent, right.exponent);
  return { units: unitsAt(left, exponent) + unitsAt(right, exponent), exponent };
}

export function times({ units, exponent }: Decimal, count: number): Decimal {
  return { units: units * BigInt(count), exponent };
}

/** The greatest multiple of `width` that is not above `value`. */
export function floorTo(value: Decimal, width: Decimal): Decimal {
  const exponent = Math.min(value.exponent, width.exponent);
  const [units, step] = [unitsAt(value, exponent), unitsAt(width, exponent)];
  const rest = ((units % step) + step) % step;
  return { units: units - rest, exponent };
}

/** Rounded half to even at so many significant digits. */
export function quotient({ units, exponent }: Decimal, count: number, digits: number): Decimal {
  const divisor = BigInt(count);
  const size = units < 0n ? -units : units;
  // A digit more than is asked for, so that what is left over stands behind the one that decides.
  const shift = Math.max(0, digits + 2 + String(count).length - String(size).length);
  const scaled = units * 10n ** BigInt(shift);
  // The last digit tells whether anything was left over: then a half is more than one.
  const whole = (scaled / divisor) * 10n + (scaled % divisor === 0n ? 0n : units < 0n ? -1n : 1n);
  return rounded({ units: whole, exponent: exponent - shift - 1 }, digits);
}

function rounded({ units, exponent }: Decimal, digits: number): Decimal {
  const size = units < 0n ? -units : units;
  const past = String(size).length - digits;
  if (past <= 0) return { units, exponent };
  const step = 10n ** BigInt(past);
  const [kept, rest] = [size / step, (size % step) * 2n];
  const up = rest > step || (rest === step && kept % 2n === 1n) ? 1n : 0n;
  return { units: (kept + up) * (units < 0n ? -1n : 1n), exponent: exponent + past };
}

/** The nearest double. */
export function toDouble({ units, exponent }: Decimal): number {
  return Number(`${units}e${exponent}`);
}

/** As a Decimal128 is shown (SEMANTICS §4), without zeros at its end; longer than one can be, with all its digits. */
export function toText(value: Decimal): string {
  const { units, exponent } = withoutZeros(value);
  const plain = exponent >= 0 && exponent <= plainZerosMax ? String(units * 10n ** BigInt(exponent)) : `${units}E${exponent}`;
  return toDecimalText(plain) ?? plain;
}

/** A whole number up to this power of ten is written out. */
const plainZerosMax = 33;

function withoutZeros({ units, exponent }: Decimal): Decimal {
  if (units === 0n) return zero;
  const text = String(units);
  const zeros = text.length - text.replace(/0+$/, '').length;
  return { units: units / 10n ** BigInt(zeros), exponent: exponent + zeros };
}

function unitsAt({ units, exponent }: Decimal, least: number): bigint {
  return units * 10n ** BigInt(exponent - least);
}
