/**
 * How long a live stream may go on: as long as the caller's token, an hour at most. Its head comes by the deadline of any
 * other answer. The origin ends it with `reconnect`; who comes back is identified again.
 */
import type { Validated } from '../request/request.ts';

/** A token may be taken a few seconds past its end (clock skew): its stream is told to come back at once. */
const streamMsMin = 1_000;

/** `undefined` for what is no stream. */
export function streamMs(
  { route: { operation }, signedInUntil = Number.POSITIVE_INFINITY }: Pick<Validated, 'route' | 'signedInUntil'>,
  now: number,
): number | undefined {
  if (operation.answers !== 'moment') return undefined;
  return Math.max(streamMsMin, Math.min(operation.msMax, signedInUntil - now));
}
