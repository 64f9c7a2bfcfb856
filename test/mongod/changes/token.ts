// Resume tokens: a place in the log, as hex that orders as the places do.
//
//   82 seconds(8) ordinal(8) 2b operation(6) step(2) fragment(4) kind(2) uuid(32)
//
// A `mark` names a time between events; an `event` names one event, an `invalidate` the end of a stream.
import { fail } from '../errors.ts';
import { type Doc, isDoc } from '../values/types.ts';

export type Token = { at: number; operation: number; step: number; fragment: number; kind: 'mark' | 'event' | 'invalidate'; uuid: string };

const ORDINALS = 2 ** 22;
const KINDS = ['mark', 'event', 'invalidate'] as const;
const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

export function toToken({ at, operation, step, fragment, kind, uuid }: Token): Doc {
  const time = hex(Math.floor(at / ORDINALS), 8) + hex(at % ORDINALS, 8);
  return { _data: `82${time}2b${hex(operation, 6)}${hex(step, 2)}${hex(fragment, 4)}${hex(KINDS.indexOf(kind), 2)}${uuid.padStart(32, '0')}`.toUpperCase() };
}

export const markAt = (at: number): Token => ({ at, operation: 0, step: 0, fragment: 0, kind: 'mark', uuid: '' });

export function parseToken(value: unknown): Token {
  const data = isDoc(value) ? value['_data'] : undefined;
  if (!isDoc(value)) throw fail('TypeMismatch', "BSON field '$changeStream.resumeAfter' is the wrong type, expected type 'object'");
  if (typeof data !== 'string') throw fail(40649, 'value of _data in resume token is invalid or missing');
  const parts = /^82([0-9a-f]{8})([0-9a-f]{8})2b([0-9a-f]{6})([0-9a-f]{2})([0-9a-f]{4})0([0-2])([0-9a-f]{32})$/i.exec(data);
  if (!parts) throw fail('InvalidResumeToken', 'resume token string was not a valid token of this server');
  const [, seconds, ordinal, operation, step, fragment, kind, uuid] = parts as unknown as [string, string, string, string, string, string, string, string];
  const number = (text: string): number => parseInt(text, 16);
  return { at: number(seconds) * ORDINALS + number(ordinal), operation: number(operation), step: number(step), fragment: number(fragment), kind: KINDS[number(kind)] as Token['kind'], uuid: uuid.toLowerCase() };
}

export const isSamePlace = (a: Token, b: Token): boolean => a.at === b.at && a.operation === b.operation && a.step === b.step && a.kind === b.kind && a.uuid.padStart(32, '0') === b.uuid.padStart(32, '0');
