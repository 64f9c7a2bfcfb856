/**
 * How long a live stream may go on: as long as the caller's token and their version, an hour at most. Its head comes by the
 * deadline of any other answer. The origin ends it with `reconnect`; who comes back is identified again, or told that the
 * version is gone.
 */
import type { Validated } from '../request/request.ts';

/** A token may be taken a few seconds past its end (clock skew): its stream is told to come back at once. */
const streamMsMin = 1_000;

/** `undefined` for what is no stream. */
export function streamMs(
  { route: { operation }, signedInUntil = Number.POSITIVE_INFINITY, speech }: Pick<Validated, 'route' | 'signedInUntil' | 'speech'>,
  now: number,
): number | undefined {
  if (operation.answers !== 'moment') return undefined;
  const until = Math.min(signedInUntil, speech?.version.sunsetAt ?? Number.POSITIVE_INFINITY);
  return Math.max(streamMsMin, Math.min(operation.msMax, until - now));
}
