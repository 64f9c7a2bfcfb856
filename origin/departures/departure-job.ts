/**
 * The end of an account (SEMANTICS §20) as a job, so that it is finished by another process where this one ends. What it does is
 * done once more without harm:
 *
 *   account, sessions, memberships ─▶ API keys ─▶ webhooks ─▶ documents, resource by resource, some at a time
 *
 * It runs at once, and again when the last access token is over: whoever holds one can write until then.
 */
import * as z from 'zod';
import { apiKeys, apiKeyUses } from '../../shared/api-keys/resource.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { peopleLimits } from '../../shared/people/limits.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { webhooks } from '../../shared/webhooks/resource.ts';
import type { OriginContext } from '../origin-context.ts';
import { inTime } from '../feed/consumer.ts';
import { enqueuing } from '../job-queue/enqueue.ts';
import type { JobCall } from '../job-queue/job-call.ts';
import { type Job, job } from '../job-queue/job.ts';
import { TryLater } from '../job-queue/try-later.ts';
import type { FollowUp, Mutation } from '../store/store.ts';
import type { Departing } from './departing.ts';

const payload = z.object({ subject: z.string() });
type Payload = z.output<typeof payload>;

const departureLimits = {
  /** Documents of one transaction, each with what its relations remove. */
  atOnce: 50,
  /** What an attempt may work; the next goes on, so that a stop waits for none. */
  attemptMs: 15_000,
  /** Clocks of origins and edges, and a request that is under way. */
  tokenLeewayMs: 60_000,
} as const;

/** No job of a team has such a name, with a space in it. An attempt that is over with its time counts as one. */
export function departureJob(toContext: () => OriginContext, departings: readonly Departing[]): Job {
  return job({
    name: 'person departs', payload, queue: { name: 'departures', concurrency: 1 }, attempts: 1_000,
    async handler(call) {
      const { people, store } = toContext();
      const { subject } = call.payload;
      await (await people?.opened())?.forget(subject);
      await removeOwned(store, apiKeys, subject, (id) => [{ resource: apiKeyUses, id, decide: removingOne }]);
      await removeOwned(store, webhooks, subject, () => []);
      const endMs = Date.now() + departureLimits.attemptMs;
      for (const each of departings) await settle(call, each, endMs);
      return undefined;
    },
  });
}

/** Once it resolves, the account ends, whatever becomes of this process. */
export async function beginDeparture({ store, now }: Pick<OriginContext, 'store' | 'now'>, departs: Job, subject: string): Promise<void> {
  const nowMs = now();
  const afterTokens = nowMs + peopleLimits.tokenSeconds * 1_000 + departureLimits.tokenLeewayMs;
  const mutations = [{ dedupe: subject }, { dedupe: `${subject} again`, runAt: afterTokens }].map((how) =>
    enqueuing(departs, { subject }, how, { principal: anonymous, nowMs }));
  await store.write(mutations, { ...inTime(), atomic: true });
}

async function removeOwned(
  store: OriginContext['store'], resource: Resource, owner: string, alsoOf: (id: string) => readonly FollowUp[],
): Promise<void> {
  const sort = [{ field: 'id', descending: false }];
  const limit = departureLimits.atOnce;
  const request = { equal: { owner: [owner] }, range: undefined, sort, where: true, after: undefined, limit } as const;
  for (;;) {
    const { value: rows } = await store.list(resource, request, inTime());
    if (rows.length === 0) return;
    await store.write(rows.map(({ document: { id } }): Mutation => ({
      resource, id, decide: (found) => (found === undefined ? { kind: 'keep' } : { kind: 'remove', also: alsoOf(id) }),
    })), inTime());
  }
}

const removingOne: FollowUp['decide'] = (found) => ({ kind: found === undefined ? 'keep' : 'remove' });

/** A change that is refused, by what other resources say of it, fails the attempt, and `/jobs` says why. */
async function settle(call: JobCall<Payload>, { of, by, fate }: Departing, endMs: number): Promise<void> {
  for (;;) {
    const { data } = await call.list(of, { [by]: call.payload.subject, limit: departureLimits.atOnce });
    if (data.length === 0) return;
    const ids = data.map(({ id }) => String(id));
    await call.write(ids.map((id) => (fate === 'remove' ? call.remove(of, id) : call.merge(of, id, () => ({ [by]: null })))));
    if (Date.now() > endMs) throw new TryLater(`more of ${of.name} to come`, 0);
  }
}
