/**
 * Two texts that the origin hands to clients and believes again only with its MAC: positions
 * (`Tombolo-Position`), and cursors (`after=`), which clients cannot read.
 */
import { type EventId, formatEventId, parseEventId } from '../shared/wire/event-id.ts';
import { Fault } from '../shared/wire/fault.ts';
import { type Position, positionPurpose } from '../shared/wire/position.ts';
import type { HopKey } from '../shared/hop/keys.ts';
import { isEqualText } from '../shared/wire/equal-text.ts';
import { limits } from '../shared/wire/limits.ts';
import { ranks, type SortValue } from '../shared/wire/values.ts';
import { areWhole, type CursorKey, withDigests } from './cursor-keys.ts';
import { enciphered, hmac } from './hop/hmac.ts';

/** 128 bits are enough for a MAC that an attacker can only try online (RFC 2104 §5). */
const macBytes = 16;

export function signPosition(position: Position, key: HopKey, stream?: string): string {
  const text = formatEventId({ position, stream });
  return `${text}.${positionMac(text, key)}`;
}

const signed = new WeakMap<Position, { readonly key: HopKey; readonly token: string }>();

/** All writes of one commit are told of one position. */
export function signWritten(position: Position, key: HopKey): string {
  const known = signed.get(position);
  if (known?.key === key) return known.token;
  const token = signPosition(position, key);
  signed.set(position, { key, token });
  return token;
}

/** What a token says that one of our keys signed. */
export function verifyPosition(token: string, keys: readonly HopKey[]): EventId | undefined {
  const end = token.lastIndexOf('.');
  const text = token.slice(0, Math.max(end, 0));
  return keys.some((key) => isEqualText(token.slice(end + 1), positionMac(text, key))) ? parseEventId(text) : undefined;
}

function positionMac(text: string, key: HopKey): string {
  return hmac(key, `${positionPurpose} ${text}`).subarray(0, macBytes).toString('base64url');
}

/** Where a page ends and which way the reader goes on from it. */
export interface Cursor {
  /** None: the end of the list from which this way leads. */
  readonly keys: readonly CursorKey[];
  readonly backwards: boolean;
}

/** The last page. */
export const atEnd: Cursor = { keys: [], backwards: true };

/** Whether the reader has come from somewhere, and can go back there: where nothing is left, from the end that is nearest. */
export function hasPagesBefore(cursor: Cursor | undefined): boolean {
  return cursor !== undefined && cursor.keys.length > 0;
}

/**
 * Nobody reads in a cursor where the page ended: an order walks what is stored, also where the document's branch of a union
 * names no such field and nobody is shown it. The MAC of what it says is what it is enciphered under (the construction of
 * RFC 5297 §2.6), so that one page has one cursor, and one ETag.
 */
export function signCursor(cursor: Cursor, boundTo: string, key: HopKey): string {
  const padded = cursorBytes(cursor) ?? cursorBytes({ ...cursor, keys: withDigests(cursor.keys) });
  if (padded === undefined) {
    const detail = 'the page ends at a document whose id is too long for a cursor; another limit or another order ends it elsewhere';
    throw new Fault('query_not_served', { detail });
  }
  const mac = cursorMac(padded, boundTo, key);
  return `${enciphered(key, mac, padded).toString('base64url')}.${mac.toString('base64url')}`;
}

/** `undefined`: it would be longer than whoever reads it takes. */
function cursorBytes({ keys, backwards }: Cursor): Buffer | undefined {
  const pairs = keys.map((key) => ('digest' in key ? [ranks.string, [key.digest]] : [key.rank, mustKeep(key.value)]));
  const text = Buffer.from(JSON.stringify([backwards ? 1 : 0, ...pairs.flat()]));
  const length = Math.ceil(text.length / cursorBlockBytes) * cursorBlockBytes;
  if (base64Length(length) + 1 + base64Length(macBytes) > limits.cursorCharactersMax) return undefined;
  const padded = Buffer.alloc(length, ' ');
  text.copy(padded);
  return padded;
}

function base64Length(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

/** JSON makes null of the rest, and a page that begins there is another one. */
function mustKeep(value: string | number): string | number {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${value} is in no cursor`);
  return value;
}

/** `boundTo` names the query and the scope: a cursor of another query, or of another's rights, is refused. */
export function mustCursor(token: string, boundTo: string, keys: readonly HopKey[]): Cursor {
  const text = keys.map((key) => openedCursor(token, boundTo, key)).find((opened) => opened !== undefined);
  if (text === undefined) throw cursorRefused('not a cursor of this query', 'use the cursor of a page of the same query');
  const [backwards, ...flat] = JSON.parse(text) as (string | number | readonly [string])[];
  const keysRead: CursorKey[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const value = flat[index + 1] ?? 0;
    keysRead.push(typeof value === 'object' ? { digest: value[0] } : { rank: Number(flat[index]), value });
  }
  return { keys: keysRead, backwards: backwards === 1 };
}

/** A cursor has whole blocks, so that its length tells little of the values. */
const cursorBlockBytes = 48;

function openedCursor(token: string, boundTo: string, key: HopKey): string | undefined {
  const [sealed = '', mac = '', ...more] = token.split('.');
  const [bytes, counter] = [Buffer.from(sealed, 'base64url'), Buffer.from(mac, 'base64url')];
  // Decoding passes over what is no base64url, and a cursor has one name.
  if (more.length > 0 || counter.length !== macBytes || bytes.toString('base64url') !== sealed) return undefined;
  const padded = enciphered(key, counter, bytes);
  return isEqualText(mac, cursorMac(padded, boundTo, key).toString('base64url')) ? padded.toString() : undefined;
}

export function cursorRefused(why: string, whatToDo = why): Fault {
  return new Fault('cursor_invalid', { detail: `after: ${why}`, errors: [{ at: 'after', in: 'query', detail: whatToDo }] });
}

/** Of a list whose keys are never so long that digests stand for them. */
export function mustWholeKeys({ keys }: Cursor): readonly SortValue[] {
  if (!areWhole(keys)) throw cursorOutdated();
  return keys;
}

export function cursorOutdated(): Fault {
  return cursorRefused('the text that its page ended at is not there any more', 'begin again, from the first page or the last');
}

function cursorMac(padded: Buffer, boundTo: string, key: HopKey): Buffer {
  return hmac(key, `tombolo-cursor ${boundTo}\n${padded.toString('latin1')}`).subarray(0, macBytes);
}
