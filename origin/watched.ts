/**
 * One request while it is carried out: what metrics count of it, and its line in the log (SEMANTICS §22). The line is built of
 * the members that are named here and of nothing else, so that no body, token, key, ticket or query can stand in it.
 */
import { type Fault, type FaultReason, levelOf } from '../shared/wire/fault.ts';
import type { Principal } from '../shared/wire/principal.ts';
import { hashedOf, isChosen, principalBytes, toSpanName } from '../shared/wire/request-line.ts';
import type { Answer, Asked } from './call.ts';
import type { OriginContext } from './origin-context.ts';
import { hmac } from './hop/hmac.ts';
import { type Trace, unknownTrace } from './hop/trace.ts';
import type { Seen } from './metrics/requests.ts';
import type { PeopleReason, PeopleReply } from './people/people.ts';
import type { Traced } from './traces/traces.ts';
import { toFaultFacts } from './trouble.ts';

type About = Pick<Asked, 'resource' | 'principal'> & { readonly operation: { readonly name: string } };

export class Watched {
  /** What carries the call out: where the request is traced, its store is. */
  context: OriginContext;
  trace: Trace = unknownTrace;
  /** What the call causes follows from this. */
  traceparent: string | undefined;
  #traced: Traced | undefined;
  readonly #beganAtMs = performance.now();
  readonly #seen: Seen | undefined;
  #about: Partial<About> = {};

  constructor(context: OriginContext) {
    this.context = context;
    this.#seen = context.measuring?.requests.begin();
  }

  /** The request is the edge's own, and continues what the edge has sampled. */
  begin(trace: Trace, parent: string | undefined, state: string | undefined): void {
    this.trace = trace;
    this.traceparent = parent;
    const { traces, store } = this.context;
    this.#traced = traces?.begin('request', { parent, state });
    if (this.#traced === undefined) return;
    this.traceparent = this.#traced.traceparent;
    this.context = { ...this.context, store: this.#traced.over(store) };
  }

  /** What is asked for, as soon as it is known; the principal is, once the call is. */
  found(about: Partial<About>): void {
    this.#about = about;
    const { operation, resource } = about;
    if (operation === undefined) return;
    if (this.#seen !== undefined) this.#seen.operation = operation.name;
    this.#traced?.named(toSpanName(operation.name, resource?.name));
  }

  /** Hands on what is answered. */
  answered<Given extends { readonly status: number }>(given: Given, body: Answer['body']): Given {
    const { settings, log } = this.context;
    this.#end(given.status, undefined);
    const isTold = log.isLevelEnabled('debug') || (isChosen(this.trace.requestId, settings.logOneIn) && log.isLevelEnabled('info'));
    if (isTold) log.info(this.#toLine(given.status, { bytes: bytesOf(body) }), 'request');
    return given;
  }

  /** Hands on a refusal, whose line counts those of its reason since the start. */
  refused<Given extends { readonly status: number }>(given: Given, fault: Fault): Given {
    const { log } = this.context;
    const { reason } = fault;
    this.#end(given.status, reason);
    const refused = this.#count(reason);
    const level = levelOf(reason);
    const line = this.#toLine(given.status, { refused, ...toFaultFacts(fault) });
    if (level === 'error') log.error({ ...line, err: fault.cause ?? fault }, 'request failed');
    else log[level](line, 'request refused');
    return given;
  }

  /** The same of what is said to people, with no more of it than its name. */
  answeredPeople<Given extends { readonly status: number }>(given: Given, { reason, body }: PeopleReply): Given {
    if (reason === undefined) return this.answered(given, body ?? undefined);
    this.#end(given.status, reason);
    this.context.log.info(this.#toLine(given.status, { reason, refused: this.#count(reason) }), 'request refused');
    return given;
  }

  #count(reason: FaultReason | PeopleReason): number {
    const { refusals } = this.context;
    const refused = (refusals.get(reason) ?? 0) + 1;
    refusals.set(reason, refused);
    return refused;
  }

  #end(status: number, reason: string | undefined): void {
    this.#seen?.end(status);
    const { operation, resource } = this.#about;
    const { requestId: request } = this.trace;
    this.#traced?.end({ request, operation: operation?.name, resource: resource?.name, status, reason }, status >= 500);
  }

  #toLine(status: number, more: object): object {
    const { operation, resource, principal } = this.#about;
    return {
      ...this.trace, operation: operation?.name, resource: resource?.name, status,
      principal: principal === undefined ? undefined : principalHash(this.context, principal),
      ms: Math.round((performance.now() - this.#beganAtMs) * 1_000) / 1_000, ...more,
    };
  }
}

const hashes = new WeakMap<Principal, string>();

/** Whoever has not the deployment's key cannot find it by hashing names. It is the same at the edge. */
function principalHash({ settings }: OriginContext, principal: Principal): string | undefined {
  const hashed = hashedOf(principal);
  if (hashed === undefined) return undefined;
  const known = hashes.get(principal) ?? hmac(settings.keys[0], hashed).subarray(0, principalBytes).toString('base64url');
  hashes.set(principal, known);
  return known;
}

/** Of a stream nobody knows it yet. */
function bytesOf(body: Answer['body']): number | undefined {
  if (body instanceof ReadableStream) return undefined;
  return body === undefined ? 0 : Buffer.byteLength(body);
}
