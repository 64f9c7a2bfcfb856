/**
 * Values as they travel, and their one order (SEMANTICS §5). Both engines, the cursor and the merge of
 * branches agree on this file; MongoDB's brackets are its model.
 */
import { compareExact, exactlyShownAs, isExactText, parseFinite, shownAs } from './exact-numbers.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
export type Scalar = string | number | boolean;

/** Brackets in order. `other` (arrays and objects, which others may have written) has no order inside. */
export const ranks = { null: 0, number: 1, string: 2, other: 3, objectId: 4, boolean: 5, instant: 6 } as const;

/** A sort key as it is indexed: its bracket, and a value comparable within it (0 where there is none). */
export interface SortValue {
  readonly rank: number;
  readonly value: string | number;
}

export type ScalarKind =
  | 'string' | 'uuid' | 'number' | 'integer' | 'decimal' | 'long' | 'boolean' | 'instant' | 'objectId' | 'binary';

export type NumberKind = 'number' | 'integer' | ExactKind;

/** Numbers of which every digit is meant, also where they travel as text. */
export type ExactKind = 'decimal' | 'long';

export function isNumeric(kind: string): kind is NumberKind {
  return kind === 'number' || kind === 'integer' || isExactKind(kind);
}

export function isExactKind(kind: string): kind is ExactKind {
  return kind === 'decimal' || kind === 'long';
}

/**
 * `kind` tells a string that is an instant, an ObjectId or an exact number from one that is only a string. A UUID is ordered
 * as the string that it is.
 */
export function toSortValue(value: Json | undefined, kind: ScalarKind): SortValue {
  if (value === null || value === undefined) return { rank: ranks.null, value: 0 };
  if (typeof value === 'number') return { rank: ranks.number, value };
  if (typeof value === 'boolean') return { rank: ranks.boolean, value: value ? 1 : 0 };
  if (typeof value !== 'string') return { rank: ranks.other, value: 0 };
  const number = isExactKind(kind) ? parseFinite(value) : isNumeric(kind) && isExactText(value) ? value : undefined;
  if (number !== undefined) return { rank: ranks.number, value: number };
  if (kind === 'instant' && isInstant(value)) return { rank: ranks.instant, value };
  if (kind === 'objectId' && isObjectId(value)) return { rank: ranks.objectId, value };
  return { rank: ranks.string, value };
}

/** The stored values that equal one that is asked for: several numbers may be shown alike. */
export function formsOf(value: Scalar, kind: ScalarKind): readonly Scalar[] {
  if (!isNumeric(kind) || typeof value === 'boolean') return [value];
  return isExactKind(kind) ? exactlyShownAs(value) : shownAs(value);
}

export function compareSortValues(left: SortValue, right: SortValue): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  if (left.rank === ranks.number) return compareExact(left.value, right.value);
  if (left.rank === ranks.instant && (isFar(left.value) || isFar(right.value))) {
    return msOf(String(left.value)) - msOf(String(right.value));
  }
  if (typeof left.value === 'string' && typeof right.value === 'string') return compareUtf8(left.value, right.value);
  return Number(left.value) - Number(right.value);
}

/** Whether the year takes a sign and more than four digits: other programs can write such dates into MongoDB. */
function isFar(instant: string | number): boolean {
  return typeof instant === 'string' && (instant.startsWith('+') || instant.startsWith('-'));
}

function msOf(instant: string): number {
  return isFarMs(instant) ? Number(instant) : Date.parse(instant);
}

/** Whether it is the milliseconds of a date that JavaScript has none for. */
export function isFarMs(instant: string): boolean {
  return /^[+-]\d+$/.test(instant);
}

/** Order of UTF-8 bytes. JavaScript compares UTF-16 units, which puts U+FFFF after U+10000. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** RFC 3339, UTC, milliseconds: the one canonical form of an instant on the wire. */
export function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
}

let last = { ms: Number.NaN, text: '' };

/** A moment, in milliseconds of the epoch, in that form. All that one turn writes is of one moment, which is formatted once. */
export function instantAt(ms: number): string {
  if (ms !== last.ms) last = { ms, text: new Date(ms).toISOString() };
  return last.text;
}

const day = /^\d{4}-\d\d-\d\d$/;
const dayAndTime = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339 with any offset, or a day, as its canonical form; `undefined` for what is no moment of the years 0001 to 9999 in UTC. */
export function toInstant(text: string): string | undefined {
  const date = day.test(text) ? text : dayAndTime.exec(text)?.[1];
  // JavaScript reads 30 February as 2 March.
  if (date === undefined || !isDay(date)) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) return undefined;
  const canonical = new Date(time).toISOString();
  return isInstant(canonical) && canonical >= '0001' ? canonical : undefined;
}

function isDay(date: string): boolean {
  const time = Date.parse(date);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

/** Any spelling of a UUID as its one form here, in lower case (RFC 9562 §4); `undefined` for what is none. */
export function toUuid(text: string): string | undefined {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : undefined;
}

export function isObjectId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text);
}

/** `undefined` where only the prototype has such a member. */
export function ownOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** It shares nothing with the value, all the way down. `structuredClone` takes twenty times as long. */
export function copyOf<Value extends Json>(value: Value): Value;
export function copyOf(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (!isJsonObject(value)) return value.map((each) => copyOf(each));
  // What it has of its own, `__proto__` too, it has before it is written to.
  const copy: Record<string, Json> = { ...value };
  for (const [name, inner] of Object.entries(copy)) if (typeof inner === 'object') copy[name] = copyOf(inner);
  return copy;
}
