/**
 * The report by which the database invalidates the edge: `POST /.tombolo/changes`, origin to Worker, signed.
 * It says "in (from, through] these buckets changed, and nothing else". Accepted only if it joins what the
 * coordinator has; raised by max, so a lost, repeated or reordered one cannot lower anything.
 */
import * as z from 'zod';

export const reportPath = '/.tombolo/changes';

const order = z.string().regex(/^[0-9a-f]{8,64}$/);

export const reportSchema = z.strictObject({
  epoch: z.string().regex(/^[0-9a-f]{16}$/),
  /** Exclusive start. `null`: nothing is known before `through`; everything at or before it is raised to it. */
  from: order.nullable(),
  through: order,
  /**
   * When completeness was observed, in the coordinator's own clock (its last `now` plus the time measured
   * since that arrived), so that neither skewed clocks nor a delayed report make an old state look young.
   * `null` on the first report: joined, but not yet fresh.
   */
  asOf: z.number().nullable(),
  /** By resource, by bucket: the position of the last change in it. */
  raised: z.record(z.string(), z.record(z.string().regex(/^\d{1,4}$/), order)),
  /** Resources raised as a whole. */
  whole: z.record(z.string(), order),
  /**
   * Digest of the contract that the reporting origin serves. While an edge hears of another one than its own,
   * nothing stored counts as fresh: a rule that became stricter at the origin must bind at once (SEMANTICS §2).
   */
  contract: z.string().regex(/^[0-9a-f]{16}$/).optional(),
});

export type Report = z.infer<typeof reportSchema>;

export interface ReportAnswer {
  /** False: it did not join; `epoch` and `through` say where the coordinator stands, `null` when nowhere. */
  readonly accepted: boolean;
  readonly epoch: string | null;
  readonly through: string | null;
  /** The coordinator's clock, milliseconds. */
  readonly now: number;
}

/** A report is sent at least this often, also when nothing changed. */
export const reportIdleMs = 250;
