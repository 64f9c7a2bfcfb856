/** What a store holds: beside what is declared, events that wait for hooks, progress of read models and logs, where there are any. */
import type { Contract } from '../shared/contract/contract.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { AfterCommit } from './after-commit/after-commit.ts';
import { heldEvents } from './after-commit/held-events.ts';
import { historyStoresOf } from './history/stored-history.ts';
import { progress } from './read-models/progress.ts';
import type { ReadModel } from './read-models/read-model.ts';

/** What follows from changes. */
export interface Following {
  readonly afterCommits?: readonly AfterCommit[];
  readonly readModels?: readonly ReadModel[];
}

export function storedBy(contract: Contract, { afterCommits = [], readModels = [] }: Following): readonly Resource[] {
  const held = afterCommits.length === 0 ? [] : [heldEvents];
  return [...contract.stored, ...held, ...(readModels.length === 0 ? [] : [progress]), ...historyStoresOf(contract)];
}
