/** The one place that decides what leaves the origin: the HTTP of answers and refusals. */
import { Fault, levelOf } from '../shared/wire/fault.ts';
import type { Principal } from '../shared/wire/principal.ts';
import { problemMediaType, toProblem, toProblemHeaders } from '../shared/wire/problem.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { scopeDigest, scopeOf } from '../shared/contract/scope.ts';
import { hopRefusalHeader, readHeader } from '../shared/hop/profile.ts';
import { dependsHeader, formatStatedReads } from '../shared/hop/stated-reads.ts';
import { formatReadFacts, type ResourceRead } from '../shared/hop/read-facts.ts';
import type { Answer, Asked, Outcome } from './call.ts';
import type { Context } from './context.ts';
import { type AnswerSigning, signAnswer } from './hop/sign.ts';
import type { Trace } from './hop/trace.ts';
import type { VerifiedHop } from './hop/verify.ts';
import { signPosition } from './tokens.ts';

const statuses: Readonly<Record<Outcome, number>> = {
  found: 200, unchanged: 304, absent: 404, created: 201, written: 200, removed: 204, streaming: 200,
};

export function respond(context: Context, hop: VerifiedHop, asked: Asked, answer: Answer): Response {
  const status = statuses[answer.outcome];
  const headers = toHeaders(context, hop, asked, answer);
  if (answer.writtenAt !== undefined) headers['tombolo-position'] = signPosition(answer.writtenAt, asked.tokenKey);
  if (answer.readAt !== undefined) {
    const reader = answer.stated?.reader ?? asked.principal;
    const others = (answer.alsoRead ?? []).map((other) => ({ name: other.name, ...toResourceRead(other, reader) }));
    headers[readHeader] = formatReadFacts({ position: answer.readAt, ...toResourceRead(asked.resource, reader), others });
  }
  if (answer.stated !== undefined) headers[dependsHeader] = formatStatedReads(answer.stated);
  signAnswer(headers, status, hop.answers, context.now());
  return new Response(hop.method === 'HEAD' ? null : toBody(asked, answer), { status, headers });
}

function toResourceRead(resource: Resource, principal: Principal): ResourceRead {
  return { resourceDigest: resource.digest, scopeDigest: scopeDigest(scopeOf(resource, principal)) };
}

function toHeaders(
  { contract: { versions } }: Context, hop: VerifiedHop, { resource }: Asked, { outcome, etag, mediaType, createdId, pages }: Answer,
): Record<string, string> {
  const headers: Record<string, string> = {};
  if (etag !== undefined) headers['etag'] = etag;
  if (outcome === 'absent') headers['content-type'] = problemMediaType;
  else if (mediaType !== undefined) headers['content-type'] = mediaType;
  if (createdId !== undefined) headers['location'] = `/${versions.current.name}/${resource.name}/${encodeURIComponent(createdId)}`;
  const link = pages === undefined ? '' : toLink(hop, pages);
  if (link !== '') headers['link'] = link;
  // Proxies that buffer would hold a stream back until it ends.
  if (outcome === 'streaming') Object.assign(headers, { 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  return headers;
}

/** Absence is an answer, not a throw: the edge may keep it, since it depends on the document's key like any other. */
function toBody({ requestId }: Asked, { outcome, body }: Answer): NonNullable<Answer['body']> | null {
  return outcome === 'absent' ? JSON.stringify(toProblem(new Fault('document_not_found'), requestId)) : (body ?? null);
}

type Pages = NonNullable<Answer['pages']>;

/** The links of pages, each with the request that it was made for: a page that is kept is mostly asked for in the same words. */
const links = new WeakMap<Pages, Pick<VerifiedHop, 'path' | 'query'> & { readonly link: string }>();

/** The `Link` of a page (RFC 8288); the targets are relative to the request's own. */
function toLink({ path, query }: VerifiedHop, pages: Pages): string {
  const known = links.get(pages);
  if (known?.path === path && known.query === query) return known.link;
  const search = new URLSearchParams(query);
  const target = (after: string | undefined, rel: string) => {
    if (after === undefined) return [];
    search.set('after', after);
    return [`<${path}?${search}>; rel="${rel}"`];
  };
  const link = [...target(pages.next, 'next'), ...target(pages.prev, 'prev')].join(', ');
  links.set(pages, { path, query, link });
  return link;
}

/**
 * A refusal as a problem document; what is ours to mend is logged in full, under the id that the client sees.
 * `signing` is absent where the request named no nonce to bind the answer to.
 */
export function respondFault(context: Context, fault: Fault, trace: Trace, signing: AnswerSigning | undefined): Response {
  tell(context, fault, trace);
  const headers = toProblemHeaders(fault);
  if (signing !== undefined) {
    if (fault.reason.startsWith('hop_')) headers[hopRefusalHeader] = fault.reason;
    signAnswer(headers, fault.status, signing, context.now());
  }
  return new Response(JSON.stringify(toProblem(fault, trace.requestId)), { status: fault.status, headers });
}

/** Logs one line, which counts the refusals of this reason since the start. */
function tell({ log, refusals }: Context, fault: Fault, trace: Trace): void {
  const { reason, facts } = fault;
  const refused = (refusals.get(reason) ?? 0) + 1;
  refusals.set(reason, refused);
  const level = levelOf(reason);
  if (level === 'error') log.error({ ...trace, reason, refused, facts, err: fault.cause ?? fault }, 'request failed');
  else log[level]({ ...trace, reason, refused, facts, detail: fault.detail }, 'request refused');
}
