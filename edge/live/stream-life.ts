/**
 * How long a live stream may go on: as long as the caller's token, an hour at most. Its head comes by the deadline of any
 * other answer. The origin ends it with `reconnect`; who comes back is identified again.
 */
import type { Context } from 'hono';
import type { EdgeEnv } from '../context.ts';

/** A token may be taken a few seconds past its end (clock skew): its stream is told to come back at once. */
const streamMsMin = 1_000;

/** `undefined` for what is no stream. */
export function streamMs(c: Context<EdgeEnv>, now: number): number | undefined {
  const { answers, msMax } = c.get('route').operation;
  if (answers !== 'moment') return undefined;
  const signedInUntil = c.get('signedInUntil') ?? Number.POSITIVE_INFINITY;
  return Math.max(streamMsMin, Math.min(msMax, signedInUntil - now));
}
