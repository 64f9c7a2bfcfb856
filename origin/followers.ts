/** What follows from changes, and from time: services that are started once all that they ask is there. */
import type { OriginContext } from './origin-context.ts';
import { startHooks } from './after-commit/start-hooks.ts';
import { startEntries } from './entries/start-entries.ts';
import type { Job } from './job-queue/job.ts';
import { startScheduler } from './job-queue/scheduler.ts';
import { startWorker } from './job-queue/start-worker.ts';
import type { Own } from './own.ts';
import { startReadModels } from './read-models/start-read-models.ts';
import { dueOf } from './removals/due.ts';
import { startErasing } from './removals/erasing.ts';
import { startWebhooks } from './webhooks/start-webhooks.ts';
import { hasWaits, startWaits } from './workflow-engine/waits.ts';

interface Following {
  /** Those that may be due; what delivers webhooks comes with the webhooks. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly onTrouble: (message: string, cause: unknown) => void;
}

export async function startFollowers(context: OriginContext, own: Own, { jobs, onTrouble }: Following): Promise<void> {
  const { contract, services, incoming, now, delivers, workflows } = context;
  const { afterCommits = [], readModels = [], schedules = [], jobTimes: times, leaseTimes, holdLimits, erasingRestMs: restMs } = own;
  const following = { onTrouble, leaseTimes };
  await startEntries(context, following);
  await startReadModels(readModels, context, following);
  await startHooks(afterCommits, context, { ...following, holdLimits });
  const due = dueOf(contract, incoming, now);
  if (due.length > 0) await services.start('erasing', () => startErasing(due, context, { ...following, restMs }));
  // Webhooks are told of what is live alone.
  const hasWebhooks = [...contract.resources.values()].some(({ live }) => live);
  if (hasWebhooks) await services.start('webhooks', () => startWebhooks(delivers, context, following));
  if (hasWaits(workflows)) await services.start('workflows', () => startWaits(workflows, context, following));
  const all = hasWebhooks ? withJob(jobs, delivers) : jobs;
  if (all.size > 0) await services.start('jobs', () => startWorker(all, context, { onTrouble, times }));
  if (schedules.length > 0) await services.start('schedules', () => startScheduler(schedules, context, { onTrouble }));
}

export function withJob(jobs: ReadonlyMap<string, Job>, more: Job): ReadonlyMap<string, Job> {
  return new Map([...jobs, [more.name, more]]);
}
