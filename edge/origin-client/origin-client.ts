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
import { Fault } from '../../shared/wire/fault.ts';
import { edgeLimits } from '../limits.ts';
import type { Target } from '../request/target.ts';
import { originUnavailable, toForwardFault } from './forward-fault.ts';
import type { Macs } from './macs.ts';
import { RetryBudget } from './retry-budget.ts';
import { randomNonce, signRequest } from './sign-request.ts';
import { verifyAnswer } from './verify.ts';

export interface Question {
  readonly method: string;
  readonly target: Target;
  /** Whether asking twice does no harm (RFC 9110 §9.2.1). */
  readonly safe: boolean;
  /** The caller on whose behalf the origin answers. */
  readonly principal: Principal;
  /** Headers of the client, and of the body, that go along. */
  readonly headers: Readonly<Partial<Record<HopHeader, string>>>;
  /** A body in memory, or a stream that is made for the nonce under which it is sent, and sent once. */
  readonly body?: Uint8Array<ArrayBuffer> | ((nonce: string) => ReadableStream<Uint8Array>);
  /** The state read must be at or after this. */
  readonly atLeast?: Position | undefined;
  /** The head of the answer must have come by then, in milliseconds of the epoch. */
  readonly deadlineAt: number;
  /** For how long a stream may go on once its head has come; absent: the answer ends by the deadline too. */
  readonly streamMs?: number;
  readonly requestId: string;
  readonly traceparent: string;
}

/** Not yet a Response: whoever gives it to a client adds a dozen fields, and to set each in one that is made costs 1 µs. */
export interface Reply {
  readonly status: number;
  /** The headers that the origin signed, and no others, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly facts: ReadFacts | undefined;
}

export interface OriginClientOptions {
  readonly originUrl: URL;
  readonly macs: Macs;
}

interface Sent {
  readonly answer: Response;
  readonly nonce: string;
  readonly keyId: string;
}

/** A safe question may be asked again after these. */
class NoAnswer extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message, { cause: fault });
    this.fault = fault;
  }
}

export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #origin: string;
  readonly #retries = new RetryBudget();
  /** The key under which the origin last took a question. */
  #provenKeyId: string | undefined;

  constructor(options: OriginClientOptions) {
    this.#options = options;
    this.#origin = options.originUrl.origin;
  }

  /** Throws `origin_unavailable` or `deadline_exceeded`; what the origin refuses is an answer. */
  async ask(question: Question): Promise<Reply> {
    this.#retries.earn();
    const { signal, headArrived } = toTimeLimit(question);
    try {
      return await this.#askOnce(question, signal).catch((thrown: unknown) => {
        if (!(thrown instanceof NoAnswer) || !this.#mayAskAgain(question, signal)) throw thrown;
        return this.#askOnce(question, signal);
      });
    } catch (thrown) {
      throw thrown instanceof NoAnswer ? thrown.fault : thrown;
    } finally {
      headArrived();
    }
  }

  async #askOnce(question: Question, signal: AbortSignal): Promise<Reply> {
    if (typeof question.body === 'function' && this.#provenKeyId !== this.#options.macs.signingKeyId) {
      await this.#proveKey(question, signal);
    }
    const sent = await this.#send(question, signal);
    const reply = await this.#verified(question, sent);
    // The origin does not know our key, and has done nothing.
    if (!isKeyUnknown(reply) || typeof question.body === 'function' || !this.#options.macs.signWithNext(sent.keyId)) {
      return mustBelieveUs(reply);
    }
    await reply.body?.cancel();
    return mustBelieveUs(await this.#verified(question, await this.#send(question, signal)));
  }

  /** A stream cannot be sent again with another key, so what it costs to find the right one is paid before it. */
  async #proveKey(question: Question, signal: AbortSignal): Promise<void> {
    const { body: _body, ...rest } = question;
    const { body: probed } = await this.#askOnce(
      { ...rest, method: 'GET', target: { path: '/', query: '' }, safe: true, headers: {} },
      signal,
    );
    await probed?.cancel();
  }

  async #send(question: Question, signal: AbortSignal): Promise<Sent> {
    const nonce = randomNonce();
    const headers = toHeaders(question);
    const { method, target, body } = question;
    const keyId = await signRequest({ method, target, headers, nonce }, this.#options.macs, Date.now());
    // Joined, not resolved against: a path that begins with `//` must not name another host.
    const url = `${this.#origin}${target.path}${target.query}`;
    const init = {
      method,
      headers,
      body: typeof body === 'function' ? body(nonce) : (body ?? null),
      redirect: 'manual',
      cache: 'no-store',
      signal,
    } as const;
    try {
      return { nonce, keyId, answer: await fetch(url, init) };
    } catch (cause) {
      throw new NoAnswer(toForwardFault({ mayBeDone: !question.safe, cause }));
    }
  }

  async #verified({ safe }: Question, { answer, nonce, keyId }: Sent): Promise<Reply> {
    const signed = await verifyAnswer(answer, nonce, this.#options.macs, Date.now());
    if (signed === undefined) {
      const facts = { originStatus: answer.status, originType: answer.headers.get('content-type')?.slice(0, 80) ?? 'none' };
      await answer.body?.cancel();
      throw new NoAnswer(originUnavailable({ mayBeDone: !safe, facts }));
    }
    const reply = { status: answer.status, headers: signed.headers, body: answer.body, facts: signed.facts };
    if (!isHopRefusal(reply)) this.#provenKeyId = keyId;
    return reply;
  }

  #mayAskAgain({ safe, deadlineAt }: Question, signal: AbortSignal): boolean {
    return safe && !signal.aborted && deadlineAt - Date.now() >= edgeLimits.retryMsMin && this.#retries.spend();
  }
}

/** Aborts at the deadline; of a stream, only while its head has not come. */
function toTimeLimit({ deadlineAt, streamMs }: Question): { readonly signal: AbortSignal; readonly headArrived: () => void } {
  const ms = Math.max(1, deadlineAt - Date.now());
  if (streamMs === undefined) return { signal: AbortSignal.timeout(ms), headArrived: () => undefined };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, headArrived: () => clearTimeout(timer) };
}

function toHeaders({ headers, principal, atLeast, deadlineAt, streamMs, requestId, traceparent }: Question): Record<string, string> {
  const own: Readonly<Partial<Record<HopHeader, string | undefined>>> = {
    ...headers,
    traceparent,
    'tombolo-after': atLeast === undefined ? undefined : formatPosition(atLeast),
    'tombolo-deadline': String(Math.max(0, streamMs ?? deadlineAt - Date.now())),
    'tombolo-principal': formatPrincipal(principal),
    'tombolo-request': requestId,
  };
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) if (value !== undefined) sent[name] = mustAscii(name, value);
  return sent;
}

/** Bytes past ASCII have no agreed decoding in header fields (RFC 9110 §5.5): the two sides might sign two texts. */
function mustAscii(name: string, value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
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
