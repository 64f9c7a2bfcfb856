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
    const flight = { promise: work(), startedAt: Date.now() };
    this.#flights.set(key, flight);
    const land = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.promise.then(land, land);
    return flight.promise;
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
