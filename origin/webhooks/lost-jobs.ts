/**
 * Deliveries whose job will not be run any more, since its last attempt failed or an admin cancelled it: they are dead as well, so
 * that their owner finds them and may send them again, and the next of their lines are sent.
 */
import type { Change, DocumentChange } from '../../shared/contract/change.ts';
import { jobs, type StoredJob } from '../../shared/jobs/resource.ts';
import { deliveries } from '../../shared/webhooks/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { inTime } from '../feed/consumer.ts';
import { jobIn } from '../job-queue/stored-job.ts';
import type { FollowUp, Mutation, Reach, Store } from '../store/store.ts';
import { givenUp, goingOn, type Lost, type Making } from './delivery-writes.ts';
import { deliveryIn } from './stored-webhook.ts';
import { leavingOnceEnded } from './turns.ts';

/** No job of a team has such a name, with a space in it. */
export const deliveryJobName = 'webhook delivery';

export function isOfLostJob(change: Change): change is DocumentChange {
  if (change.resource !== jobs.name || change.kind !== 'document') return false;
  const { state, name } = change.after ?? {};
  return (state === 'dead' || state === 'cancelled') && name === deliveryJobName;
}

export async function endsOfLost(store: Pick<Store, 'many'>, changes: readonly Change[], how: Making): Promise<readonly Mutation[]> {
  const lost = new Map(changes.filter(isOfLostJob)
    .flatMap(({ id, after }) => (after == null ? [] : [lostIn(id, jobIn({ value: after }))])));
  if (lost.size === 0) return [];
  const { value: found } = await store.many(deliveries, [...lost.keys()], inTime());
  return found.flatMap((document): readonly Mutation[] => {
    const { id } = document;
    const { webhook, turn } = deliveryIn(document);
    const of = lost.get(id);
    if (of === undefined) return [];
    return [givenUp(id, of, how.nowMs), ...(turn === undefined ? [] : [leavingOnceEnded(turn, { id, webhook }, how)])];
  });
}

/** What is written with a job that is retried; of a delivery by which nothing more is sent, that is refused by a Fault. */
export function retriedWith(job: StoredJob, reach: Reach, nowMs: number): readonly FollowUp[] {
  if (job.name !== deliveryJobName) return [];
  const id = deliveryOf(job);
  const found = reach.named(deliveries, id, { stays: false });
  const state = found === undefined ? 'not kept any more' : deliveryIn(found).state;
  if (state !== 'dead' && state !== 'waiting') throw new Fault('document_conflict', { detail: `the delivery of the job is ${state}` });
  return [goingOn(id, nowMs)];
}

function deliveryOf({ payload }: StoredJob): string {
  return (JSON.parse(payload) as { readonly delivery: string }).delivery;
}

/** By the id of the delivery; `why`: in words for its owner. */
function lostIn(id: string, job: StoredJob): readonly [string, Lost] {
  return [deliveryOf(job), { job: id, why: job.state === 'dead' ? job.told ?? 'it failed' : 'its job was cancelled' }];
}
