/**
 * What the next report will raise: bounded, because past a thousand keys of a resource the whole is raised. An import goes on over many
 * reports, each of which would work out its thousand: those that follow at once begin with the whole.
 */
import type { Change } from '../../shared/contract/change.ts';
import { toBucket, touchedKeysMax } from '../../shared/contract/dependencies.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Report } from '../../shared/hop/purge-report.ts';
import type { Touched } from './touched.ts';

/** So many changes of a resource that come at once are taken for more of what made the last report raise the whole of it. */
const floodChangesMin = 100;

export class RaisedBuckets {
  #buckets = new Map<string, Map<number, string>>();
  #whole = new Map<string, string>();
  /** What the last report raised as a whole. */
  #wasWhole: ReadonlySet<string> = new Set();

  /** Positions come in commit order, so the last one of a bucket is its greatest. */
  add({ order }: Position, { resource, keys }: Touched): void {
    const buckets = this.#buckets.get(resource) ?? new Map<number, string>();
    this.#buckets.set(resource, buckets);
    if (keys === undefined) this.#whole.set(resource, order);
    else for (const key of keys) buckets.set(toBucket(key), order);
    if (buckets.size <= touchedKeysMax) return;
    this.#whole.set(resource, order);
    buckets.clear();
  }

  /** Raises what the last report raised as a whole, where many of these changes are of it: an import goes on. */
  goOn(changes: readonly Change[]): void {
    for (const resource of this.#wasWhole) {
      const own = changes.filter((change) => change.resource === resource);
      const last = own.at(-1);
      if (last !== undefined && own.length >= floodChangesMin) this.add(last.position, { resource, keys: undefined });
    }
  }

  /** Whether the whole resource is raised: then no single key need be worked out before the next report. */
  isWhole(resource: string): boolean {
    return this.#whole.has(resource);
  }

  take(): Pick<Report, 'raised' | 'whole'> {
    const raised = Object.fromEntries(
      [...this.#buckets].filter(([, buckets]) => buckets.size > 0).map(([resource, buckets]) => [resource, Object.fromEntries(buckets)]),
    );
    const whole = Object.fromEntries(this.#whole);
    this.#buckets = new Map();
    this.#wasWhole = new Set(this.#whole.keys());
    this.#whole = new Map();
    return { raised, whole };
  }
}
