/**
 * What a store holds: beside what is declared, events that wait for hooks, progress of read models, rates of queues and logs,
 * where there are any.
 */
import type { Contract } from '../shared/contract/contract.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { AfterCommit } from './after-commit/after-commit.ts';
import { heldEvents } from './after-commit/held-events.ts';
import { historyStoresOf } from './history/stored-history.ts';
import type { Job } from './job-queue/job.ts';
import { queueStarts } from './job-queue/queue-starts.ts';
import { progress } from './read-models/progress.ts';
import { rowsBeside } from './read-models/rows-beside.ts';
import type { ReadModel } from './read-models/read-model.ts';

/** What follows from changes, and from time. */
export interface Following {
  readonly afterCommits?: readonly AfterCommit[];
  readonly readModels?: readonly ReadModel[];
  readonly jobs?: readonly Job[];
}

export function storedBy(contract: Contract, { afterCommits = [], readModels = [], jobs = [] }: Following): readonly Resource[] {
  const held = afterCommits.length === 0 ? [] : [heldEvents];
  const ofModels = readModels.length === 0 ? [] : [progress, rowsBeside];
  const starts = jobs.some(({ queue }) => queue.rate !== undefined) ? [queueStarts] : [];
  return [...contract.stored, ...held, ...ofModels, ...starts, ...historyStoresOf(contract)];
}
