/**
 * The one way from the edge to the origin: a question, signed, and an answer that the origin signed for it (SEMANTICS §9).
 * Whatever comes back without that signature, a load balancer's page or a proxy's 502, is no answer: nothing of it is
 * passed on, and the question failed.
 *
 *   sign ─▶ send ─▶ verify ─▶ answer
 *     ▲       │        ├─ key not known there: once more, signed with the next key
 *     └───────┴────────┴─ broken or unsigned, safe, in time and within the budget: once more; an effect never is,
 *                         because it may have been done
 */
import type { Position } from '../../shared/wire/position.ts';
import { formatPosition } from '../../shared/wire/position.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { formatPrincipal } from '../../shared/hop/principal-header.ts';
import { type HopHeader, hopRefusalHeader } from '../../shared/hop/profile.ts';
import type { ReadFacts } from '../../shared/hop/read-facts.ts';
import type { StatedReads } from '../../shared/hop/stated-reads.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { edgeLimits } from '../limits.ts';
import { randomNonce } from '../request/random-texts.ts';
import type { Target } from '../request/target.ts';
import { contentDigest } from './content-digest.ts';
import { originUnavailable, toForwardFault } from './forward-fault.ts';
import type { Hasher } from './hasher.ts';
import type { Macs } from './macs.ts';
import { RetryBudget } from './retry-budget.ts';
import { signRequest } from './sign-request.ts';
import { verifyAnswer } from './verify.ts';

export interface Question {
  readonly method: string;
  readonly target: Target;
  /** Whether asking twice does no harm (RFC 9110 §9.2.1). */
  readonly safe: boolean;
  /** The caller on whose behalf the origin answers. */
  readonly principal: Principal;
  /** Headers of the client that go along, and how its body is to be read. */
  readonly headers: Readonly<Partial<Record<HopHeader, string>>>;
  /** A body in memory, or a stream that is made for the nonce under which it is sent, and sent once. */
  readonly body?: Uint8Array<ArrayBuffer> | ((nonce: string) => ReadableStream<Uint8Array>) | undefined;
  /** The state read must be at or after this. */
  readonly atLeast?: Position | undefined;
  /** The head of the answer must have come by then, in milliseconds of the epoch. */
  readonly deadlineAt: number;
  /** For how long a stream may go on once its head has come; absent: the answer ends by the deadline too. */
  readonly streamMs?: number | undefined;
  readonly requestId: string;
  readonly traceparent: string;
}

/** An answer that is no Response yet: whoever gives it to a client adds a dozen fields, and setting one in a Response costs 1 µs. */
export interface Reply {
  readonly status: number;
  /** The headers that the origin signed, and no others, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whole where the origin is in this process, and else as it comes. */
  readonly body: ReadableStream<Uint8Array> | string | Uint8Array<ArrayBuffer> | null;
  readonly facts: ReadFacts | undefined;
  readonly stated: StatedReads | undefined;
}

/** Whoever answers questions. */
export interface Origin {
  /** Throws `origin_unavailable` or `deadline_exceeded`; what the origin refuses is an answer. */
  ask(question: Question): Promise<Reply>;
}

export interface OriginClientOptions {
  readonly originUrl: URL;
  readonly macs: Macs;
  readonly hasher: Hasher;
}

/** Reads no more of an answer that nobody is given. */
export async function discardReply({ body }: Reply): Promise<void> {
  if (body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)) await body.cancel();
}

/** A failure after which a safe question may be asked again. */
class NoAnswer extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message, { cause: fault });
    this.fault = fault;
  }
}

export class OriginClient implements Origin {
  readonly #options: OriginClientOptions;
  readonly #origin: string;
  readonly #retries = new RetryBudget();
  /** The key under which the origin last took a question. */
  #provenKeyId: string | undefined;

  constructor(options: OriginClientOptions) {
    this.#options = options;
    this.#origin = options.originUrl.origin;
  }

  async ask(question: Question): Promise<Reply> {
    this.#retries.earn();
    const { signal, headArrived } = toTimeLimit(question);
    try {
      return await this.#askOnce(question, signal);
    } catch (thrown) {
      if (!(thrown instanceof NoAnswer)) throw thrown;
      if (!this.#mayAskAgain(question, signal)) throw thrown.fault;
      return await this.#askOnce(question, signal).catch((again: unknown) => {
        throw again instanceof NoAnswer ? again.fault : again;
      });
    } finally {
      headArrived();
    }
  }

  async #askOnce(question: Question, signal: AbortSignal): Promise<Reply> {
    const { macs } = this.#options;
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
    const probed = await this.#askOnce(
      { ...rest, method: 'GET', target: { path: '/', query: '' }, safe: true, headers: {} },
      signal,
    );
    await discardReply(probed);
  }

  async #exchange(question: Question, signal: AbortSignal): Promise<{ readonly reply: Reply; readonly keyId: string }> {
    const { method, target, body, safe } = question;
    const { macs, hasher } = this.#options;
    const nonce = randomNonce();
    const digest = body instanceof Uint8Array ? contentDigest(body, hasher) : undefined;
    const headers = toHeaders(question, digest instanceof Promise ? await digest : digest);
    const keyId = signRequest({ method, target, headers, nonce }, macs, Date.now());
    // The address is joined and not resolved: a path that begins with `//` must not name another host.
    const url = `${this.#origin}${target.path}${target.query}`;
    const answer = await fetch(url, {
      method, headers, signal,
      body: typeof body === 'function' ? body(nonce) : (body ?? null),
      redirect: 'manual',
      ...(safe ? uncached : {}),
    }).catch((cause: unknown) => {
      throw new NoAnswer(toForwardFault({ mayBeDone: !safe, cause }));
    });
    const signed = verifyAnswer(answer, nonce, macs, Date.now());
    if (signed === undefined) {
      const facts = { originStatus: answer.status, originType: answer.headers.get('content-type')?.slice(0, 80) ?? 'none' };
      await answer.body?.cancel();
      throw new NoAnswer(originUnavailable({ mayBeDone: !safe, facts }));
    }
    const reply = { status: answer.status, headers: signed.headers, body: answer.body, facts: signed.facts, stated: signed.stated };
    if (!isHopRefusal(reply)) this.#provenKeyId = keyId;
    return { reply, keyId };
  }

  #mayAskAgain({ safe, deadlineAt }: Question, signal: AbortSignal): boolean {
    return safe && !signal.aborted && deadlineAt - Date.now() >= edgeLimits.retryMsMin && this.#retries.spend();
  }
}

/** Keeps an answer, signed for one request, out of Cloudflare's own cache; only safe requests need it, since it costs 10 µs. */
const uncached = { cache: 'no-store' } as const;

/** Aborts at the deadline; of a stream, only while its head has not come. The platform's own signal costs a quarter of ours. */
function toTimeLimit({ deadlineAt, streamMs }: Question): { readonly signal: AbortSignal; readonly headArrived: () => void } {
  const ms = Math.max(1, deadlineAt - Date.now());
  if (streamMs === undefined) return { signal: AbortSignal.timeout(ms), headArrived: () => undefined };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, headArrived: () => clearTimeout(timer) };
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
