/**
 * What has changed of each resource as far as this process has looked, in the buckets that the edge's coordinator has, too
 * (SEMANTICS §1): the position of the last change of each. An answer stands while nothing that it depends on is above the
 * position that it was read at.
 */
import type { Change } from '../../shared/contract/change.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { type Dependencies, toBucket } from '../../shared/contract/dependencies.ts';
import { shownBy } from '../../shared/contract/entry-index.ts';
import type { Position } from '../../shared/wire/position.ts';
import { touchedOf } from '../purge/touched.ts';

interface Raised {
  /** Orders by bucket: never more than a resource has buckets. */
  readonly buckets: Map<number, string>;
  /** The order of the last change that touched everything; the empty text, below all, before any. */
  whole: string;
}

/** Changes of one look that are taken apart into buckets; more raise their whole resources, for which no image is parsed. */
const takenApartMax = 64;

export class Generations {
  readonly #contract: Contract;
  readonly #resources = new Map<string, Raised>();
  /** All that was committed after this was raised, up to where this process has looked. */
  #since: Position;
  /** Whether there is an answer of this resource. Where there is none the whole is raised, which costs least. */
  readonly #isKept: (resource: string) => boolean;

  constructor(contract: Contract, since: Position, isKept: (resource: string) => boolean) {
    this.#contract = contract;
    this.#since = since;
    this.#isKept = isKept;
  }

  /** Nothing that was read before is known to stand. */
  restart(since: Position): void {
    this.#resources.clear();
    this.#since = since;
  }

  raise(changes: readonly Change[]): void {
    for (const change of changes) {
      const resource = shownBy(this.#contract.resources, change.resource)?.name ?? change.resource;
      const isWorthIt = changes.length <= takenApartMax && this.#isKept(resource);
      this.#raise(resource, change, isWorthIt ? touchedOf(this.#contract, change)?.keys : undefined);
    }
  }

  /** Whether nothing of these has changed since `readAt`. */
  stand(dependencies: Dependencies, readAt: Position): boolean {
    if (readAt.epoch !== this.#since.epoch || readAt.order < this.#since.order) return false;
    return dependencies.every(({ resource, buckets }) => {
      const raised = this.#resources.get(resource);
      if (raised === undefined) return true;
      return raised.whole <= readAt.order && buckets.every((bucket) => (raised.buckets.get(bucket) ?? '') <= readAt.order);
    });
  }

  #raise(resource: string, { position: { order } }: Change, keys: ReadonlySet<string> | undefined): void {
    const raised = this.#resources.get(resource) ?? { buckets: new Map<number, string>(), whole: '' };
    this.#resources.set(resource, raised);
    if (keys !== undefined) {
      for (const key of keys) raised.buckets.set(toBucket(key), order);
      return;
    }
    raised.whole = order;
    raised.buckets.clear();
  }
}
