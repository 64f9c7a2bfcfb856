/**
 * Lanes of queues that may have something ready, by the names that stored jobs have as their queue (`webhooks:<lane>`). One is
 * looked into until nothing was ready there; the feed tells when there is again.
 */
import type { Lane } from './claims.ts';
import { atOnceMax } from './job-lists.ts';
import type { Queue } from './job.ts';

export class Lanes {
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #lively = new Set<string>();
  readonly #taken = new Map<string, number>();

  constructor(queues: readonly Queue[]) {
    this.#queues = new Map(queues.filter(({ ofLane }) => ofLane !== undefined).map((queue) => [queue.name, queue]));
  }

  /** Something is ready there; false: it is no lane. */
  hear(name: string): boolean {
    const isLane = this.#queueOf(name) !== undefined;
    if (isLane) this.#lively.add(name);
    return isLane;
  }

  /**
   * Those with free places, by turns, so that all come to it where the places are few. Each is quiet from now on, until it is
   * heard of: what becomes ready while it is looked into is not missed.
   */
  next(): readonly Lane[] {
    const given = new Map<string, number>();
    let left = atOnceMax;
    return [...this.#lively].flatMap((name) => {
      const queue = this.#queueOf(name);
      if (queue?.ofLane === undefined) return [];
      const others = given.get(queue.name) ?? 0;
      const places = Math.min(queue.ofLane - this.#of(name), queue.concurrency - this.#of(queue.name) - others, left);
      if (places <= 0) return [];
      left -= places;
      given.set(queue.name, others + places);
      this.#lively.delete(name);
      return [{ name, places }];
    });
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
