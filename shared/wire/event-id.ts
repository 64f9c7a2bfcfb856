/**
 * What a signed token of the feed says; the token is this text, a dot, and the MAC of it in base64url. A stream that
 * was opened with a ticket names itself in the ids of its events, so that the ticket opens this very stream again
 * for whoever has heard one of them, and nothing for whoever has seen the ticket alone.
 *
 *   <epoch>.<order>            a position: of any stream, and `Tombolo-Position`
 *   <epoch>.<order>.<stream>   the same, given to the stream of a ticket
 *   start.<stream>             given to the stream of a ticket that has no position yet: the origin was away
 */
import { formatPosition, parsePosition, type Position } from './position.ts';

export interface EventId {
  /** Absent: from where the request says, or from now. */
  readonly position: Position | undefined;
  readonly stream: string | undefined;
}

export function formatEventId({ position, stream }: EventId): string {
  return [position === undefined ? 'start' : formatPosition(position), ...(stream === undefined ? [] : [stream])].join('.');
}

/** The position, or `start`, and the name of the stream. */
const form = /^(start|[^.]+\.[^.]+)(?:\.([A-Za-z0-9_-]{22}))?$/;

export function parseEventId(text: string): EventId | undefined {
  const [, at = '', stream] = form.exec(text) ?? [];
  if (at === 'start') return stream === undefined ? undefined : { position: undefined, stream };
  const position = parsePosition(at);
  return position === undefined ? undefined : { position, stream };
}
