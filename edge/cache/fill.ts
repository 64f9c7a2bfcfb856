/** Asks the origin, and keeps its answer where that is allowed. */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import type { EdgeEnv } from '../context.ts';
import { toForwardFault } from '../origin-client/forward-fault.ts';
import { edgeLimits } from '../limits.ts';
import type { Next } from '../path.ts';
import { bufferUpTo } from '../read-body.ts';
import { cacheable, fromEntry, keptHeaders, label, underCondition } from './answers.ts';
import { type Entry, isStorable, maySubstitute, type Outage } from './entry.ts';
import type { View } from './generations.ts';
import type { Plan } from './plan.ts';

/** Why the origin is asked (RFC 9211 §2.2). */
export type ForwardReason = 'uri-miss' | 'stale' | 'request';

export interface Stored {
  readonly entry: Entry | undefined;
  /** Asked for before the origin is. */
  readonly view: View | undefined;
}

export async function fill(c: Context<EdgeEnv>, plan: Plan, { entry, view }: Stored, reason: ForwardReason, next: Next): Promise<Response> {
  const { ifNoneMatch, after } = c.get('conditions');
  // The client's own condition is met below: asked with it, the origin might answer with nothing to keep.
  c.set('conditions', { after, ifNoneMatch: entry?.etag });
  const answer = await next();
  if (entry !== undefined && reason !== 'request' && isAway(c, answer) && maySubstitute(entry, outageOf(c, plan, view))) {
    await answer.body?.cancel();
    return substitute(c, plan, entry, ifNoneMatch);
  }
  if (c.error !== undefined) return answer;
  const status = `fwd=${reason}; fwd-status=${answer.status}`;
  const made = answer.status === 304 && entry !== undefined ? validated(c, plan, entry, view) : await toEntry(c, plan, answer, view);
  if (made instanceof Response) return given(cacheable(underCondition(made, ifNoneMatch), plan.isPublic), status);
  if (made.stored) c.executionCtx.waitUntil(c.get('context').entries.store(plan.key, made.entry));
  return given(fromEntry(c, plan, made.entry, ifNoneMatch), made.stored ? `${status}; stored` : status);
}

/** No answer, or one that says that there is none to be had (RFC 5861 §4). */
function isAway(c: Context<EdgeEnv>, { status }: Response): boolean {
  if (c.error instanceof Fault) return c.error.reason === 'origin_unavailable' || c.error.reason === 'deadline_exceeded';
  return [500, 502, 503, 504].includes(status);
}

/** What this isolate knows that speaks against an old answer. */
function outageOf(c: Context<EdgeEnv>, { resource, gone }: Plan, view: View | undefined): Outage {
  const { generations, settings } = c.get('context');
  return {
    view, gone: gone && generations.peek(gone), written: generations.lastWrite(resource.name),
    demanded: c.get('conditions').after, staleMsMax: settings.staleIfErrorMs,
  };
}

/** What was last known to be right, with its age, and marked: it may not be right any more. */
function substitute(c: Context<EdgeEnv>, plan: Plan, entry: Entry, ifNoneMatch: string | undefined): Response {
  const answer = fromEntry(c, plan, entry, ifNoneMatch);
  label(answer, 'fwd=stale; detail=stale-if-error', Date.now() - entry.validatedAt);
  return answer;
}

function given(answer: Response, status: string): Response {
  label(answer, status, 0);
  return answer;
}

interface Made {
  readonly entry: Entry;
  readonly stored: boolean;
}

/** The origin says that the bytes are still right: they are answered, and believed for as long as the new state. */
function validated(c: Context<EdgeEnv>, { resource, scope }: Plan, entry: Entry, view: View | undefined): Made {
  const facts = c.get('facts');
  if (facts === undefined || view === undefined || !isStorable(facts, resource, scope, view)) return { entry, stored: false };
  return { entry: { ...entry, position: facts.position, generations: view.generations, validatedAt: Date.now(), rightAt: Date.now() }, stored: true };
}

/** The origin's answer as an entry, or as it stands when it may not be kept. */
async function toEntry(c: Context<EdgeEnv>, { resource, scope, keepsAbsence }: Plan, answer: Response, view: View | undefined): Promise<Made | Response> {
  const facts = c.get('facts');
  const kept = (answer.status === 200 && answer.headers.has('etag')) || (answer.status === 404 && keepsAbsence);
  const forbids = /\bno-store\b|\bprivate\b/i.test(answer.headers.get('cache-control') ?? '') || answer.headers.has('set-cookie');
  if (!kept || forbids || facts === undefined || view === undefined || !isStorable(facts, resource, scope, view)) return answer;
  const { position } = facts;
  const common = { position, generations: view.generations, validatedAt: Date.now(), rightAt: Date.now(), etag: answer.headers.get('etag') ?? undefined };
  if (answer.status === 404) return { entry: { ...common, status: 404, body: new Uint8Array(0), headers: [] }, stored: true };
  const body = await bufferUpTo(answer.body, edgeLimits.entryBytesMax).catch((cause: unknown) => Promise.reject(toForwardFault({ mayBeDone: false, cause })));
  if (!(body instanceof Uint8Array)) return new Response(body, answer);
  return { entry: { ...common, status: 200, body, headers: [...answer.headers].filter(([name]) => keptHeaders.has(name)) }, stored: true };
}
