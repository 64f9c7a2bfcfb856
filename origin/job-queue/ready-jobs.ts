/**
 * Looks through all that is ready where the feed does not tell of it, at a start and where history was lost: for lanes that have
 * something, and for jobs whose queue is declared to be another by now, which are put there. Another release may leave such a job
 * later; where one is heard of it is looked for when each queue is, so that two releases do not pass it to and fro all the time.
 */
import { jobs, type StoredJob } from '../../shared/jobs/resource.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { FollowUp, ListRequest, Store } from '../store/store.ts';
import type { Jobs } from './checks.ts';
import { inTime } from './claims.ts';
import { atOnceMax, toDue } from './job-lists.ts';
import { queueOf, requeueing } from './job-writes.ts';
import { jobIn } from './stored-job.ts';

export class ReadyJobs {
  readonly #store: Store;
  readonly #declared: Jobs;
  #isDue = true;
  #hasMoved = false;

  constructor(store: Store, declared: Jobs) {
    this.#store = store;
    this.#declared = declared;
  }

  /** Others may be ready that were not heard of. */
  lost(): void {
    this.#isDue = true;
  }

  hear(job: Pick<StoredJob, 'name' | 'queue'>): void {
    this.#hasMoved ||= this.#isMoved(job);
  }

  /** Each queue is looked into. */
  lookEverywhere(): void {
    this.#isDue ||= this.#hasMoved;
    this.#hasMoved = false;
  }

  /** Where it fails it is done again. `hear` is told where something is ready. */
  async find(hear: (queue: string) => void, signal: AbortSignal): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    try {
      await this.#findAll(hear, signal);
    } catch (cause) {
      this.#isDue = true;
      throw cause;
    }
  }

  async #findAll(hear: (queue: string) => void, signal: AbortSignal): Promise<void> {
    let after: ListRequest['after'];
    do {
      const { value } = await this.#store.list(jobs, { ...toDue('ready', {}), range: undefined, after }, inTime());
      const found = value.map(({ document }) => ({ id: document.id, job: jobIn(document) }));
      for (const { job } of found) hear(job.queue);
      const moved = found.filter(({ job }) => this.#isMoved(job));
      await this.#write(moved.map(({ id }) => requeueing(id, (name) => this.#declared.get(name))));
      after = value.length < atOnceMax ? undefined : value.at(-1)?.keys;
    } while (after !== undefined && !signal.aborted);
  }

  #isMoved(job: Pick<StoredJob, 'name' | 'queue'>): boolean {
    return queueOf(job, this.#declared.get(job.name)) !== job.queue;
  }

  async #write(mutations: readonly FollowUp[]): Promise<void> {
    if (mutations.length > 0) mustNoneBeRefused((await this.#store.write(mutations, inTime())).outcomes);
  }
}
