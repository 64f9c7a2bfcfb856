/**
 * What a state endpoint's answer depends on, noted read by read (SEMANTICS §18). An answer can be cached where the pairs of
 * resource and bucket that its reads name are all that it depends on; whatever else it looked at makes it uncached, and is
 * the reason that `Cache-Status` gives.
 */
import type { Dependencies, Dependency } from '../../shared/contract/dependencies.ts';
import { type StatedReads, type Uncached, statedBucketsMax } from '../../shared/hop/stated-reads.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';

export class ReadLedger {
  readonly #buckets = new Map<string, Set<number>>();
  #position: Position | undefined;
  #uncached: Uncached | undefined;
  #unfinished = 0;

  #note(dependencies: Dependencies, position: Position): void {
    for (const { resource, buckets } of dependencies) this.#add(resource, buckets);
    // Reads of one call may be of several states: the answer holds of the earliest, and a change since then is one of its own.
    if (this.#position === undefined || reaches(this.#position, position)) this.#position = position;
    else if (!reaches(position, this.#position)) this.cannotBeCached('epoch');
  }

  /** A read that fails, or that the answer did not wait for, is never noted: then nobody knows what the answer depends on. */
  async reading<Made extends { readonly position: Position }>(dependencies: Dependencies, read: Promise<Made>): Promise<Made> {
    this.#unfinished++;
    const made = await read;
    this.#unfinished--;
    this.#note(dependencies, made.position);
    return made;
  }

  cannotBeCached(why: Uncached): void {
    this.#uncached ??= why;
  }

  /** The earliest state that was read; `undefined` where nothing was. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** `digest`: of the endpoint that the answer is of. */
  stated(digest: string): StatedReads {
    const dependencies: readonly Dependency[] = [...this.#buckets].map(([resource, buckets]) => ({ resource, buckets: [...buckets] }));
    const count = dependencies.reduce((sum, each) => sum + each.buckets.length, 0);
    const unknown = this.#unfinished > 0 ? 'failed-read' : undefined;
    const uncached = this.#uncached ?? unknown ?? (count === 0 ? 'nothing-read' : count > statedBucketsMax ? 'much-read' : undefined);
    return uncached === undefined ? { digest, dependencies } : { uncached };
  }

  #add(resource: string, buckets: readonly number[]): void {
    const known = this.#buckets.get(resource) ?? new Set();
    for (const bucket of buckets) known.add(bucket);
    this.#buckets.set(resource, known);
  }
}
