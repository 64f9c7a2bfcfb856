/** Lists of stored jobs by the shapes that they have: what is due in a state, and what is next in a queue. */
import type { Range } from '../../shared/contract/filter.ts';
import type { StoredJob } from '../../shared/jobs/resource.ts';
import type { ListRequest } from '../store/store.ts';

/** Claimed, freed or looked through in one step. */
export const atOnceMax = 100;

const byDue = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];

export function toDue(state: StoredJob['state'], bounds: Range['bounds']): ListRequest {
  return { equal: { state: [state] }, range: { field: 'dueAt', bounds }, sort: byDue, where: true, after: undefined, limit: atOnceMax };
}

export function toNext(queue: string): Omit<ListRequest, 'limit'> {
  return {
    equal: { queue: [queue], state: ['ready'] }, range: undefined, where: true, after: undefined,
    sort: [{ field: 'priority', descending: true }, ...byDue],
  };
}
