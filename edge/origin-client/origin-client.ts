/**
 * The one way from the edge to the origin: a question, signed, and an answer that the origin signed for it (SEMANTICS §9).
 * Whatever comes back without that signature, a load balancer's page or a proxy's 502, is no answer: nothing of it is
 * passed on, and the question failed.
 *
 *   ask ─▶ answer
 *    ▲ └─ none, safe, in time and within the budget: once more; an effect never is, because it may have been done
 *    └────┘
 */
import type { Position } from '../../shared/wire/position.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { HopHeader } from '../../shared/hop/profile.ts';
import type { ReadFacts } from '../../shared/hop/read-facts.ts';
import type { StatedReads } from '../../shared/hop/stated-reads.ts';
import { edgeLimits } from '../limits.ts';
import type { Target } from '../request/target.ts';
import { NoAnswer, OneOrigin, type Signing } from './one-origin.ts';
import { RetryBudget } from './retry-budget.ts';

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
  /** Work that goes on behind the answer to whoever asks. */
  waitUntil(work: Promise<unknown>): void;
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

export interface OriginClientOptions extends Signing {
  readonly originUrl: URL;
}

export class OriginClient implements Origin {
  readonly #origin: OneOrigin;
  readonly #retries = new RetryBudget();

  constructor({ originUrl, macs, hasher }: OriginClientOptions) {
    this.#origin = new OneOrigin(originUrl, { macs, hasher });
  }

  async ask(question: Question): Promise<Reply> {
    this.#retries.earn();
    const { signal, headArrived } = toTimeLimit(question);
    try {
      return await this.#origin.ask(question, signal);
    } catch (thrown) {
      if (!(thrown instanceof NoAnswer)) throw thrown;
      if (!this.#mayAskAgain(question, signal)) throw thrown.fault;
      return await this.#origin.ask(question, signal).catch((again: unknown) => {
        throw again instanceof NoAnswer ? again.fault : again;
      });
    } finally {
      headArrived();
    }
  }

  #mayAskAgain({ safe, deadlineAt }: Question, signal: AbortSignal): boolean {
    const { isOpen } = this.#origin.breaker;
    return safe && !isOpen && !signal.aborted && deadlineAt - Date.now() >= edgeLimits.retryMsMin && this.#retries.spend();
  }
}

/** Aborts at the deadline; of a stream, only while its head has not come. The platform's own signal costs a quarter of ours. */
function toTimeLimit({ deadlineAt, streamMs }: Question): { readonly signal: AbortSignal; readonly headArrived: () => void } {
  const ms = Math.max(1, deadlineAt - Date.now());
  if (streamMs === undefined) return { signal: AbortSignal.timeout(ms), headArrived: () => undefined };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, headArrived: () => clearTimeout(timer) };
}
