/**
 * Queues without lanes that may have something ready. One is looked into until nothing was ready there; the feed tells when there
 * is again.
 */
import type { Claimed } from './claims.ts';
import type { Queue } from './job.ts';

export class Queues {
  readonly all: readonly Queue[];
  readonly #taken = new Map<string, number>();
  /** Until when the rate of a queue allows nothing more. */
  readonly #closed = new Map<string, number>();
  readonly #quiet = new Set<string>();

  constructor(queues: readonly Queue[]) {
    this.all = queues.filter(({ ofLane }) => ofLane === undefined);
  }

  /** Something is ready there. Whether it was quiet; others are looked into by themselves, where they are of this process. */
  hear(name: string): boolean {
    return this.#quiet.delete(name);
  }

  /** Each may have something ready that was not heard of. */
  lost(): void {
    this.#quiet.clear();
  }

  closedUntil({ name }: Queue): number {
    return this.#closed.get(name) ?? 0;
  }

  /**
   * So many attempts may begin there; `undefined`: it is quiet. It is so from now on, until it is heard of or is found to have
   * something: what becomes ready while it is looked into is not missed.
   */
  placesOf({ name, concurrency }: Queue): number | undefined {
    if (this.#quiet.has(name)) return undefined;
    this.#quiet.add(name);
    return concurrency - (this.#taken.get(name) ?? 0);
  }

  found({ name }: Queue, { ready, moreAtMs = 0 }: Claimed): void {
    if (ready !== 0) this.#quiet.delete(name);
    this.#closed.set(name, moreAtMs);
  }

  /** An attempt began, or ended. */
  count(name: string, by: 1 | -1): void {
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + by);
  }
}
