/**
 * Single flight: of several requests that need one thing, the first fetches it and the others wait. In a
 * Worker the first may be cancelled with its client, and its promise then never settles; so nobody waits
 * beyond his own time, and a flight that is older than that is not joined.
 */
export class Flights<T> {
  readonly #msMax: number;
  readonly #flights = new Map<string, { readonly promise: Promise<T>; readonly startedAt: number }>();

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** The flight under way, if it may still land. */
  joinable(key: string): Promise<T> | undefined {
    const flight = this.#flights.get(key);
    return flight !== undefined && Date.now() - flight.startedAt < this.#msMax ? flight.promise : undefined;
  }

  start(key: string, work: () => Promise<T>): Promise<T> {
    this.#forgetLost();
    const flight = { promise: work(), startedAt: Date.now() };
    // Last in order also where it replaces a lost one.
    this.#flights.delete(key);
    this.#flights.set(key, flight);
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.promise.then(land, land);
    return flight.promise;
  }

  /** Those that can no longer be joined, oldest first: a flight whose request was cancelled never lands. */
  #forgetLost(): void {
    for (const [key, { startedAt }] of this.#flights) {
      if (Date.now() - startedAt < this.#msMax) return;
      this.#flights.delete(key);
    }
  }
}

/** `undefined` when `promise` neither settles well nor in time. */
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
