/**
 * One origin, asked once: signed, sent, verified, and counted by the breaker.
 *
 *   sign ─▶ send ─▶ verify ─▶ answer
 *     ▲                └─ key not known there: once more, signed with the next key
 *     └────────────────┘
 */
import { formatPosition } from '../../shared/wire/position.ts';
import { formatPrincipal } from '../../shared/hop/principal-header.ts';
import { type HopHeader, hopRefusalHeader } from '../../shared/hop/profile.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { OriginSetting } from '../../shared/settings/origin-list.ts';
import { hash32 } from '../../shared/wire/hash.ts';
import { type LoadLevel, parseLoad } from '../../shared/operations/load-level.ts';
import { edgeLimits } from '../limits.ts';
import { log } from '../log.ts';
import type { Counts } from '../metrics/counts.ts';
import { randomNonce } from '../request/random-texts.ts';
import { Breaker, type FailureKind } from './breaker.ts';
import { contentDigest } from './content-digest.ts';
import { originUnavailable, toForwardFault } from './forward-fault.ts';
import type { Hasher } from './hasher.ts';
import type { Macs } from './macs.ts';
import type { Weighted } from './order.ts';
import type { Question, Reply } from './origin-client.ts';
import { signRequest } from './sign-request.ts';
import { verifyAnswer } from './verify.ts';

export interface Signing {
  readonly macs: Macs;
  readonly hasher: Hasher;
}

/** A failure after which a question that does no harm twice may be asked again. */
export class NoAnswer extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message, { cause: fault });
    this.fault = fault;
  }
}

export class OneOrigin implements Weighted {
  /** As an origin (RFC 6454). */
  readonly url: string;
  readonly weight: number;
  readonly seed: number;
  readonly breaker: Breaker;
  readonly #signing: Signing;
  readonly #counts: Counts | undefined;
  /** The key under which the origin last took a question. */
  #provenKeyId: string | undefined;
  #load: { readonly level: LoadLevel; readonly until: number } = { level: 0, until: 0 };
  /** Failures of this isolate since it began. Each line of the log tells the count of its kind. */
  readonly #failures: Record<FailureKind, number> = { late: 0, refused: 0, unsigned: 0 };

  constructor({ url, weight }: Pick<OriginSetting, 'url' | 'weight'>, signing: Signing, counts?: Counts) {
    this.url = url.origin;
    this.weight = weight;
    this.seed = hash32(this.url);
    this.#signing = signing;
    this.#counts = counts;
    this.breaker = new Breaker(({ state, ...facts }) => {
      if (counts !== undefined) counts.of(this.url).isOpen = state === 'open';
      log('warn', `origin.breaker_${state}`, { origin: this.url, ...facts });
    });
  }

  /**
   * For a question that is not sent, since the breaker is open: for how long nothing will be, in milliseconds. What finds out
   * whether the origin is back goes on behind the answer, so that nobody waits for it.
   */
  passOver(question: Question): number {
    const now = Date.now();
    const waitMs = this.breaker.waitMs(now);
    if (this.breaker.passOver(now)) question.waitUntil(this.#probe(question));
    return waitMs;
  }

  async #probe(question: Question): Promise<void> {
    await this.#proveKey(question, AbortSignal.timeout(edgeLimits.breakerProbeMsMax)).catch(() => this.breaker.probeFailed(Date.now()));
  }

  /** The level of its load that it told of a moment ago. */
  loadAt(now: number): LoadLevel {
    return now < this.#load.until ? this.#load.level : 0;
  }

  /** Throws `NoAnswer`. */
  async ask(question: Question, signal: AbortSignal): Promise<Reply> {
    const { macs } = this.#signing;
    if (typeof question.body === 'function' && this.#provenKeyId !== macs.signingKeyId) await this.#proveKey(question, signal);
    const { reply, keyId } = await this.#exchange(question, signal);
    // The origin does not know our key, and has done nothing.
    if (!isKeyUnknown(reply) || typeof question.body === 'function' || !macs.signWithNext(keyId)) return mustBelieveUs(reply);
    await discardReply(reply);
    return mustBelieveUs((await this.#exchange(question, signal)).reply);
  }

  /** A stream cannot be sent again with another key, so what it costs to find the right one is paid before it. */
  async #proveKey(question: Question, signal: AbortSignal): Promise<void> {
    const { body: _body, ...rest } = question;
    const probed = await this.ask(
      { ...rest, method: 'GET', target: { path: '/', query: '' }, safe: true, headers: {} },
      signal,
    );
    await discardReply(probed);
  }

  async #exchange(question: Question, signal: AbortSignal): Promise<{ readonly reply: Reply; readonly keyId: string }> {
    const { method, target, body, safe } = question;
    const { macs, hasher } = this.#signing;
    const nonce = randomNonce();
    const digest = body instanceof Uint8Array ? contentDigest(body, hasher) : undefined;
    const headers = toHeaders(question, digest instanceof Promise ? await digest : digest);
    const sentAt = Date.now();
    const keyId = signRequest({ method, target, headers, nonce }, macs, sentAt);
    // The address is joined and not resolved: a path that begins with `//` must not name another host.
    const url = `${this.url}${target.path}${target.query}`;
    const answer = await fetch(url, {
      method, headers, signal,
      body: typeof body === 'function' ? body(nonce) : (body ?? null),
      redirect: 'manual',
      ...(method === 'GET' ? uncached : {}),
    }).catch((cause: unknown) => {
      this.#failed(question, signal.aborted ? 'late' : 'refused', sentAt);
      throw new NoAnswer(toForwardFault({ mayBeDone: !safe, cause }));
    });
    const now = Date.now();
    const signed = verifyAnswer(answer, nonce, macs, now);
    if (signed === undefined) {
      this.#failed(question, 'unsigned', sentAt);
      const facts = { originStatus: answer.status, originType: answer.headers.get('content-type')?.slice(0, 80) ?? 'none' };
      await answer.body?.cancel();
      throw new NoAnswer(originUnavailable({ mayBeDone: !safe, facts }));
    }
    this.breaker.answered(now);
    this.#counts?.originAnswered(this.url, now - sentAt);
    if (signed.load !== undefined) this.#load = { level: parseLoad(signed.load), until: now + edgeLimits.loadBelievedMs };
    const reply = { status: answer.status, headers: signed.headers, body: answer.body, facts: signed.facts, stated: signed.stated };
    if (!isHopRefusal(reply)) this.#provenKeyId = keyId;
    return { reply, keyId };
  }

  /**
   * What its client can bring about does not count against the origin: an upload that breaks off or is slow, and a body that
   * came so late that the origin had no time left.
   */
  #failed({ body, deadlineAt, requestId }: Question, kind: FailureKind, sentAt: number): void {
    const failed = ++this.#failures[kind];
    log('warn', 'origin.no_answer', { origin: this.url, kind, failed, requestId });
    const isOurs = kind === 'unsigned' || (typeof body !== 'function' && deadlineAt - sentAt >= edgeLimits.breakerLateMsMin);
    if (isOurs) this.breaker.failed(kind, sentAt, Date.now());
  }
}

/** Keeps an answer, signed for one request, out of Cloudflare's own cache; only GET needs it, since it costs 10 µs. */
const uncached = { cache: 'no-store' } as const;

/** Reads no more of an answer that nobody is given. */
export async function discardReply({ body }: Reply): Promise<void> {
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) await body.cancel();
}

function toHeaders(question: Question, digest: string | undefined): Record<string, string> {
  const { headers, principal, atLeast, deadlineAt, streamMs, requestId, traceparent } = question;
  const sent: Partial<Record<HopHeader, string>> = { ...headers };
  for (const [name, value] of Object.entries(headers)) mustAscii(name, value);
  if (digest !== undefined) sent['content-digest'] = digest;
  sent['traceparent'] = traceparent;
  if (atLeast !== undefined) sent['tombolo-after'] = formatPosition(atLeast);
  sent['tombolo-deadline'] = String(Math.max(0, streamMs ?? deadlineAt - Date.now()));
  const formatted = formatPrincipal(principal);
  if (formatted !== undefined) sent['tombolo-principal'] = formatted;
  sent['tombolo-request'] = requestId;
  return sent as Record<string, string>;
}

/**
 * For what a client sent; what the edge says itself is ASCII. Bytes past it have no agreed decoding in header fields
 * (RFC 9110 §5.5): the two sides might sign two texts.
 */
function mustAscii(name: string, value: string): void {
  if (/^[\t\x20-\x7e]*$/.test(value)) return;
  throw new Fault('header_invalid', {
    detail: `${name}: printable ASCII alone`,
    errors: [{ at: name, in: 'header', detail: 'printable ASCII alone' }],
  });
}

/** The refusals of the hop are 401 without a challenge; the caller's token is never its matter. */
function isHopRefusal({ status, headers }: Reply): boolean {
  return status === 401 && headers['www-authenticate'] === undefined;
}

function isKeyUnknown(reply: Reply): boolean {
  return isHopRefusal(reply) && reply.headers[hopRefusalHeader] === 'hop_key_unknown';
}

/** A 401 about the hop is between edge and origin: keys or clocks differ. The caller has done nothing wrong, and nothing was done. */
function mustBelieveUs(reply: Reply): Reply {
  if (!isHopRefusal(reply)) return reply;
  throw new NoAnswer(originUnavailable({ mayBeDone: false, facts: { originCode: reply.headers[hopRefusalHeader] ?? 'none' } }));
}
