/**
 * The one way from the edge to the origins: a question, signed, and an answer that the origin signed for it (SEMANTICS §9).
 * Whatever comes back without that signature, a load balancer's page or a proxy's 502, is no answer: nothing of it is
 * passed on, and the question failed.
 *
 *   ask ─▶ answer
 *    ▲ └─ none, in time and within the budget: once more, of another where there is one; an effect
 *    └────┘   never is without an idempotency key, because it may have been done
 */
import type { CheckedBody } from '../../shared/contract/documents.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { HopHeader } from '../../shared/hop/profile.ts';
import type { ReadFacts } from '../../shared/hop/read-facts.ts';
import type { StatedReads } from '../../shared/hop/stated-reads.ts';
import type { LoadLevel } from '../../shared/operations/load-level.ts';
import type { OriginSetting } from '../../shared/settings/origin-list.ts';
import { edgeLimits } from '../limits.ts';
import { log } from '../log.ts';
import type { Counts } from '../metrics/counts.ts';
import type { Target } from '../request/target.ts';
import { Canary } from './canary.ts';
import { originLoaded, originPaused } from './forward-fault.ts';
import { NoAnswer, OneOrigin, type Signing } from './one-origin.ts';
import { askReadiness, type Readiness } from './readiness.ts';
import { isForCanary, rankedFor } from './order.ts';
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
  /** What stands in `body`, for an origin in this process: it checks by the same schema. Nothing of it crosses the hop. */
  readonly checked?: CheckedBody | undefined;
  /** The state read must be at or after this. */
  readonly atLeast?: Position | undefined;
  /** The head of the answer must have come by then, in milliseconds of the epoch. */
  readonly deadlineAt: number;
  /** For how long a stream may go on once its head has come; absent: the answer ends by the deadline too. */
  readonly streamMs?: number | undefined;
  readonly requestId: string;
  readonly traceparent: string;
  /** The level of an origin's load from which this is not asked of it. */
  readonly refusedAt: LoadLevel;
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
  /** Of each, in the order of the setting. */
  readiness(): Promise<readonly Readiness[]>;
  /** The level of load that each of them has now at least, as far as is known. */
  load(): LoadLevel;
}

export interface OriginClientOptions extends Signing {
  /** One has a weight. */
  readonly origins: readonly OriginSetting[];
  readonly counts?: Counts | undefined;
}

export class OriginClient implements Origin {
  readonly #origins: readonly OneOrigin[];
  /** What is asked where there is one origin: that, and once more. */
  readonly #only: readonly OneOrigin[] | undefined;
  readonly #canary: { readonly origin: OneOrigin; readonly percent: number; readonly judge: Canary } | undefined;
  readonly #retries = new RetryBudget();
  /** By origin the epoch that it last spoke of. */
  readonly #epochs = new Map<string, string>();
  #saysDiffering = false;
  #ready: readonly Readiness[] = [];
  #readyUntil = 0;
  #lookAt = 0;

  constructor({ origins, macs, hasher, counts }: OriginClientOptions) {
    const made = origins.map((setting) => ({ origin: new OneOrigin(setting, { macs, hasher }, counts), percent: setting.canaryPercent }));
    this.#origins = made.map(({ origin }) => origin);
    this.#only = this.#origins.length === 1 ? [...this.#origins, ...this.#origins] : undefined;
    const canary = made.find(({ percent }) => percent !== undefined);
    if (canary?.percent === undefined) return;
    const { origin, percent } = canary;
    const judge = new Canary((facts) => log('warn', 'origin.canary_withdrawn', { origin: origin.url, ...facts }));
    this.#canary = { origin, percent, judge };
  }

  async readiness(): Promise<readonly Readiness[]> {
    if (Date.now() < this.#readyUntil) return this.#ready;
    this.#ready = await Promise.all(this.#origins.map(({ url }) => askReadiness(url)));
    this.#readyUntil = Date.now() + edgeLimits.readyBelievedMs;
    return this.#ready;
  }

  load(): LoadLevel {
    const now = Date.now();
    if (this.#only !== undefined) return this.#only[0]?.loadAt(now) ?? 0;
    return this.#origins.reduce<LoadLevel>((least, origin) => {
      const level = origin.weight > 0 ? origin.loadAt(now) : least;
      return level < least ? level : least;
    }, 4);
  }

  async ask(question: Question): Promise<Reply> {
    this.#retries.earn();
    if (this.#only === undefined) this.#lookBehind(question);
    const { signal, headArrived } = toTimeLimit(question);
    const answered = this.#askInOrder(question, this.#orderFor(question), signal);
    const asked = headArrived === undefined ? answered : answered.finally(headArrived);
    // A client that goes away ends what is done for it alone, and the breaker would never hear that nothing came.
    question.waitUntil(asked.then(ignore, ignore));
    return asked;
  }

  /**
   * Those that are paused, or have too much to do for this, are passed over, which costs nothing; of the others one is asked,
   * and perhaps another.
   */
  async #askInOrder(question: Question, order: readonly OneOrigin[], signal: AbortSignal): Promise<Reply> {
    let failed: NoAnswer | undefined;
    let waitMs = Number.POSITIVE_INFINITY;
    let isLoaded = false;
    for (const origin of order) {
      if (origin.breaker.isOpen) {
        if (failed === undefined) waitMs = Math.min(waitMs, origin.passOver(question));
        continue;
      }
      if (origin.loadAt(Date.now()) >= question.refusedAt) {
        isLoaded = true;
        continue;
      }
      if (failed !== undefined && !this.#mayAskAgain(question, signal)) break;
      try {
        const reply = await this.#askNoting(question, origin, signal);
        if (this.#only === undefined) this.#noteDatabase(origin, reply);
        return reply;
      } catch (thrown) {
        if (!(thrown instanceof NoAnswer)) throw thrown;
        if (failed !== undefined) break;
        failed = thrown;
      }
    }
    throw failed?.fault ?? (isLoaded ? originLoaded(question.refusedAt) : originPaused(waitMs));
  }

  /** Origins that serve one store speak of one epoch (SEMANTICS §1), but for a moment after a restore. */
  #noteDatabase({ url }: OneOrigin, { facts }: Reply): void {
    if (facts === undefined) return;
    const { epoch } = facts.position;
    this.#epochs.set(url, epoch);
    if (this.#saysDiffering || this.#epochs.size === 1 || [...this.#epochs.values()].every((other) => other === epoch)) return;
    this.#saysDiffering = true;
    log('error', 'origin.databases_differ', { origins: [...this.#epochs.keys()], detail: 'several origins need one MongoDB' });
  }

  /** Uploads and streams say nothing of how fast an origin is. */
  async #askNoting(question: Question, origin: OneOrigin, signal: AbortSignal): Promise<Reply> {
    const canary = this.#canary;
    if (canary === undefined || typeof question.body === 'function' || question.streamMs !== undefined) return origin.ask(question, signal);
    const sentAt = Date.now();
    const note = (failed: boolean) => {
      const now = Date.now();
      canary.judge.note(origin === canary.origin ? 'canary' : 'others', { failed, ms: now - sentAt, now });
    };
    try {
      const reply = await origin.ask(question, signal);
      note(reply.status >= 500);
      return reply;
    } catch (thrown) {
      note(true);
      throw thrown;
    }
  }

  /** Who has not signed in has no origin of their own. The last is the first once more, for what is asked twice. */
  #orderFor({ principal, requestId }: Question): readonly OneOrigin[] {
    if (this.#only !== undefined) return this.#only;
    const caller = principal.subject ?? requestId;
    const ranked = rankedFor(this.#origins, caller);
    const canary = this.#canary;
    const isFirst = canary !== undefined && !canary.judge.isWithdrawn && isForCanary(caller, canary.percent);
    const order = this.#readyFirst(isFirst ? [canary.origin, ...ranked] : ranked);
    return [...order, ...order.slice(0, 1)];
  }

  /** Asks each of several for its `/ready` now and then, behind an answer. */
  #lookBehind({ waitUntil }: Question): void {
    const now = Date.now();
    if (now < this.#lookAt) return;
    this.#lookAt = now + edgeLimits.readyLookMs;
    waitUntil(this.readiness());
  }

  /** Those that say that they are not ready come last: nothing of them is lost, and one alone is asked. The silent are the breaker's. */
  #readyFirst(order: readonly OneOrigin[]): readonly OneOrigin[] {
    const isUnready = (origin: OneOrigin): boolean => this.#ready[this.#origins.indexOf(origin)]?.status === 'unready';
    return order.some(isUnready) ? [...order.filter((origin) => !isUnready(origin)), ...order.filter(isUnready)] : order;
  }

  #mayAskAgain(question: Question, signal: AbortSignal): boolean {
    const isInTime = !signal.aborted && question.deadlineAt - Date.now() >= edgeLimits.retryMsMin;
    return isInTime && isRepeatable(question) && this.#retries.spend();
  }
}

function ignore(): void {}

/** What has an idempotency key is carried out once, however often it is sent (SEMANTICS §10); a stream can be sent once. */
function isRepeatable({ safe, headers, body }: Question): boolean {
  return safe || (headers['idempotency-key'] !== undefined && typeof body !== 'function');
}

/** Aborts at the deadline; of a stream, only while its head has not come. The platform's own signal costs a quarter of ours. */
function toTimeLimit({ deadlineAt, streamMs }: Question): { readonly signal: AbortSignal; readonly headArrived?: () => void } {
  const ms = Math.max(1, deadlineAt - Date.now());
  if (streamMs === undefined) return { signal: AbortSignal.timeout(ms) };
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, headArrived: () => clearTimeout(timer) };
}
