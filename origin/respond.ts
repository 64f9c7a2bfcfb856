/** The one place that decides what leaves the origin: the HTTP of answers and refusals. */
import { Fault } from '../shared/wire/fault.ts';
import type { Principal } from '../shared/wire/principal.ts';
import { problemMediaType, toProblem, toProblemHeaders } from '../shared/wire/problem.ts';
import { deferredLimits } from '../shared/deferred/limits.ts';
import { deferred } from '../shared/deferred/resource.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { scopeDigest, scopeOf } from '../shared/contract/scope.ts';
import { type Covered, hopRefusalHeader, readHeader } from '../shared/hop/profile.ts';
import { loadHeader } from '../shared/operations/load-level.ts';
import { dependsHeader, formatStatedReads } from '../shared/hop/stated-reads.ts';
import { formatReadFacts, type ReadFacts, type ResourceRead } from '../shared/hop/read-facts.ts';
import type { Answer, Asked, Outcome } from './call.ts';
import type { Context } from './context.ts';
import { type AnswerSigning, coveredOf, signAnswer, signCovered } from './hop/sign.ts';
import type { VerifiedHop } from './hop/verify.ts';
import type { Reply } from './reply.ts';
import { signWritten } from './tokens.ts';
import type { Watched } from './watched.ts';

const statuses: Readonly<Record<Outcome, number>> = {
  found: 200, unchanged: 304, absent: 404, created: 201, written: 200, removed: 204, streaming: 200, accepted: 202,
};

export function respond(context: Context, hop: VerifiedHop, asked: Asked, answer: Answer): Response {
  const { status, headers, body } = toStatedReply(hop, asked, answer);
  tellLoad(context, headers);
  signAnswer(headers, status, hop.answers, context.now());
  return new Response(hop.method === 'HEAD' ? null : body, { status, headers });
}

/** So that the edge asks less for a while. Answers that are kept cost nothing, and do not say it. */
function tellLoad({ load: { level } }: Context, headers: Record<string, string>): void {
  if (level > 0) headers[loadHeader] = String(level);
}

/** What is neither a state nor an answer of an operation, as it was given. */
export function respondReply(context: Context, hop: VerifiedHop, { status, headers, body }: Reply): Response {
  const signed = { ...headers };
  tellLoad(context, signed);
  signAnswer(signed, status, hop.answers, context.now());
  return new Response(body, { status, headers: signed });
}

function toStatedReply(target: Target, asked: Asked, answer: Answer): Reply {
  const reply = toReply(target, asked, answer);
  const { headers, facts, stated } = reply;
  if (facts !== undefined) headers[readHeader] = formatReadFacts(facts);
  if (stated !== undefined) headers[dependsHeader] = formatStatedReads(stated);
  return reply;
}

interface Given extends Target {
  readonly reply: Reply;
  readonly covered: Covered;
}

/** What was given of answers that are kept, for who asks in the same words: all but the signature stays as it was. */
const given = new WeakMap<Answer, Given>();

/** Responds with an answer that is given often, to requests that differ in nothing but who asks for the same. */
export function respondAgain(context: Context, hop: VerifiedHop, asked: Asked, answer: Answer): Response {
  const known = given.get(answer);
  const isSame = known !== undefined && known.path === hop.path && known.query === hop.query;
  const { reply, covered } = isSame ? known : giveFirst(hop, asked, answer);
  const headers = { ...reply.headers };
  signCovered(headers, covered, hop.answers, context.now());
  return new Response(hop.method === 'HEAD' ? null : reply.body, { status: reply.status, headers });
}

function giveFirst({ path, query }: Target, asked: Asked, answer: Answer): Given {
  const reply = toStatedReply({ path, query }, asked, answer);
  const first = { path, query, reply, covered: coveredOf(reply.headers, reply.status) };
  given.set(answer, first);
  return first;
}

/** What was asked for, as it was sent. */
type Target = Pick<VerifiedHop, 'path' | 'query'>;

export function toReply(target: Target, asked: Asked, answer: Answer): Reply {
  const headers = toHeaders(target, asked, answer);
  if (answer.writtenAt !== undefined) headers['tombolo-position'] = signWritten(answer.writtenAt, asked.tokenKey);
  return { status: statuses[answer.outcome], headers, body: toBody(asked, answer), facts: toFacts(asked, answer), stated: answer.stated };
}

function toFacts(asked: Asked, { readAt, stated, alsoRead = [] }: Answer): ReadFacts | undefined {
  if (readAt === undefined) return undefined;
  const reader = stated?.reader ?? asked.principal;
  const others = alsoRead.map((other) => ({ name: other.name, ...toResourceRead(other, reader) }));
  return { position: readAt, ...toResourceRead(asked.resource, reader), others };
}

function toResourceRead(resource: Resource, principal: Principal): ResourceRead {
  return { resourceDigest: resource.digest, scopeDigest: scopeDigest(scopeOf(resource, principal)) };
}

function toHeaders(target: Target, { resource }: Asked, answer: Answer): Record<string, string> {
  const { outcome, etag, mediaType, createdId, deferredId, pages } = answer;
  const headers: Record<string, string> = {};
  if (etag !== undefined) headers['etag'] = etag;
  if (outcome === 'absent') headers['content-type'] = problemMediaType;
  else if (mediaType !== undefined) headers['content-type'] = mediaType;
  // Below the version that was asked in.
  const version = target.path.split('/', 2).join('/');
  if (createdId !== undefined) headers['location'] = `${version}/${resource.name}/${encodeURIComponent(createdId)}`;
  if (deferredId !== undefined) Object.assign(headers, toDeferredHeaders(`${version}/${deferred.name}/${deferredId}`));
  const link = pages === undefined ? '' : toLink(target, pages);
  if (link !== '') headers['link'] = link;
  // Proxies that buffer would hold a stream back until it ends.
  if (outcome === 'streaming') Object.assign(headers, { 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  return headers;
}

/** RFC 7240 §3, RFC 9110 §15.3.3. */
function toDeferredHeaders(location: string): Record<string, string> {
  const retryAfter = String(deferredLimits.retryAfterSeconds);
  return { location, 'preference-applied': 'respond-async', 'retry-after': retryAfter, 'cache-control': 'no-store' };
}

/** Absence is an answer, not a throw: the edge may keep it, since it depends on the document's key like any other. */
function toBody(asked: Asked, { outcome, body }: Answer): NonNullable<Answer['body']> | null {
  return outcome === 'absent' ? JSON.stringify(toProblem(new Fault('document_not_found'), asked)) : (body ?? null);
}

type Pages = NonNullable<Answer['pages']>;

/** The links of pages, each with the request that it was made for: a page that is kept is mostly asked for in the same words. */
const links = new WeakMap<Pages, Target & { readonly link: string }>();

/** The `Link` of a page (RFC 8288); the targets are relative to the request's own. */
function toLink({ path, query }: Target, pages: Pages): string {
  const known = links.get(pages);
  if (known?.path === path && known.query === query) return known.link;
  const search = new URLSearchParams(query);
  const target = (rel: string, after: string | undefined, page?: string) => {
    search.delete('after');
    search.delete('page');
    if (after !== undefined) search.set('after', after);
    if (page !== undefined) search.set('page', page);
    return `<${path}${search.size === 0 ? '' : `?${search}`}>; rel="${rel}"`;
  };
  const onwards = pages.next === undefined ? [] : [target('next', pages.next), target('last', undefined, 'last')];
  const back = pages.prev === undefined ? [] : [target('prev', pages.prev), target('first', undefined)];
  const link = [...onwards, ...back].join(', ');
  links.set(pages, { path, query, link });
  return link;
}

/** `signing` is absent where the request named no nonce to bind the answer to. */
export function respondFault(context: Context, fault: Fault, watched: Watched, signing: AnswerSigning | undefined): Response {
  const { status, headers, body } = toRefusal(fault, watched);
  if (signing !== undefined) {
    if (fault.reason.startsWith('hop_')) headers[hopRefusalHeader] = fault.reason;
    tellLoad(context, headers);
    signAnswer(headers, status, signing, context.now());
  }
  return new Response(body, { status, headers });
}

/** A refusal as a problem document; what is ours to mend is logged in full, under the id that the client sees. */
export function toRefusal(fault: Fault, watched: Watched): Reply {
  const body = JSON.stringify(toProblem(fault, watched.trace));
  return watched.refused({ status: fault.status, headers: toProblemHeaders(fault), body, facts: undefined, stated: undefined }, fault);
}
