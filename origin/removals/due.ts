/** What is taken out once its days are over: removed documents, events of logs of changes, and names of webhooks. */
import type { Contract } from '../../shared/contract/contract.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { incomingLimits } from '../../shared/incoming/limits.ts';
import { received } from '../../shared/incoming/resource.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { eventsOf } from '../history/logging.ts';
import { historyStoresOf } from '../history/stored-history.ts';
import type { Incoming } from '../incoming/event.ts';
import type { Incomings } from '../incoming/incoming.ts';
import type { About, Decision, ListRequest, Mutation, Reach } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

export interface Due extends Pick<ListRequest, 'equal'> {
  /** In what is told of troubles. Of several of one name the later ones wait where an earlier one failed. */
  readonly name: string;
  readonly resource: Resource;
  /** The field that says since when the days count. */
  readonly at: string;
  readonly keptDays: number;
  /** What comes of one whose moment, as it stands in the transaction, was before. */
  decide(about: About, there: StoredDocument | undefined, reach: Reach): Decision;
}

/** Deliveries of webhooks are known for their days. `now` is of events of what is erased, in milliseconds of the epoch. */
export function dueOf({ resources }: Pick<Contract, 'resources'>, incoming: Incomings, now: () => number): readonly Due[] {
  const stores = historyStoresOf({ resources });
  return [
    ...[...resources.values()].flatMap((resource) => [...removedIn(resource, now), ...loggedOf(resource, stores)]),
    ...[...incoming.values()].map(receivedFrom),
  ];
}

function removedIn(resource: Resource, now: () => number): readonly Due[] {
  const { name, removal } = resource;
  if (removal?.keptDays === undefined) return [];
  const { at, keptDays } = removal;
  const cause = { operation: { name: 'erase' }, principal: anonymous, isSystem: true, requestId: undefined } as const;
  return [{
    name, resource, at, keptDays, equal: {},
    // Restored meanwhile, it is not due.
    decide: (about, there, reach) => (there === undefined || !isRemoved(about.resource, there.value)
      ? { kind: 'keep' }
      : { kind: 'remove', also: eventsOf(about, () => there, { cause, reach, nowMs: now() }) }),
  }];
}

function receivedFrom({ source: { name, keptDays = incomingLimits.keptDaysDefault } }: Incoming): Due {
  return {
    name: `webhooks of ${name}`, resource: received, at: 'at', keptDays, equal: { source: [name] }, decide: () => ({ kind: 'remove' }),
  };
}

function loggedOf({ name, history }: Resource, stores: readonly Resource[]): readonly Due[] {
  if (history === undefined) return [];
  // The number of a document's last event outlives its events: without it, numbers begin anew.
  return stores.map((resource) => ({
    name: `the history of ${name}`, resource, at: 'at', keptDays: history.keptDays, equal: { resource: [name] },
    decide: () => ({ kind: 'remove' }),
  }));
}

/** Removed once more, or changed, meanwhile it is not due. */
export function toMutation({ at, decide }: Due, about: About, dueBefore: string): Mutation {
  return {
    ...about,
    decide(there, reach) {
      const since = there?.value[at];
      return typeof since === 'string' && since < dueBefore ? decide(about, there, reach) : { kind: 'keep' };
    },
  };
}
