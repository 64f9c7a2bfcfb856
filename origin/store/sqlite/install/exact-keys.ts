/**
 * Decimals and longs in the indexes of SQLite, whose own numbers are doubles: as text whose order by bytes is that of the
 * numbers. Sign, power of ten and digits; below zero each digit as a letter that falls where the digit rises, and `~`, behind
 * every letter, where the digits end. One function writes it, and built-in functions of SQL write the same of what others store.
 */
import { type Exact, parseExact, toParts } from '../../../../shared/wire/exact-numbers.ts';

const zero = '1';
const letters = 'jihgfedcba';
/** Makes every power of ten that a text can name a positive number of seven digits. */
const offset = 5_000_000;

export function toExactKey(value: Exact): string {
  const parts = toParts(value);
  if (parts === undefined) throw new Error(`${value} is in no index of numbers`);
  if (parts.digits === '') return zero;
  const key = String(parts.end + offset).padStart(7, '0') + parts.digits;
  return parts.sign > 0 ? `2${key}` : `0${key.replace(/\d/g, (digit) => letters.charAt(Number(digit)))}~`;
}

export function fromExactKey(key: string): Exact {
  if (key === zero) return 0;
  const isNegative = key.startsWith('0');
  const plain = isNegative ? key.slice(1, -1).replace(/[a-j]/g, (letter) => String(letters.indexOf(letter))) : key.slice(1);
  const digits = plain.slice(7);
  const text = `${isNegative ? '-' : ''}${digits}E${Number(plain.slice(0, 7)) - offset - digits.length}`;
  return parseExact(text) ?? text;
}

/** The parts of a decimal's text, as expressions of SQL. */
function partsOf(text: string) {
  const unsigned = `substr(${text}, 1 + (substr(${text}, 1, 1) IN ('-', '+')))`;
  const upper = `upper(${unsigned})`;
  const mantissa = `substr(${upper}, 1, instr(${upper} || 'E', 'E') - 1)`;
  const exponent = `substr(${upper}, instr(${upper} || 'E', 'E') + 1)`;
  const digits = `ltrim(replace(${mantissa}, '.', ''), '0')`;
  const fraction = `max(length(${mantissa}) - instr(${mantissa} || '.', '.'), 0)`;
  return { upper, mantissa, exponent, digits, end: `length(${digits}) - ${fraction} + CAST(${exponent} AS INTEGER)` };
}

/** Whether a text is a decimal, in any notation. */
export function isDecimal(text: string): string {
  const { upper, mantissa, exponent } = partsOf(text);
  const isMantissa = `${mantissa} GLOB '[0-9]*[0-9]' OR ${mantissa} GLOB '[0-9]'`;
  const isPlain = `${mantissa} NOT GLOB '*[^0-9.]*' AND ${mantissa} NOT GLOB '*.*.*'`;
  const unsigned = `substr(${exponent}, 1 + (substr(${exponent}, 1, 1) IN ('-', '+')))`;
  const isExponent = `${unsigned} GLOB '[0-9]*' AND ${unsigned} NOT GLOB '*[^0-9]*' AND length(${unsigned}) <= 6`;
  return `(${isMantissa}) AND ${isPlain} AND (instr(${upper}, 'E') = 0 OR ${isExponent})`;
}

/** Whether a decimal has no more digits than a Decimal128 holds. */
export function hasDigitsAtMost(text: string, max: number): string {
  return `length(rtrim(${partsOf(text).digits}, '0')) <= ${max}`;
}

/** The key of a decimal's text. */
export function exactKey(text: string): string {
  const { digits, end } = partsOf(text);
  const significant = `rtrim(${digits}, '0')`;
  const key = `printf('%07d', ${end} + ${offset}) || ${significant}`;
  const falling = [...letters].reduce((inner, letter, digit) => `replace(${inner}, '${digit}', '${letter}')`, key);
  const below = `WHEN substr(${text}, 1, 1) = '-' THEN '0' || ${falling} || '~'`;
  return `CASE WHEN ${significant} = '' THEN '${zero}' ${below} ELSE '2' || ${key} END`;
}
