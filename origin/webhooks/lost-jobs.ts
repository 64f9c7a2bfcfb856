/**
 * Deliveries whose job will not be run any more, since its last attempt failed or an admin cancelled it: they are dead as well, so
 * that their owner finds them and may send them again, and the next of their lines are sent.
 */
import type { Change, DocumentChange } from '../../shared/contract/change.ts';
import { jobs, type StoredJob } from '../../shared/jobs/resource.ts';
import { deliveries } from '../../shared/webhooks/resource.ts';
import { inTime } from '../feed/consumer.ts';
import { jobIn } from '../job-queue/stored-job.ts';
import type { Mutation, Store } from '../store/store.ts';
import { givenUp, type Making } from './delivery-writes.ts';
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
  const whys = new Map(changes.filter(isOfLostJob).flatMap(({ after }) => (after == null ? [] : [whyLost(jobIn({ value: after }))])));
  if (whys.size === 0) return [];
  const { value: found } = await store.many(deliveries, [...whys.keys()], inTime());
  return found.flatMap((document): readonly Mutation[] => {
    const { id } = document;
    const { webhook, turn } = deliveryIn(document);
    const dead = givenUp(id, whys.get(id) ?? '', how.nowMs);
    return [dead, ...(turn === undefined ? [] : [leavingOnceEnded(turn, { id, webhook }, how)])];
  });
}

/** By the id of the delivery, in words for its owner. */
function whyLost({ state, payload, told = 'it failed' }: StoredJob): readonly [string, string] {
  const { delivery } = JSON.parse(payload) as { readonly delivery: string };
  return [delivery, state === 'dead' ? told : 'its job was cancelled'];
}
