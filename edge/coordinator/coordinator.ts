/**
 * Hears of changes and answers which generations were raised. What it knows of positions is in its storage and survives
 * restarts where that does. What it knows of time is not: after a restart on another machine the old clock means nothing,
 * so generations are unknown until the next report (≤ 250 ms).
 *
 * It can lose everything: then it joins no report, says so, and the origin raises everything.
 */
import type { Report, ReportAnswer } from '../../shared/hop/purge-report.ts';
import type { Changes, Heard } from './changes.ts';
import { Declarations } from './declarations.ts';
import { type GenerationsKeeper, GenerationsTable } from './generations-table.ts';
import type { Storage } from './sql.ts';

export class GenerationsCoordinator {
  readonly #storage: Storage;
  readonly #keeper: GenerationsKeeper;
  readonly #declarations: Declarations;
  /** When `through` was known to be complete, in this process's clock. */
  #asOf: number | undefined;

  /** `generations`: where they are kept, unless beside the rest. */
  constructor(storage: Storage, generations?: GenerationsKeeper) {
    this.#storage = storage;
    const { sql } = storage;
    [this.#keeper, this.#declarations] = storage.transactionSync(() =>
      [generations ?? new GenerationsTable(sql), new Declarations(sql)] as const);
  }

  report(report: Report, now: number): ReportAnswer {
    const knowsContract = this.#declarations.hear(report, now);
    const before = this.#keeper.standing();
    const accepted = this.#storage.transactionSync(() => this.#keeper.apply(report, now));
    if (accepted) this.#observe(report.asOf, now, report.from === null);
    const { epoch, through } = accepted ? this.#keeper.standing() : before;
    return { accepted, epoch, through: epoch === null ? null : through, now, knowsContract };
  }

  changesSince(resource: string, heard: Heard | undefined, now: number): Changes {
    // What is known as of a moment that is yet to come, since the clock was set back, is not known.
    const ageMs = this.#asOf === undefined || this.#asOf > now ? null : now - this.#asOf;
    return { ...this.#keeper.changesSince(resource, heard), ageMs, ...this.#declarations.servedNow(resource, now) };
  }

  /**
   * "All changes before `asOf` are at or before `through`" stays true when `through` grows, so the latest
   * such moment counts. It is never in the future. A report that begins anew says for itself, and so does the first after
   * the clock was set back.
   */
  #observe(asOf: number | null, now: number, anew: boolean): void {
    if (anew || (this.#asOf ?? 0) > now) this.#asOf = undefined;
    if (asOf !== null) this.#asOf = Math.max(this.#asOf ?? 0, Math.min(asOf, now));
  }
}
