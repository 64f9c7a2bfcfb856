/**
 * Single flight: of several requests that need one thing, the first fetches it and the others wait. In a Worker
 * a promise belongs to the request that made it: when that one is cancelled with its client, it never settles,
 * and what hangs on it never runs. So nobody waits for another's promise: each waits for one of their own, with a
 * timer of their own, and is woken when the flight lands. A flight older than its time is not joined.
 */
interface Flight<T> {
  readonly startedAt: number;
  readonly waiting: Set<() => void>;
  /** What was fetched, once the flight has landed well. */
  brought: T | undefined;
}

export class SingleFlight<T> {
  readonly #msMax: number;
  readonly #flights = new Map<string, Flight<T>>();

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** Whether one is under way that may still land. */
  has(key: string): boolean {
    return this.#joinable(key) !== undefined;
  }

  /** Waits for the flight under way; `undefined` when there is none to wait for. */
  join(key: string): Promise<T | undefined> | undefined {
    const flight = this.#joinable(key);
    return flight === undefined ? undefined : landing(flight, this.#msMax);
  }

  /** The caller hands the promise to `waitUntil`: others may be waiting when its client leaves. */
  async start(key: string, work: () => Promise<T>): Promise<T> {
    this.#forgetLost();
    const flight: Flight<T> = { startedAt: Date.now(), waiting: new Set(), brought: undefined };
    // The new flight is last in order also where it replaces a lost one.
    this.#flights.delete(key);
    this.#flights.set(key, flight);
    try {
      flight.brought = await work();
      return flight.brought;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      for (const wake of flight.waiting) wake();
    }
  }

  #joinable(key: string): Flight<T> | undefined {
    const flight = this.#flights.get(key);
    return flight !== undefined && this.#isYoung(flight) ? flight : undefined;
  }

  /** Drops the flights that can no longer be joined, oldest first: one whose request was cancelled never lands. */
  #forgetLost(): void {
    for (const [key, flight] of this.#flights) {
      if (this.#isYoung(flight)) return;
      this.#flights.delete(key);
    }
  }

  /** One of long before the clock was set back is not. */
  #isYoung({ startedAt }: Flight<T>): boolean {
    return Math.abs(Date.now() - startedAt) < this.#msMax;
  }
}

/** What the flight brought; `undefined` when that is nothing, or it does not land in time. */
async function landing<T>(flight: Flight<T>, msMax: number): Promise<T | undefined> {
  const { promise, resolve: wake } = Promise.withResolvers<void>();
  flight.waiting.add(wake);
  await settledWithin(promise, msMax);
  flight.waiting.delete(wake);
  return flight.brought;
}

/** `undefined` when `promise`, of this very request, neither settles well nor in time. */
export async function settledWithin<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}
