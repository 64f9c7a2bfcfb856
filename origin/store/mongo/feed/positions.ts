/**
 * A position of this engine: seconds and increment of a cluster time (8 hex digits each), the ordinal of a change
 * within that time (4) and a check (8). A transaction's events share one cluster time and keep their order.
 *
 *   change     ordinal 0…fffe   check: hash of its resume token; a restored history has another event there, or none
 *   time       ordinal ffff     "after everything of that time"; check: hash of epoch and time, so that it is ours
 *
 * The ordinal counts what the stream of our collections shows. When a resource is added it may shift inside old
 * transactions; the check then fails, and the reader hears that history is lost: safe, and rare.
 */
import { createHash } from 'node:crypto';
import { Timestamp } from 'mongodb';
import type { Position } from '../../../../shared/wire/position.ts';

export interface ClusterPosition {
  readonly time: Timestamp;
  readonly ordinal: number;
  readonly check: string;
}

/** The ordinal of a position after everything of its cluster time. */
export const afterAll = 0xffff;
/** A transaction of more events than this has no positions between its last ones. */
const ordinalMax = 0xfffe;

export function toTimePosition(epoch: string, time: Timestamp): Position {
  return { epoch, order: toTimeHex(time) + toHex(afterAll, 4) + toCheck(`${epoch} ${toTimeHex(time)}`) };
}

export function toChangePosition(
  epoch: string,
  event: { readonly time: Timestamp; readonly index: number; readonly token: string },
): Position {
  return { epoch, order: toTimeHex(event.time) + toHex(toOrdinal(event.index), 4) + toCheck(event.token) };
}

export function toOrdinal(index: number): number {
  return Math.min(index, ordinalMax);
}

/** Eight hex digits of a text's hash. */
function toCheck(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** The parts of a position; `undefined` where it is not of this engine, or names a time never given out under its epoch. */
export function parseOrder({ epoch, order }: Position): ClusterPosition | undefined {
  const parts = /^([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{8})$/.exec(order);
  const [, seconds, increment, ordinal, check] = parts ?? [];
  if (seconds === undefined || increment === undefined || ordinal === undefined || check === undefined) return undefined;
  const time = new Timestamp({ t: Number.parseInt(seconds, 16), i: Number.parseInt(increment, 16) });
  const parsed = { time, ordinal: Number.parseInt(ordinal, 16), check };
  return parsed.ordinal === afterAll && order !== toTimePosition(epoch, time).order ? undefined : parsed;
}

/** Resume tokens begin with the type byte of a timestamp and the cluster time, big-endian. */
export function timeOfToken(token: unknown): Timestamp {
  const data = tokenText(token);
  const parts = /^82([0-9A-Fa-f]{8})([0-9A-Fa-f]{8})/.exec(data);
  if (parts?.[1] === undefined || parts[2] === undefined) throw new Error(`a resume token without a cluster time: ${data.slice(0, 40)}`);
  return new Timestamp({ t: Number.parseInt(parts[1], 16), i: Number.parseInt(parts[2], 16) });
}

export function tokenText(token: unknown): string {
  const data = typeof token === 'object' && token !== null && '_data' in token ? token._data : undefined;
  if (typeof data !== 'string') throw new Error('a resume token without _data');
  return data;
}

function toTimeHex(time: Timestamp): string {
  return toHex(time.getHighBitsUnsigned(), 8) + toHex(time.getLowBitsUnsigned(), 8);
}

function toHex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
