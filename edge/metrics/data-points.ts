/**
 * Counts for Analytics Engine, where the platform has it: what was counted since the last time, gathered in the isolate and told
 * behind an answer every ten seconds. A point for each request would cost as much as the request; a sample would not know of what
 * is rare. What an isolate has not told when it ends is lost.
 */
import { edgeLimits } from '../limits.ts';
import type { Counts } from './counts.ts';

/** As `AnalyticsEngineDataset` takes it. */
export interface DataPoint {
  readonly indexes: readonly [string];
  readonly blobs: readonly string[];
  readonly doubles: readonly number[];
}

export class DataPoints {
  readonly #counts: Counts;
  readonly #write: (point: DataPoint) => void;
  /** What was told of each. */
  readonly #told = new Map<string, number>();
  #toldAt = Date.now();

  constructor(counts: Counts, write: (point: DataPoint) => void) {
    this.#counts = counts;
    this.#write = write;
  }

  /** What a request may write is bounded by the platform; the rest is told by later ones. */
  tell(now: number): void {
    if (now - this.#toldAt < edgeLimits.dataPointsEveryMs) return;
    this.#toldAt = now;
    let left: number = edgeLimits.dataPointsAtOnceMax;
    for (const { key, total, ...names } of this.#all()) {
      const more = total - (this.#told.get(key) ?? 0);
      if (more === 0) continue;
      if (left-- === 0) return;
      this.#told.set(key, total);
      this.#write({ indexes: [names.index], blobs: names.blobs, doubles: [more] });
    }
  }

  #all(): readonly { readonly key: string; readonly total: number; readonly index: string; readonly blobs: readonly string[] }[] {
    const { answers, origins, unitsSpent } = this.#counts;
    return [
      { key: 'units', total: unitsSpent, index: 'units', blobs: ['units'] },
      ...[...origins].flatMap(([url, { buckets, seconds, isOpen }]) => {
        const blobs = ['origin', url, isOpen ? 'open' : 'closed'];
        return [
          { key: `origin ${url}`, total: buckets.reduce((sum, count) => sum + count, 0), index: 'origin', blobs: [...blobs, 'answers'] },
          { key: `seconds ${url}`, total: seconds, index: 'origin', blobs: [...blobs, 'seconds'] },
        ];
      }),
      ...[...answers].map(([key, { operation, status, reason, cache, count }]) =>
        ({ key: `answers ${key}`, total: count, index: operation, blobs: ['requests', operation, status, reason, cache] })),
    ];
  }
}
