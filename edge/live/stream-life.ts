/**
 * How long a request may take, at the edge and at the origin. They are one deadline for all but change feeds:
 * a feed's head must come like any other answer, and its stream then lives as long as the caller's token, an
 * hour at most. The origin ends it with `reconnect`; who comes back is identified again.
 */
import type { Context } from 'hono';
import { limits } from '../../shared/contract/limits.ts';
import type { EdgeEnv } from '../context.ts';

/** A token may be taken a few seconds past its end (clock skew): its stream is told to come back at once. */
const streamMsMin = 1_000;

/** What the hop tells the origin in `tombolo-deadline`. */
export function originMs(c: Context<EdgeEnv>, now: number): number {
  if (c.get('route').operation.answers !== 'moment') return Math.max(0, c.get('deadlineAt') - now);
  const signedInUntil = c.get('signedInUntil') ?? Number.POSITIVE_INFINITY;
  return Math.max(streamMsMin, Math.min(limits.streamMsMax, signedInUntil - now));
}

/** Aborts the hop at the request's deadline; of a feed, only while its head has not come. */
export function headSignal(c: Context<EdgeEnv>, now: number): { readonly signal: AbortSignal; readonly headArrived: () => void } {
  const ms = Math.max(1, c.get('deadlineAt') - now);
  if (c.get('route').operation.answers !== 'moment') return { signal: AbortSignal.timeout(ms), headArrived: () => undefined };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, headArrived: () => clearTimeout(timer) };
}
