/**
 * Numbers that no JavaScript number holds, and their exact order beside those that one does (SEMANTICS §4): 0.10 as a
 * Decimal128, and a Long past 2^53. An `Exact` is a JavaScript number, which stands for all its binary digits, or else the
 * one text of a decimal, `1E-1`: its significant digits and a power of ten. NaN and the infinities are texts, too: a cursor
 * is JSON.
 */
import { decimal128, parseWritten } from './shown-numbers.ts';

export type Exact = number | string;

/** `±0.digits × 10^end`, without zeros at either end of the digits; zero has none. */
export interface Decimal {
  readonly sign: 1 | -1;
  readonly digits: string;
  readonly end: number;
}

const canonical = /^-?[1-9]\d*E-?\d+$/;
const specials: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

export function isExactText(text: string): boolean {
  return canonical.test(text) || specials.has(text);
}

/** Any notation of a decimal; `undefined` for what is none, or is past the bounds of Decimal128. */
export function parseExact(text: string): Exact | undefined {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return specials.has(text) ? text : undefined;
  const number = toNumber(decimal);
  if (Number.isFinite(number) && compareDecimals(decimal, ofNumber(number)) === 0) return number;
  return isStorable(decimal) ? format(decimal) : undefined;
}

/** The same without NaN and the infinities, which nobody asks for. */
export function parseFinite(text: string): Exact | undefined {
  return specials.has(text) ? undefined : parseExact(text);
}

/**
 * What a client means that writes a number: the JavaScript number of which this is the shortest text, as JSON would show it,
 * or else the decimal itself. `undefined` as above.
 */
export function parseShown(text: string): Exact | undefined {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return undefined;
  const number = toNumber(decimal);
  const shown = Number.isFinite(number) ? parseDecimal(String(number)) : undefined;
  if (shown !== undefined && compareDecimals(decimal, shown) === 0) return number;
  return isStorable(decimal) ? format(decimal) : undefined;
}

/** The stored numbers that are shown as `value` is: itself, and the decimal of its shortest text where that is another. */
export function shownAs(value: Exact): readonly Exact[] {
  if (typeof value === 'string') return [value];
  const written = parseExact(String(value));
  return written === undefined || written === value ? [value] : [value, written];
}

/**
 * The stored numbers that are shown as a decimal which is itself alone: it, and the double whose shortest text it is, unless
 * another decimal equals that double.
 */
export function exactlyShownAs(value: Exact): readonly Exact[] {
  const double = Number(value);
  const isShown = Number.isFinite(double) && double !== value && parseExact(String(double)) === value;
  return isShown && !isStorable(ofNumber(double)) ? [value, double] : [value];
}

/**
 * The values by which a client finds a number that is shown so: what the text means to JavaScript, and the decimal that equals
 * it to the last digit, where that is another: 2^60 by 1152921504606847000 and by 1152921504606846976.
 */
export function askedAs(shown: Exact): readonly Exact[] {
  const value = typeof shown === 'string' ? parseExact(shown) : shown;
  if (value === undefined) return [shown];
  const all = typeof value === 'number' && Number.isFinite(value) ? format(ofNumber(value)) : String(value);
  const forms = [value, parseShown(String(shown)), parseShown(all)];
  return [...new Set(forms.filter((form) => form !== undefined))];
}

/** NaN comes first, as in MongoDB. */
export function compareExact(left: Exact, right: Exact): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [a, b] = [sizeOf(left), sizeOf(right)];
  if (typeof a === 'number' || typeof b === 'number') return Math.sign(toEnd(a) - toEnd(b));
  return compareDecimals(a, b);
}

/** `undefined` for NaN and the infinities. */
export function toParts(value: Exact): Decimal | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? ofNumber(value) : parseDecimal(String(value));
}

/** NaN, the infinities, or a decimal. */
function sizeOf(value: Exact): number | Decimal {
  return toParts(value) ?? (String(value) === 'NaN' ? -2 : String(value) === 'Infinity' ? 1 : -1);
}

function toEnd(size: number | Decimal): number {
  return typeof size === 'number' ? size : 0;
}

function parseDecimal(text: string): Decimal | undefined {
  const written = parseWritten(text);
  return written === undefined
    ? undefined
    : toDecimal(written.sign === '-' ? -1 : 1, written.digits, written.digits.length + written.exponent);
}

function toDecimal(sign: 1 | -1, digits: string, end: number): Decimal {
  let [zeros, behind] = [0, digits.length];
  while (digits[zeros] === '0') zeros++;
  // Not by `/0+$/`, which tries each zero within the digits anew: others may store a text of a million of them.
  while (behind > zeros && digits[behind - 1] === '0') behind--;
  const significant = digits.slice(zeros, behind);
  return significant === '' ? { sign: 1, digits: '', end: 0 } : { sign, digits: significant, end: end - zeros };
}

/** All of its digits: a double that is finite is a whole number times a power of two, so its decimals end. */
function ofNumber(value: number): Decimal {
  const sign = value < 0 ? -1 : 1;
  let [mantissa, twos] = [Math.abs(value), 0];
  // Exact: a double keeps its digits when it is doubled. Past 2^53 each is whole, below it becomes so in 1 074 steps at most.
  while (!Number.isInteger(mantissa)) [mantissa, twos] = [mantissa * 2, twos + 1];
  const digits = (BigInt(mantissa) * 5n ** BigInt(twos)).toString();
  return toDecimal(sign, digits, digits.length - twos);
}

function toNumber({ sign, digits, end }: Decimal): number {
  return digits === '' ? 0 : sign * Number(`0.${digits}e${end}`);
}

function isStorable({ digits, end }: Decimal): boolean {
  const { digitsMax, exponentMin, exponentMax } = decimal128;
  const exponent = end - digits.length;
  return digits.length <= digitsMax && exponent >= exponentMin && end - digitsMax <= exponentMax;
}

function format({ sign, digits, end }: Decimal): string {
  return `${sign < 0 ? '-' : ''}${digits}E${end - digits.length}`;
}

function compareDecimals(left: Decimal, right: Decimal): number {
  const [a, b] = [signOf(left), signOf(right)];
  if (a !== b || a === 0) return a - b;
  if (left.end !== right.end) return a * Math.sign(left.end - right.end);
  return left.digits === right.digits ? 0 : left.digits < right.digits ? -a : a;
}

function signOf({ sign, digits }: Decimal): number {
  return digits === '' ? 0 : sign;
}
