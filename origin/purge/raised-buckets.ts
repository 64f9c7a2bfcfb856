/** What the next report will raise: bounded, because past a thousand keys of a resource the whole is raised. */
import { toBucket, touchedKeysMax } from '../../shared/contract/dependencies.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Report } from '../../shared/hop/purge-report.ts';
import type { Touched } from './touched.ts';

export class RaisedBuckets {
  #buckets = new Map<string, Map<number, string>>();
  #whole = new Map<string, string>();

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
    this.#whole = new Map();
    return { raised, whole };
  }
}
