// Exact arithmetic on Decimal128 through big integers: coefficient × 10^exponent.
import { Decimal128 } from 'bson';

type Exact = { coefficient: bigint; exponent: number };

function parseDecimal(text: string): Exact | null {
  const parts = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!parts || !((parts[2] ?? '') + (parts[3] ?? ''))) return null;
  const digits = BigInt((parts[2] ?? '') + (parts[3] ?? ''));
  return { coefficient: parts[1] === '-' ? -digits : digits, exponent: Number(parts[4] ?? 0) - (parts[3] ?? '').length };
}

// How far the decimal lies from its nearest double, in units of 2^-80 for magnitudes near 1 and of 2^-80 × ulp beyond.
export function decimalResidue(text: string, near: number): bigint {
  const exact = parseDecimal(text);
  if (!exact) return 0n;
  // Small numbers need finer units, so that the scale follows the double's own exponent.
  const scale = 80 + Math.max(0, 60 - Math.floor(Math.log2(Math.abs(near) || 1)) - 8);
  const shifted = Math.abs(near) >= 2 ** 52 ? 80 : scale;
  return scaled(exact, shifted) - doubleScaled(near, shifted);
}

// 0.digits × 10^end, without the sign and without zeros behind.
export function decimalSize(text: string): { readonly digits: string; readonly end: number } {
  const { coefficient, exponent } = parseDecimal(text) ?? { coefficient: 0n, exponent: 0 };
  const digits = (coefficient < 0n ? -coefficient : coefficient).toString();
  return { digits: digits.replace(/0+$/, ''), end: digits.length + exponent };
}

function scaled({ coefficient, exponent }: Exact, bits: number): bigint {
  const wide = coefficient << BigInt(bits);
  return exponent >= 0 ? wide * 10n ** BigInt(exponent) : wide / 10n ** BigInt(-exponent);
}

function doubleScaled(value: number, bits: number): bigint {
  let mantissa = value;
  let shift = bits;
  while (!Number.isInteger(mantissa)) { mantissa *= 2; shift -= 1; }
  return shift >= 0 ? BigInt(mantissa) << BigInt(shift) : BigInt(mantissa) >> BigInt(-shift);
}

export function decimalArithmetic(operation: 'add' | 'multiply', left: Decimal128, right: Decimal128): Decimal128 {
  const a = parseDecimal(left.toString());
  const b = parseDecimal(right.toString());
  if (!a || !b) return Decimal128.fromString('NaN');
  if (operation === 'multiply') return toDecimal({ coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent });
  const exponent = Math.min(a.exponent, b.exponent);
  const at = (x: Exact): bigint => x.coefficient * 10n ** BigInt(x.exponent - exponent);
  return toDecimal({ coefficient: at(a) + at(b), exponent });
}

// Decimal128 holds 34 digits; the rest is rounded half to even.
function toDecimal({ coefficient, exponent }: Exact): Decimal128 {
  let digits = coefficient;
  let power = exponent;
  while ((digits < 0n ? -digits : digits).toString().length > 34) {
    const rest = digits % 10n;
    digits = digits / 10n + (rest > 5n || (rest === 5n && digits / 10n % 2n !== 0n) ? 1n : rest < -5n ? -1n : 0n);
    power += 1;
  }
  return Decimal128.fromString(`${digits}E${power}`);
}
