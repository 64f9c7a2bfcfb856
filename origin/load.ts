/**
 * How much this process has to do, and what it refuses for that, the dearest first (`load-level.ts`). The level is the higher
 * of two: of the calls under way, and of how late the event loop is, smoothed over some ten measures.
 */
import { type LoadLevel, loadRetrySeconds, refusedAt } from '../shared/operations/load-level.ts';
import type { Operation } from '../shared/operations/operation.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { Fault } from '../shared/wire/fault.ts';
import type { Started } from './services/services.ts';

/** The levels 1 to 4 begin at these. */
const callsAt = [500, 1_000, 2_000, 4_000] as const;
const lagMsAt = [250, 500, 750, 1_000] as const;

const lagEveryMs = 50;
/** One pause, however long, is not load: a machine that slept is asked again at once. */
const lagMsMax = 2_000;
/** The part of a new measure in the smoothed one. */
const lagPart = 0.1;

export class Load {
  #calls = 0;
  #lagMs = 0;

  get level(): LoadLevel {
    return Math.max(levelOf(this.#calls, callsAt), levelOf(this.#lagMs, lagMsAt)) as LoadLevel;
  }

  /** Takes a place, or throws `overloaded`; what it returns gives the place back. */
  mustEnter({ resource, operation }: { readonly resource: Resource; readonly operation: Operation }): () => void {
    const { level } = this;
    // Most calls come at no load at all.
    if (level > 0) mustStay(level, refusedAt(resource, operation), { calls: this.#calls, lagMs: Math.round(this.#lagMs) });
    this.#calls++;
    return () => void this.#calls--;
  }

  noteLag(ms: number): void {
    this.#lagMs += (Math.min(lagMsMax, Math.max(0, ms)) - this.#lagMs) * lagPart;
  }
}

/** Measures the lag until it is stopped. */
export function startLoad(): Started<Load> {
  const load = new Load();
  let due = performance.now() + lagEveryMs;
  const timer = setInterval(() => {
    const now = performance.now();
    load.noteLag(now - due);
    due = now + lagEveryMs;
  }, lagEveryMs);
  return {
    value: load,
    stop: async () => clearInterval(timer),
    state: () => ({ ready: true, ...(load.level > 0 ? { detail: `refuses by load, level ${load.level} of 4` } : {}) }),
  };
}

function levelOf(measure: number, beginsAt: readonly number[]): number {
  return beginsAt.filter((least) => measure >= least).length;
}

function mustStay(level: LoadLevel, from: Exclude<LoadLevel, 0>, facts: Readonly<Record<string, number>>): void {
  if (level < from) return;
  throw new Fault('overloaded', {
    detail: 'the origin has too much to do, and refuses what costs most first',
    headers: { 'retry-after': String(loadRetrySeconds[from]) },
    facts: { level, ...facts },
  });
}
