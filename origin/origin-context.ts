/** All that is long-lived in one origin process: beside what the work is done with, what carries calls out and whom they cause. */
import type { FaultReason } from '../shared/wire/fault.ts';
import type { KeptAnswers } from './answers/kept-answers.ts';
import type { Context } from './context.ts';
import type { Deferrals } from './deferred/deferrals.ts';
import type { KnownCalls } from './hop/known-calls.ts';
import type { Incomings } from './incoming/incoming.ts';
import type { Jobs } from './job-queue/checks.ts';
import type { Job } from './job-queue/job.ts';
import type { Measuring } from './metrics/requests.ts';
import type { People, PeopleReason } from './people/people.ts';
import type { DeliveryCounts } from './webhooks/delivery-counts.ts';
import type { Workflows } from './workflow-engine/stored-workflow.ts';

export interface OriginContext extends Context {
  readonly deferrals: Deferrals;
  /** `undefined`: nothing is kept. */
  readonly answers: KeptAnswers | undefined;
  readonly calls: KnownCalls;
  /** `undefined`: people are off (`TOMBOLO_PEOPLE`). */
  readonly people: People | undefined;
  readonly incoming: Incomings;
  readonly workflows: Workflows;
  /** The team's, with those of workflows. */
  readonly jobs: Jobs;
  /** The job that delivers what webhooks are told. */
  readonly delivers: Job;
  readonly deliveryCounts: DeliveryCounts;
  /** `undefined`: nobody asks for metrics, so nothing is measured. */
  readonly measuring: Measuring | undefined;
  /** Refusals by reason, since the start; each log line tells the count. */
  readonly refusals: Map<FaultReason | PeopleReason, number>;
}
