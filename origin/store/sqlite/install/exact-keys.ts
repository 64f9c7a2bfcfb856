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
  if (parts === undefined) return String(value);
  if (parts.digits === '') return zero;
  const key = String(parts.end + offset).padStart(7, '0') + parts.digits;
  return parts.sign > 0 ? `2${key}` : `0${key.replace(/\d/g, (digit) => letters.charAt(Number(digit)))}~`;
}

/** Of what is no decimal, of which SQL looks at no more than comes before a NUL, the key itself. */
export function fromExactKey(key: string): Exact {
  if (key === zero) return 0;
  const isNegative = key.startsWith('0');
  const plain = isNegative ? key.slice(1, -1).replace(/[a-j]/g, (letter) => String(letters.indexOf(letter))) : key.slice(1);
  const digits = plain.slice(7);
  const text = `${isNegative ? '-' : ''}${digits}E${Number(plain.slice(0, 7)) - offset - digits.length}`;
  return parseExact(text) ?? (toParts(text) === undefined ? key : text);
}

/**
 * Expressions of SQL over a text, which is read out of its document each time that it is named. Nearly all decimals have no
 * exponent, and an expression of fewer parts: 20 µs a row, where the other takes 90.
 */
const hasExponent = (text: string): string => `${text} GLOB '*[eE]*'`;

interface Parts {
  readonly mantissa: string;
  readonly exponent: string;
}

function partsOf(text: string): Parts {
  const mark = `instr(upper(${text}) || 'E', 'E')`;
  return { mantissa: `substr(${text}, 1, ${mark} - 1)`, exponent: `substr(${text}, ${mark} + 1)` };
}

/** Whether a text is a decimal, in any notation. */
export function isDecimal(text: string): string {
  const { mantissa, exponent } = partsOf(text);
  const isExponent = `${isSignedDigits(exponent)} AND length(ltrim(${exponent}, '+-')) <= 6`;
  return `CASE WHEN ${hasExponent(text)} THEN ${isPlain(mantissa)} AND ${isExponent} ELSE ${isPlain(text)} END`;
}

function isPlain(text: string): string {
  const begins = `(${text} GLOB '[0-9]*' OR ${text} GLOB '[-+][0-9]*')`;
  return `${begins} AND ${text} GLOB '*[0-9]' AND substr(${text}, 2) NOT GLOB '*[^0-9.]*' AND ${text} NOT GLOB '*.*.*'`;
}

function isSignedDigits(text: string): string {
  return `(${text} GLOB '[0-9]*' OR ${text} GLOB '[-+][0-9]*') AND substr(${text}, 2) NOT GLOB '*[^0-9]*'`;
}

/** Without zeros before them. */
function digitsOf(plain: string): string {
  return `ltrim(replace(${plain}, '.', ''), '+-0')`;
}

/** Whether a decimal has no more digits than so many. */
export function hasDigitsAtMost(text: string, max: number): string {
  return `length(rtrim(${digitsOf(partsOf(text).mantissa)}, '0')) <= ${max}`;
}

/** The key of a decimal's text. */
export function exactKey(text: string): string {
  const { mantissa, exponent } = partsOf(text);
  return `CASE WHEN ${hasExponent(text)} THEN ${keyOf(mantissa, `CAST(${exponent} AS INTEGER)`)} ELSE ${keyOf(text, '0')} END`;
}

function keyOf(plain: string, exponent: string): string {
  const digits = digitsOf(plain);
  const fraction = `max(length(${plain}) - instr(${plain} || '.', '.'), 0)`;
  const key = `printf('%07d', length(${digits}) - ${fraction} + ${exponent} + ${offset}) || rtrim(${digits}, '0')`;
  const falling = [...letters].reduce((inner, letter, digit) => `replace(${inner}, '${digit}', '${letter}')`, key);
  const below = `WHEN substr(${plain}, 1, 1) = '-' THEN '0' || ${falling} || '~'`;
  return `CASE WHEN ${digits} = '' THEN '${zero}' ${below} ELSE '2' || ${key} END`;
}
