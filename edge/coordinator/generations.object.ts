/**
 * The coordinator: one Durable Object that hears of changes and answers which generations were raised. What
 * it knows of positions is on disk and survives restarts. What it knows of time is not: after a restart on
 * another machine the old clock means nothing, so generations are unknown until the next report (≤ 250 ms).
 *
 * It can lose everything: then it joins no report, says so, and the origin raises everything.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Changes, Heard, ReportOutcome, SignedReport } from './changes.ts';
import { Declarations } from './declarations.ts';
import { GenerationsTable } from './generations-table.ts';

/** Nonces kept at most; some origins send five reports a second, and each nonce is kept for a minute. */
const noncesMax = 20_000;

export class Coordinator extends DurableObject {
  readonly #table: GenerationsTable;
  readonly #declarations: Declarations;
  /** When `through` was known to be complete, in this object's clock. */
  #asOf: number | undefined;
  /**
   * Nonces are in memory alone: a report repeated after a restart raises nothing that is not raised, and an epoch that
   * was left is remembered on disk.
   */
  readonly #nonces = new Map<string, number>();

  constructor(state: DurableObjectState, bindings: unknown) {
    super(state, bindings as never);
    const { sql } = state.storage;
    [this.#table, this.#declarations] = state.storage.transactionSync(() => [new GenerationsTable(sql), new Declarations(sql)] as const);
  }

  report({ report, nonce, expiresAt }: SignedReport): ReportOutcome {
    const now = Date.now();
    if (!this.#spend(nonce, expiresAt, now)) return 'replayed';
    const knowsContract = this.#declarations.hear(report, now);
    const before = this.#table.standing();
    const accepted = this.ctx.storage.transactionSync(() => this.#table.apply(report, now));
    if (accepted) this.#observe(report.asOf, now, report.from === null);
    const { epoch, through } = accepted ? this.#table.standing() : before;
    return { accepted, epoch, through: epoch === null ? null : through, now, knowsContract };
  }

  changesSince(resource: string, heard: Heard | undefined): Changes {
    const now = Date.now();
    const ageMs = this.#asOf === undefined ? null : Math.max(0, now - this.#asOf);
    return { ...this.#table.changesSince(resource, heard), ageMs, ...this.#declarations.servedNow(resource, now) };
  }

  /**
   * "All changes before `asOf` are at or before `through`" stays true when `through` grows, so the latest
   * such moment counts. It is never in the future. A report that begins anew says for itself.
   */
  #observe(asOf: number | null, now: number, anew: boolean): void {
    if (anew) this.#asOf = undefined;
    if (asOf !== null) this.#asOf = Math.max(this.#asOf ?? 0, Math.min(asOf, now));
  }

  #spend(nonce: string, expiresAt: number, now: number): boolean {
    for (const [old, until] of this.#nonces) {
      if (until > now && this.#nonces.size < noncesMax) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, expiresAt);
    return true;
  }
}
