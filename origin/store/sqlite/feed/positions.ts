/** Positions of this engine: the log's sequence in 12 hex digits, so that order is the order of text, and the row's token in 8. */
import type { Position } from '../../../../shared/wire/position.ts';

export interface LogPosition {
  readonly seq: number;
  readonly token: string;
}

/** The end of the log, in the epoch that holds there. */
export interface LogEnd extends LogPosition {
  readonly epoch: string;
}

const positions = new WeakMap<LogEnd, Position>();

/** The same for all writes of one commit. */
export function toPosition(end: LogEnd): Position {
  const known = positions.get(end);
  if (known !== undefined) return known;
  const position = positionIn(end.epoch, end);
  positions.set(end, position);
  return position;
}

export function positionIn(epoch: string, { seq, token }: LogPosition): Position {
  return { epoch, order: seq.toString(16).padStart(12, '0') + token };
}

/** The parts of an order; `undefined` for one of another engine. */
export function parseOrder(order: string): LogPosition | undefined {
  const parts = /^([0-9a-f]{12})([0-9a-f]{8})$/.exec(order);
  return parts?.[1] === undefined || parts[2] === undefined ? undefined : { seq: Number.parseInt(parts[1], 16), token: parts[2] };
}
