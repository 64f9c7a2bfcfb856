/** What a team, or a test, adds to what is served, and what is wrong with it: with any mistake nothing starts. */
import type { Contract } from '../shared/contract/contract.ts';
import { mustBeSound } from '../shared/checks/sound.ts';
import type { Plans } from '../shared/limits/plans.ts';
import type { AfterCommit } from './after-commit/after-commit.ts';
import { mustAfterCommits } from './after-commit/checks.ts';
import type { HoldLimits } from './after-commit/held-events.ts';
import { type Departing, mustDepartings } from './departures/departing.ts';
import { type BeforeWrite, type BeforeWrites, mustBeforeWrites } from './documents/before-write.ts';
import type { Consumer } from './feed/consumer.ts';
import type { LeaseTimes } from './feed/lease.ts';
import type { Incoming } from './incoming/event.ts';
import { type Incomings, mustIncoming } from './incoming/incoming.ts';
import { mustJobs, mustSchedules } from './job-queue/checks.ts';
import type { Job } from './job-queue/job.ts';
import type { Schedule } from './job-queue/schedule.ts';
import type { WorkerTimes } from './job-queue/worker.ts';
import type { SignToken } from './people/auth.ts';
import { mustReadModels } from './read-models/checks.ts';
import type { ReadModel } from './read-models/read-model.ts';
import type { WebhookTimes } from './webhooks/delivery-job.ts';
import { mustWorkflows } from './workflow-engine/checks.ts';
import type { Workflows } from './workflow-engine/stored-workflow.ts';
import { jobsOfWorkflow, type Workflow } from './workflow-engine/workflow.ts';

export interface Own {
  readonly plans?: Plans;
  /** What follows from changes, beside live streams and the edge's cache. */
  readonly consumers?: readonly Consumer[];
  readonly hooks?: readonly BeforeWrite[];
  readonly afterCommits?: readonly AfterCommit[];
  readonly readModels?: readonly ReadModel[];
  readonly departings?: readonly Departing[];
  readonly jobs?: readonly Job[];
  readonly workflows?: readonly Workflow[];
  readonly schedules?: readonly Schedule[];
  readonly incoming?: readonly Incoming[];
  readonly jobTimes?: WorkerTimes;
  readonly webhookTimes?: WebhookTimes;
  readonly leaseTimes?: LeaseTimes;
  /** Between two rounds of erasing what was removed long ago. */
  readonly erasingRestMs?: number;
  readonly holdLimits?: HoldLimits;
  /** Other processes of the same user serve the same database at the same port; the system shares connections out. */
  readonly isOneOfSeveral?: boolean;
  /** Signs access tokens of people in place of keys of their own. */
  readonly signToken?: SignToken;
}

/** The same, found to be right, by the names that it is asked for. */
export interface Checked {
  readonly beforeWrites: BeforeWrites;
  readonly workflows: Workflows;
  /** Those of workflows among them. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly incoming: Incomings;
}

/** Throws a DeclarationError. */
export function mustBeRight(contract: Contract, own: Own): Checked {
  const { hooks = [], afterCommits = [], readModels = [], departings = [], jobs = [], schedules = [] } = own;
  mustBeSound(contract);
  mustAfterCommits(afterCommits, contract);
  mustReadModels(readModels, afterCommits, contract);
  mustDepartings(departings, contract);
  const workflows = mustWorkflows(own.workflows ?? [], contract);
  const checked = mustJobs(jobs, [...workflows.values()].flatMap(jobsOfWorkflow));
  mustSchedules(schedules, checked);
  return { beforeWrites: mustBeforeWrites(hooks, contract), workflows, jobs: checked, incoming: mustIncoming(own.incoming ?? [], jobs) };
}
