/** What a store holds: beside what is declared, events that wait for hooks, and logs of changes, where there are any. */
import type { Contract } from '../shared/contract/contract.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { AfterCommit } from './after-commit/after-commit.ts';
import { heldEvents } from './after-commit/held-events.ts';
import { historyStoresOf } from './history/stored-history.ts';

export function storedBy(contract: Contract, afterCommits: readonly AfterCommit[]): readonly Resource[] {
  return [...contract.stored, ...(afterCommits.length === 0 ? [] : [heldEvents]), ...historyStoresOf(contract)];
}
