/**
 * Lanes of queues that may have something ready, by the names that stored jobs have as their queue (`webhooks:<lane>`). One is
 * looked into until nothing was ready there; the feed tells when there is again.
 */
import type { Queue } from './job.ts';

export class Lanes {
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #lively = new Set<string>();
  readonly #taken = new Map<string, number>();
  /** Whether all that is ready is to be looked through: at a start, and where history was lost. */
  areUnknown: boolean;

  constructor(queues: readonly Queue[]) {
    this.#queues = new Map(queues.filter(({ ofLane }) => ofLane !== undefined).map((queue) => [queue.name, queue]));
    this.areUnknown = this.#queues.size > 0;
  }

  /** Something is ready there. */
  hear(name: string): void {
    if (this.#queueOf(name) !== undefined) this.#lively.add(name);
  }

  lost(): void {
    this.areUnknown = this.#queues.size > 0;
  }

  isQuiet(name: string): void {
    this.#lively.delete(name);
  }

  /** By turns, so that all come to it where the places are few. */
  next(): readonly string[] {
    const [first, ...others] = this.#lively;
    if (first !== undefined) this.#lively.delete(first);
    if (first !== undefined) this.#lively.add(first);
    return first === undefined ? [] : [...others, first];
  }

  free(name: string): number {
    const queue = this.#queueOf(name);
    if (queue?.ofLane === undefined) return 0;
    return Math.min(queue.ofLane - this.#of(name), queue.concurrency - this.#of(queue.name));
  }

  /** An attempt of the lane began, or ended; false: it is no lane. */
  count(name: string, by: 1 | -1): boolean {
    const queue = this.#queueOf(name);
    if (queue === undefined) return false;
    for (const each of [name, queue.name]) {
      const left = this.#of(each) + by;
      if (left === 0) this.#taken.delete(each);
      else this.#taken.set(each, left);
    }
    return true;
  }

  #of(name: string): number {
    return this.#taken.get(name) ?? 0;
  }

  #queueOf(name: string): Queue | undefined {
    const end = name.indexOf(':');
    return end < 0 ? undefined : this.#queues.get(name.slice(0, end));
  }
}
