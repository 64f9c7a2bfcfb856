/**
 * The report by which the database invalidates the edge: `POST /.tombolo/changes`, origin to Worker, signed.
 * It says "in (from, through] these buckets changed, and nothing else". Accepted only if it joins what the
 * coordinator has; raised by max, so a lost, repeated or reordered one cannot lower anything.
 */
import * as z from 'zod';
import type { Contract } from '../contract/contract.ts';

export const reportPath = '/.tombolo/changes';

const order = z.string().regex(/^[0-9a-f]{8,64}$/);
const digest = z.string().regex(/^[0-9a-f]{16}$/);

/** Resources whose digests a report may carry, 170 KB at most; of a larger contract the digest of the whole is compared. */
const declaredResourcesMax = 2_000;

/**
 * Members that an edge does not know are passed over, so that an origin may say more first. What raises generations
 * stands in `raised` and `whole` alone: passed over, it would leave an old answer fresh.
 */
export const reportSchema = z.object({
  epoch: z.string().regex(/^[0-9a-f]{16}$/),
  /** Exclusive start. `null`: nothing is known before `through`; everything at or before it is raised to it. */
  from: order.nullable(),
  through: order,
  /**
   * The moment at which completeness was observed, in the coordinator's own clock (its last `now` plus the time measured
   * since that arrived), so that neither skewed clocks nor a delayed report make an old state look young.
   * `null` on the first report: joined, but not yet fresh.
   */
  asOf: z.number().nullable(),
  /** The position of the last change, by resource and bucket. */
  raised: z.record(z.string(), z.record(z.string().regex(/^\d{1,4}$/), order)),
  whole: z.record(z.string(), order),
  /** Digest of the contract that the reporting origin serves: the name of what `resources` says. */
  contract: digest.optional(),
  /**
   * The digest of each resource's declaration. While an edge hears of another one than its own, nothing stored of
   * that resource counts as fresh: a rule that became stricter at the origin must bind at once (SEMANTICS §2). Left away
   * where the coordinator says that it knows them; while it does not, the contract is compared as a whole.
   */
  resources: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), digest)
    .refine((declared) => Object.keys(declared).length <= declaredResourcesMax, `at most ${declaredResourcesMax} resources`).optional(),
});

export type Report = z.infer<typeof reportSchema>;

export type Declared = Pick<Report, 'contract' | 'resources'>;

/** What a report says of the contract that its origin serves. */
export function toDeclared({ digest, reported }: Pick<Contract, 'digest' | 'reported'>): Declared {
  if (reported.size > declaredResourcesMax) return { contract: digest };
  return { contract: digest, resources: Object.fromEntries([...reported.values()].map((resource) => [resource.name, resource.digest])) };
}

export interface ReportAnswer {
  /** False: it did not join; `epoch` and `through` say where the coordinator stands, `null` when nowhere. */
  readonly accepted: boolean;
  readonly epoch: string | null;
  readonly through: string | null;
  /** The coordinator's clock, milliseconds. */
  readonly now: number;
  /** Whether it has the digests of the resources of the report's contract, which need not be said again then. */
  readonly knowsContract?: boolean | undefined;
}

/** A report is sent at least this often, also when nothing changed. */
export const reportIdleMs = 250;
