/** What became of the attempts of this process since its start, for whoever looks at its metrics. */
import { instantAt } from '../../shared/wire/values.ts';
import type { Figures } from '../services/figures.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { jobIn } from './stored-job.ts';

/** `left`: the job goes on in another attempt or was cancelled, and nothing went wrong here. */
export type AttemptEnd = 'done' | 'failed' | 'dead' | 'left';

export class Tally {
  readonly #ends: Record<AttemptEnd, number> = { done: 0, failed: 0, dead: 0, left: 0 };
  #running = 0;

  get figures(): Figures {
    const { done, failed, dead } = this.#ends;
    return { jobsRunning: this.#running, jobsDone: done, jobsDead: dead, failures: failed };
  }

  async of(attempt: Promise<AttemptEnd>): Promise<void> {
    this.#running++;
    const end = await attempt;
    this.#running--;
    this.#ends[end]++;
  }

  /** What was left of jobs that were freed then: of a last attempt whose process was lost nobody else tells. */
  freed(left: readonly (StoredDocument | undefined)[], nowMs: number): void {
    for (const job of left.flatMap((document) => (document === undefined ? [] : [jobIn(document)]))) {
      if (job.state === 'dead' && job.ended === instantAt(nowMs)) this.#ends.dead++;
    }
  }
}
