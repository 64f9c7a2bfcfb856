/**
 * Isolates, a counter for each caller and the latency between them, in virtual time: what happens to a trace of
 * requests, decided by the very code of the edge, beside a plain log of timestamps that knows everything at once.
 */
import { type Answer, type Ask, Counter, type CounterState } from '../../edge/rate-limit/counter.ts';
import { Limiter, type Verdict } from '../../edge/rate-limit/limiter.ts';
import type { Plan } from '../../shared/limits/plans.ts';

export interface Asked {
  readonly at: number;
  readonly caller: string;
  readonly isolate: number;
}

export interface Decided extends Asked {
  readonly kind: Verdict['kind'];
  /** When the isolate had decided. */
  readonly decidedAt: number;
}

export interface QuotaWorldOptions {
  readonly plan: Plan;
  readonly isolates: number;
  /** The latency between isolate and counter, one way. */
  readonly latencyMs: number;
  /** Each question finds another counter, which was told the state of the last one. */
  readonly isHandedOn?: boolean;
}

export class QuotaWorld {
  readonly #options: QuotaWorldOptions;
  readonly #quotas: readonly Limiter[];
  readonly #counters = new Map<string, Counter>();
  /** What is to happen, unordered. */
  readonly #due: { readonly at: number; readonly run: () => void }[] = [];
  #now = 1_000_000;

  constructor(options: QuotaWorldOptions) {
    this.#options = options;
    const clock = { now: () => this.#now, sleep: (ms: number) => this.#after(ms) };
    const ask = (caller: string, question: Ask) => this.#ask(caller, question);
    this.#quotas = Array.from({ length: options.isolates }, () => new Limiter({ ask, clock, onTrouble: () => undefined }));
  }

  /** Plays a trace in order of time, and tells what became of each request. */
  async play(trace: readonly Asked[]): Promise<readonly Decided[]> {
    const began = this.#now;
    const decided: Promise<Decided>[] = [];
    for (const asked of trace) {
      await this.#advance(began + asked.at);
      decided.push(this.#spend(asked).then((kind) => ({ ...asked, kind, decidedAt: this.#now - began })));
    }
    await this.#advance(began + (trace.at(-1)?.at ?? 0) + 10_000);
    return Promise.all(decided);
  }

  async #spend({ caller, isolate }: Asked): Promise<Verdict['kind']> {
    const quota = this.#quotas[isolate];
    if (quota === undefined) throw new Error(`there is no isolate ${isolate}`);
    const spent = { kind: 'reads', keepsDays: true, unavailable: 'refuse', waitUntil: () => undefined } as const;
    return (await quota.spend({ caller, plan: this.#options.plan, cost: 1, ...spent })).kind;
  }

  async #ask(caller: string, question: Ask): Promise<Answer> {
    await this.#after(this.#options.latencyMs);
    const counter = this.#counters.get(caller) ?? new Counter();
    const answer = counter.decide(question, this.#now);
    this.#counters.set(caller, this.#options.isHandedOn === true ? handedOn(counter.state(this.#now)) : counter);
    await this.#after(this.#options.latencyMs);
    return answer;
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#due.push({ at: this.#now + ms, run: resolve }));
  }

  /** One event after another, each with all that follows from it at once. */
  async #advance(to: number): Promise<void> {
    for (;;) {
      await settled();
      let next = -1;
      this.#due.forEach(({ at }, index) => {
        if (at <= to && at < (this.#due[next]?.at ?? Number.POSITIVE_INFINITY)) next = index;
      });
      const [event] = next < 0 ? [] : this.#due.splice(next, 1);
      if (event === undefined) break;
      this.#now = event.at;
      event.run();
    }
    this.#now = to;
  }
}

function handedOn(state: CounterState): Counter {
  return Counter.of(JSON.parse(JSON.stringify(state)) as CounterState);
}

/** Every promise that can settle without time has settled: the deepest chain here has some twenty links. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 24; turn++) await undefined;
}

/** The definition: a request passes when each window that ends with it has let fewer than its limit pass. */
export function decideByLog(plan: Plan, trace: readonly Asked[]): readonly boolean[] {
  const passed = new Map<string, number[]>();
  return trace.map(({ at, caller }) => {
    const times = passed.get(caller) ?? [];
    passed.set(caller, times);
    const fits = plan.windows.every(({ limit, seconds }) => within(times, at, seconds) < limit);
    if (fits) times.push(at);
    return fits;
  });
}

/** The most that any window of the plan held, over its limit; 0 or less when none was overdrawn. */
export function overshoot(plan: Plan, times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.max(
    ...plan.windows.flatMap(({ limit, seconds }) => sorted.map((at, index) => within(sorted.slice(0, index + 1), at, seconds) - limit)),
  );
}

/** How many of ordered times lie within the window that ends at `at`. */
function within(times: readonly number[], at: number, seconds: number): number {
  let index = times.length;
  while (index > 0 && (times[index - 1] ?? 0) > at - seconds * 1_000) index--;
  return times.length - index;
}
