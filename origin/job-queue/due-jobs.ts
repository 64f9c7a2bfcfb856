/** Jobs that something is to be done about by now: when the next of them is, and what becomes of them, whoever left them. */
import { instantAt } from '../../shared/wire/values.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Store } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { Jobs } from './checks.ts';
import { type Claims, inTime } from './claims.ts';
import { atOnceMax, toDue } from './job-lists.ts';
import { duly } from './job-writes.ts';

/** What is due is looked for so often at most. */
const leastDueMs = 50;
/** Jobs that ended are kept to the minute. */
const forgetMs = 60_000;

const unfinished = ['delayed', 'running'] as const;
const ended = ['done', 'cancelled', 'dead'] as const;

export interface DueJobsOptions {
  readonly store: Store;
  readonly claims: Claims;
  readonly declared: Jobs;
  readonly idleMs: number;
}

export class DueJobs {
  readonly #options: DueJobsOptions;
  #atMs = 0;
  #freedAtMs = 0;
  #forgetAtMs = 0;

  constructor(options: DueJobsOptions) {
    this.#options = options;
  }

  /** When they are looked at next. */
  get atMs(): number {
    return this.#atMs;
  }

  /** Others may be due that were not heard of. */
  lost(): void {
    this.#atMs = 0;
  }

  isAt(ms: number): void {
    this.#atMs = Math.min(this.#atMs, ms);
  }

  /** Something is due then; where others free it, that is looked at again a little later. */
  hear(dueAt: string): void {
    this.isAt(Math.max(Date.parse(dueAt), this.#freedAtMs + leastDueMs));
  }

  /** What was left of each that was due. Whatever a full batch leaves is found in the next round. */
  async free(nowMs: number): Promise<readonly (StoredDocument | undefined)[]> {
    const { claims, idleMs } = this.#options;
    this.#freedAtMs = nowMs;
    this.#atMs = nowMs + idleMs;
    const forgets = nowMs >= this.#forgetAtMs;
    if (forgets) this.#forgetAtMs = nowMs + forgetMs;
    const states = [...unfinished, ...(forgets ? ended : [])];
    // In one read: claims wait for it, and where attempts fail it comes often.
    const found = await claims.lists([
      ...unfinished.map((state) => ({ ...toDue(state, { gt: instantAt(nowMs) }), limit: 1 })),
      ...states.map((state) => toDue(state, { lte: instantAt(nowMs) })),
    ]);
    const [next, due] = [found.slice(0, unfinished.length).flat(), found.slice(unfinished.length)];
    const left = await this.#write(due.flat().map(({ id }) => id), nowMs);
    const isFull = due.some(({ length }) => length === atOnceMax);
    if (isFull) {
      this.#forgetAtMs = 0;
      this.isAt(nowMs);
    } else {
      for (const { job } of next) this.hear(job.dueAt);
    }
    return left;
  }

  async #write(ids: readonly string[], nowMs: number): Promise<readonly (StoredDocument | undefined)[]> {
    const { store, declared } = this.#options;
    if (ids.length === 0) return [];
    const { outcomes } = await store.write(ids.map((id) => duly(id, nowMs, (name) => declared.get(name))), inTime());
    mustNoneBeRefused(outcomes);
    return outcomes.map((outcome) => (outcome.kind === 'written' ? outcome.after : undefined));
  }
}
