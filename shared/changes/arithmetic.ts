/** Sums and products of numbers as they travel, exact where every digit is meant (SEMANTICS §4); `undefined` where no such number is. */
import { decimal128, parseWritten, toDecimalText, toLong } from '../wire/shown-numbers.ts';
import type { Json } from '../wire/values.ts';

export type Arithmetic = 'add' | 'multiply';

/** `kind`: as the place is declared; where it says nothing exact, a number of JavaScript. */
export function computed(how: Arithmetic, left: Json, right: Json, kind: string): Json | undefined {
  if (kind === 'long') return computedLong(how, left, right);
  if (kind === 'decimal') return computedDecimal(how, left, right);
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  const result = how === 'add' ? left + right : left * right;
  return Number.isFinite(result) ? result : undefined;
}

function computedLong(how: Arithmetic, left: Json, right: Json): Json | undefined {
  const [a, b] = [toLong(left), toLong(right)];
  if (a === undefined || b === undefined) return undefined;
  return toLong(String(how === 'add' ? BigInt(a) + BigInt(b) : BigInt(a) * BigInt(b)));
}

/** Refused where 34 digits do not hold all of them: nothing is rounded. */
function computedDecimal(how: Arithmetic, left: Json, right: Json): Json | undefined {
  const [a, b] = [toParts(left), toParts(right)];
  if (a === undefined || b === undefined) return undefined;
  if (how === 'multiply') return toText(a.whole * b.whole, a.exponent + b.exponent);
  const exponent = Math.min(a.exponent, b.exponent);
  // Two numbers so far apart have no sum of 34 digits, unless one is zero.
  if (Math.max(a.exponent, b.exponent) - exponent > 2 * decimal128.digitsMax && a.whole !== 0n && b.whole !== 0n) return undefined;
  return toText(scaled(a, exponent) + scaled(b, exponent), exponent);
}

interface Parts {
  readonly whole: bigint;
  readonly exponent: number;
}

function toParts(value: Json): Parts | undefined {
  const written = typeof value === 'string' || typeof value === 'number' ? parseWritten(String(value)) : undefined;
  if (written === undefined || written.digits.length > 2 * decimal128.digitsMax) return undefined;
  return { whole: BigInt(written.sign + written.digits), exponent: written.exponent };
}

function scaled({ whole, exponent }: Parts, to: number): bigint {
  return whole === 0n ? 0n : whole * 10n ** BigInt(exponent - to);
}

function toText(whole: bigint, exponent: number): string | undefined {
  return toDecimalText(`${whole}E${exponent}`);
}
