/** Asks the origin, and keeps its answer where that is allowed. */
import type { Dependencies } from '../../shared/contract/dependencies.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import { edgeLimits } from '../limits.ts';
import { askOrigin } from '../origin-client/ask-origin.ts';
import { toForwardFault } from '../origin-client/forward-fault.ts';
import { discardReply } from '../origin-client/one-origin.ts';
import type { Reply } from '../origin-client/origin-client.ts';
import { bufferUpTo } from '../request/read-body.ts';
import type { Validated } from '../request/request.ts';
import { cacheable, fromEntry, keptHeaders, label, underCondition } from './answers.ts';
import { type Entry, isStorable, maySubstitute, type Outage } from './entry.ts';
import type { View } from './generations.ts';
import { askingOf, type Lookup } from './lookup.ts';

/** Why the origin is asked (RFC 9211 §2.2). */
export type ForwardReason = 'uri-miss' | 'stale' | 'request';

export interface Stored {
  readonly entry: Entry | undefined;
  /** The generations, which were asked for before the origin is. */
  readonly view: View | undefined;
}

export async function fill(request: Validated, lookup: Lookup, { entry, view }: Stored, reason: ForwardReason): Promise<Response> {
  // The client's own condition is met below: asked with it, the origin might answer with nothing to keep.
  const reply = await askOrigin(request, { ifMatch: undefined, ifNoneMatch: entry?.etag }).catch(toFault);
  if (entry !== undefined && reason !== 'request' && isAway(reply) && maySubstitute(entry, outageOf(request, lookup, view))) {
    if (!(reply instanceof Fault)) await discardReply(reply);
    return substitute(request, lookup, entry);
  }
  if (reply instanceof Fault) throw reply;
  const status = `fwd=${reason}; fwd-status=${reply.status}${whyUncached(reply)}`;
  const known = lookup.isStated ? await toStated(request, reply) : { view };
  const made = reply.status === 304 && entry !== undefined ? validated(reply, lookup, entry, known) : await toEntry(reply, lookup, known);
  if (made instanceof Response) {
    return labelled(cacheable(underCondition(made, request.preconditions.ifNoneMatch), lookup.isPublic), status);
  }
  if (made.stored) request.waitUntil(request.context.entries.store(lookup.key, made.entry));
  return labelled(fromEntry(request, lookup, made.entry), made.stored ? `${status}; stored` : status);
}

/** Whether the origin gave no answer, or one that says that there is none to be had (RFC 5861 §4). */
function isAway(reply: Reply | Fault): boolean {
  if (reply instanceof Fault) return ['origin_unavailable', 'deadline_exceeded', 'overloaded'].includes(reply.reason);
  return [500, 502, 503, 504].includes(reply.status);
}

/** What this isolate knows that speaks against an old answer. */
function outageOf({ context, demanded }: Validated, { resource, others, gone }: Lookup, view: View | undefined): Outage {
  const { generations, settings } = context;
  const written = [resource, ...others.map((other) => other.resource)].map(({ name }) => generations.lastWrite(name)).reduce(later);
  return { view, demanded, gone: gone && generations.peek(gone), written, staleMsMax: settings.staleIfErrorMs };
}

function later(left: Position | undefined, right: Position | undefined): Position | undefined {
  return left !== undefined && (right === undefined || reaches(left, right)) ? left : right;
}

/** The entry as an answer that was last known to be right: with its age, and marked, since it may not be right any more. */
function substitute(request: Validated, lookup: Lookup, entry: Entry): Response {
  const answer = fromEntry(request, lookup, entry);
  label(answer, 'fwd=stale; detail=stale-if-error', Date.now() - entry.validatedAt);
  return answer;
}

function labelled(answer: Response, status: string): Response {
  label(answer, status, 0);
  return answer;
}

/** What an answer may be kept beside. */
interface Known {
  /** `undefined`: it may not be kept. */
  readonly view: View | undefined;
  readonly dependencies?: Dependencies;
}

/**
 * Where only the answer says what it depends on, those generations are looked up behind it, and were perhaps asked for
 * before: one above the state that was read keeps it from being stored, and a later change differs from what lies beside it.
 */
async function toStated(request: Validated, { stated }: Reply): Promise<Known> {
  if (stated?.dependencies === undefined || stated.digest !== request.cached?.stated?.digest) return { view: undefined };
  const { dependencies } = stated;
  return { view: await request.context.generations.view(dependencies, askingOf(request)), dependencies };
}

/** Says so where the origin's answer depends on more than the database can tell of. */
function whyUncached({ stated }: Reply): string {
  return stated?.uncached === undefined ? '' : `; detail=${stated.uncached}`;
}

interface Made {
  readonly entry: Entry;
  readonly stored: boolean;
}

/** The origin says that the bytes are still right: they are answered, and believed for as long as the new state. */
function validated({ facts }: Reply, lookup: Lookup, entry: Entry, { view, ...stated }: Known): Made {
  if (facts === undefined || view === undefined || !isStorable(facts, lookup, view)) return { entry, stored: false };
  return {
    entry: { ...entry, ...stated, position: facts.position, generations: view.generations, validatedAt: Date.now(), rightAt: Date.now() },
    stored: true,
  };
}

/** The origin's answer as an entry, or passed on where it may not be kept or has too many bytes. */
async function toEntry(reply: Reply, lookup: Lookup, { view, ...stated }: Known): Promise<Made | Response> {
  const { status, headers, facts } = reply;
  const { etag } = headers;
  const kept = (status === 200 && etag !== undefined) || (status === 404 && lookup.keepsAbsence);
  const forbids = /\bno-store\b|\bprivate\b/i.test(headers['cache-control'] ?? '') || headers['set-cookie'] !== undefined;
  if (!kept || forbids || facts === undefined || view === undefined || !isStorable(facts, lookup, view)) {
    return new Response(reply.body, { status, headers });
  }
  const { position } = facts;
  const common = { ...stated, position, generations: view.generations, validatedAt: Date.now(), rightAt: Date.now(), etag };
  if (status === 404) return { entry: { ...common, status: 404, body: new Uint8Array(0), headers: [] }, stored: true };
  const body = await bufferUpTo(reply.body, edgeLimits.entryBytesMax).catch((cause: unknown) =>
    Promise.reject(toForwardFault({ mayBeDone: false, cause })),
  );
  if (!(body instanceof Uint8Array)) return new Response(body, { status, headers });
  return {
    entry: { ...common, status: 200, body, headers: Object.entries(headers).filter(([name]) => keptHeaders.has(name)) },
    stored: true,
  };
}
