/**
 * The rate of a queue: how many attempts began lately, kept in the database, so that all processes count together and a restart
 * allows nothing anew. Jobs are claimed in the transaction that counts them.
 *
 * The period is divided into parts, and those that began in a part count until all of it is a period ago. So no period holds more
 * than are allowed, and what is allowed is there again a part too late at most.
 */
import * as z from 'zod';
import { resource } from '../../shared/contract/resource.ts';
import { integer } from '../../shared/contract/types.ts';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import type { FollowUp, Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { Rate } from './job.ts';
import { jobIn } from './stored-job.ts';

const schema = z.object({
  /** In their order; `part`: which one since the epoch. */
  starts: z.array(z.object({ part: integer(), count: integer() })),
});

type Starts = z.output<typeof schema>['starts'];

/** By the name of a queue. */
export const queueStarts = resource({
  name: 'tombolo_queue_starts', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema, shapes: {},
});

export interface Allowed {
  readonly free: number;
  /** When there is more, in milliseconds of the epoch; while nothing has begun, now. */
  readonly moreAtMs: number;
  /** With one more count of those that begin now. */
  counting(count: number): Starts;
}

export function startsIn(found: Pick<StoredDocument, 'value'> | undefined): Starts {
  return found === undefined ? [] : schema.parse({ starts: found.value['starts'] }).starts;
}

export function allowedAt(nowMs: number, { attempts, perMs }: Rate, starts: Starts): Allowed {
  const partMs = perMs / jobLimits.rateParts;
  const last = starts.at(-1)?.part ?? 0;
  const now = Math.floor(nowMs / partMs);
  // A clock that was set back by more than a period would hold all back for as long: what it counted is of no period now.
  const known = last > now + jobLimits.rateParts ? [] : starts;
  // One that is a little behind another process's counts for the part that this one was in.
  const part = known.length === 0 ? now : Math.max(now, last);
  const counted = known.filter(({ part: each }) => each + jobLimits.rateParts + 1 > nowMs / partMs);
  const begun = counted.reduce((sum, { count }) => sum + count, 0);
  return {
    free: Math.max(0, attempts - begun),
    moreAtMs: Math.ceil(((counted[0]?.part ?? now) + jobLimits.rateParts + 1) * partMs),
    counting: (count) => [
      ...counted.filter(({ part: each }) => each !== part),
      { part, count: count + counted.filter(({ part: each }) => each === part).reduce((sum, each) => sum + each.count, 0) },
    ],
  };
}

interface Starting {
  readonly queue: string;
  readonly rate: Rate;
  readonly nowMs: number;
}

/** Carries out as many of the claims as the rate allows, of those whose jobs are ready. */
export function starting({ queue, rate, nowMs }: Starting, claims: readonly FollowUp[]): Mutation {
  return {
    resource: queueStarts, id: queue,
    decide: (found, reach) => {
      const { free, counting } = allowedAt(nowMs, rate, startsIn(found));
      const ready = claims.filter(({ id }) => {
        const job = reach.named(jobs, id, { stays: false });
        return job !== undefined && jobIn(job).state === 'ready';
      });
      const also = ready.slice(0, free);
      return also.length === 0 ? { kind: 'keep' } : { kind: 'put', document: { starts: counting(also.length) }, also };
    },
  };
}
