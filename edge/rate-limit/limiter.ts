/**
 * May this caller spend so much now? Answered from what the isolate holds where that is enough, by the
 * caller's counter where it is not, and by the route's own policy where the counter does not answer.
 *
 *   exact plan    each request asks, and waits for the answer
 *   leased plan   a request spends from a block, and at its half the next one is asked for behind the answer;
 *                 without a block the first request asks and the others of this isolate wait for it
 *
 * Under a plan that bounds how many requests are under way each asks, and behind its answer says that it is over.
 */
import { remember } from '../../shared/remember.ts';
import type { Plan } from '../../shared/limits/plans.ts';
import type { UnavailablePolicy } from '../../shared/limits/cost.ts';
import { SingleFlight, settledWithin } from '../single-flight.ts';
import { edgeLimits } from '../limits.ts';
import { Allowance, type Costs } from './lease.ts';
import type { Answer, Ask, Standing } from './counter.ts';
import type { Kind } from './days.ts';
import { slotLimits, type UnderWay } from './slots.ts';

export type AskCounter = (caller: string, ask: Ask) => Promise<Answer>;

export interface Clock {
  now(): number;
  /** Ends with `until`, where that is before. */
  sleep(ms: number, until?: Promise<unknown>): Promise<void>;
}

export interface Spending {
  /** Who pays: a subject or an address. */
  readonly caller: string;
  readonly plan: Plan;
  readonly cost: number;
  /** What was spent for the same request before, and is again for one that is asked anew. */
  readonly paid?: number | undefined;
  /** What it is spent on. */
  readonly kind: Kind;
  /** The counter keeps what this caller spends by day, whether or not the plan has a quota. */
  readonly keepsDays: boolean;
  readonly unavailable: UnavailablePolicy;
  /** How long a request may take that counts among those under way; absent: it is counted already, or is none. */
  readonly underWayMsMax?: number | undefined;
  /** Called, as that of the limiter, with the share of the quota that is used. */
  readonly onShare?: ((share: number) => void) | undefined;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** `leave` is there where the request is in a slot, and is to be called when it is over. */
export type Verdict =
  | { readonly kind: 'granted'; readonly windows: readonly Standing[]; readonly free?: number | undefined; readonly leave?: () => void }
  | { readonly kind: 'refused'; readonly windows: readonly Standing[]; readonly retryMs: number; readonly leave?: undefined }
  /** As many requests are under way as may be. */
  | { readonly kind: 'full'; readonly retryMs: number; readonly leave?: undefined }
  /** The counter did not answer. `retryMs` is there when this isolate alone has seen too much. */
  | { readonly kind: 'unavailable'; readonly policy: UnavailablePolicy; readonly retryMs?: number; readonly leave?: () => void };

export interface LimiterOptions {
  readonly ask: AskCounter;
  readonly clock: Clock;
  /** Called with the reason when a counter could not be asked. */
  readonly onTrouble: (cause: unknown) => void;
  /** Called when so many percent of a month's quota are used, 80 and 100, once each. */
  readonly onShare?: (caller: string, plan: Plan, share: number) => void;
}

/** Each turn is a question to the counter; a block is at most a twentieth of what is left, so few turns help. */
const turnsMax = 3;

export class Limiter {
  readonly #options: LimiterOptions;
  readonly #flights = new SingleFlight<Answer | undefined>(edgeLimits.counterMsMax);
  /** Callers in order of use: the least recently seen goes first. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  spend(spending: Spending): Verdict | Promise<Verdict> {
    const allowance = this.#allowance(spending);
    const { plan: { concurrent }, underWayMsMax } = spending;
    if (concurrent === undefined || underWayMsMax === undefined) return this.#spend(allowance, spending);
    return this.#begin(allowance, spending, { max: concurrent, ms: underWayMsMax });
  }

  /** What this isolate holds already is known to be taken: where that is all, nobody is asked. */
  async #begin(allowance: Allowance, spending: Spending, { max, ms }: { readonly max: number; readonly ms: number }): Promise<Verdict> {
    const { slots } = allowance;
    const now = this.#options.clock.now();
    if (slots.used(now) >= max) return { kind: 'full', retryMs: slots.retryMs(now) };
    const id = Math.floor(Math.random() * 2 ** 48);
    slots.begin(id, now);
    const verdict = await this.#spend(allowance, spending, { does: 'begin', id, max });
    if (verdict.kind === 'refused' || verdict.kind === 'full') {
      slots.end(id);
      return verdict;
    }
    return { ...verdict, leave: this.#hold(allowance, spending, id, now + ms) };
  }

  /** Says that it goes on until it is over, at `endsAt` at the latest. */
  #hold({ slots }: Allowance, { caller, waitUntil }: Spending, id: number, endsAt: number): () => void {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    let isOver = false;
    const tell = async (): Promise<void> => {
      const { ask, clock } = this.#options;
      for (let isLast = false; !isLast;) {
        await clock.sleep(slotLimits.goesOnEveryMs, over);
        isLast = isOver || clock.now() >= endsAt;
        if (isLast) slots.end(id);
        else slots.goOn(id, clock.now());
        const question: Ask = { windows: [], settled: [], cost: 0, want: 0, underWay: { does: isLast ? 'end' : 'go on', id } };
        await settledWithin(ask(caller, question), edgeLimits.counterMsMax);
      }
    };
    waitUntil(tell());
    return () => {
      isOver = true;
      slots.end(id);
      resolve();
    };
  }

  #spend(allowance: Allowance, spending: Spending, underWay?: UnderWay): Verdict | Promise<Verdict> {
    const held = this.#fromMemory(allowance, spending);
    if (held !== undefined) return held;
    return spending.plan.exact ? this.#afterAsking(allowance, spending, underWay) : this.#inTurn(allowance, spending);
  }

  /**
   * Waits for the question under way while such questions bring leases to share; near the limit they bring one
   * token each, and then everyone asks alone at once.
   */
  async #inTurn(allowance: Allowance, spending: Spending): Promise<Verdict> {
    for (let turn = 0; turn < turnsMax; turn++) {
      const flight = this.#flights.join(spending.caller);
      if (flight === undefined) break;
      allowance.waiting += spending.cost;
      const answer = await flight;
      const held = this.#fromMemory(allowance, spending);
      if (held !== undefined) return held;
      if (answer === undefined || answer.lease === 0) break;
    }
    return this.#afterAsking(allowance, spending);
  }

  #fromMemory(allowance: Allowance, spending: Spending): Verdict | undefined {
    const now = this.#options.clock.now();
    if (allowance.spend(spending.cost, now, spending.kind)) {
      if (allowance.isToRenew(now)) this.#renew(allowance, spending, now);
      return { kind: 'granted', windows: allowance.standing(now) };
    }
    const refusal = allowance.refusal(spending.cost, now);
    if (refusal !== undefined) return { kind: 'refused', windows: refusal.windows, retryMs: refusal.retryMs };
    return allowance.isAlone(now) ? alone(allowance, spending, now) : undefined;
  }

  async #afterAsking(allowance: Allowance, spending: Spending, underWay?: UnderWay): Promise<Verdict> {
    const { plan, caller, waitUntil } = spending;
    const ask = () => this.#ask(allowance, spending, spending, underWay);
    const asked = plan.exact ? ask() : this.#flights.start(caller, ask);
    // Others may be waiting for it, also when this client leaves.
    if (!plan.exact) waitUntil(asked);
    const answer = await asked;
    const now = this.#options.clock.now();
    if (answer === undefined) return alone(allowance, spending, now);
    if (answer.isFull === true) return { kind: 'full', retryMs: answer.retryMs };
    if (answer.granted === 0) return { kind: 'refused', windows: answer.windows, retryMs: answer.retryMs };
    return { kind: 'granted', windows: plan.exact ? answer.windows : allowance.standing(now), free: answer.free };
  }

  #renew(allowance: Allowance, spending: Spending, now: number): void {
    allowance.renewing(now + edgeLimits.counterMsMax);
    spending.waitUntil(this.#ask(allowance, spending, { cost: 0 }));
  }

  /** Never rejects: `undefined` when there was no answer in time. */
  async #ask(allowance: Allowance, spending: Spending, costs: Costs, underWay?: UnderWay): Promise<Answer | undefined> {
    const { caller, kind, waitUntil } = spending;
    const { ask, clock } = this.#options;
    const askedAt = clock.now();
    const asked = allowance.question(costs, askedAt, kind);
    const question = underWay === undefined ? asked : { ...asked, underWay };
    const asking = ask(caller, question).catch((cause: unknown) => Promise.reject(this.#note(cause)));
    const answer = await settledWithin(asking, edgeLimits.counterMsMax);
    if (answer === undefined) {
      allowance.untold(question.settled);
      waitUntil(asking.then((late) => this.#giveBack(late, caller, question), () => undefined));
      allowance.unanswered(clock.now() + edgeLimits.counterAgainMs, clock.now());
      return undefined;
    }
    allowance.adopt(answer, askedAt, costs.cost, kind);
    if (answer.share !== undefined) {
      this.#options.onShare?.(caller, allowance.plan, answer.share);
      spending.onShare?.(answer.share);
    }
    if (answer.lease !== 0) waitUntil(this.#return(allowance, caller, answer.leaseMs));
    return answer;
  }

  /** A lease that came when nobody waited for it any more. Its cost was charged, whatever became of the request. */
  async #giveBack({ lease, granted }: Answer, caller: string, { windows, cost, days }: Ask): Promise<void> {
    if (lease === 0) return;
    const spent = cost === 0 ? [] : [[0, cost] as const];
    const settled = [{ lease, spent, unused: granted - cost, ...(days === undefined ? {} : { kinds: { [days.kind]: cost } }) }];
    await settledWithin(this.#options.ask(caller, { windows, settled, cost: 0, want: 0 }), edgeLimits.counterMsMax);
  }

  #note(cause: unknown): unknown {
    this.#options.onTrouble(cause);
    return cause;
  }

  /** Gives back what a lease leaves unspent, when it has ended and no later question has done so. */
  async #return(allowance: Allowance, caller: string, leaseMs: number): Promise<void> {
    const { clock, ask } = this.#options;
    await clock.sleep(leaseMs);
    if (!allowance.mustReturn(clock.now())) return;
    const { plan: { windows } } = allowance;
    const settled = allowance.settle();
    const answer = await settledWithin(ask(caller, { windows, settled, cost: 0, want: 0 }), edgeLimits.counterMsMax);
    if (answer === undefined) allowance.untold(settled);
  }

  #allowance({ caller, plan, keepsDays }: Spending): Allowance {
    const first = this.#allowances.get(caller);
    // One caller may come by several plans in turn, as with a token of before theirs was changed, or a key made then.
    const name = first === undefined || first.plan === plan ? caller : `${plan.name} ${caller}`;
    const known = this.#allowances.get(name);
    const allowance = known?.plan === plan ? known : new Allowance(plan, keepsDays);
    remember(this.#allowances, name, allowance, edgeLimits.callersRememberedMax);
    return allowance;
  }
}

/** The route's declared choice; what is allowed is counted in this isolate, so that an outage lifts no limit. */
function alone(allowance: Allowance, spending: Spending, now: number): Verdict {
  const { unavailable: policy } = spending;
  if (policy === 'refuse') return { kind: 'unavailable', policy };
  const { granted, retryMs } = allowance.decideAlone(spending, now);
  return granted > 0 ? { kind: 'unavailable', policy } : { kind: 'unavailable', policy, retryMs };
}
