/** Lists of stored jobs by the shapes that they have: what is due in a state, and what is next in a queue. */
import type { Range } from '../../shared/contract/filter.ts';
import type { StoredJob } from '../../shared/jobs/resource.ts';
import { toSortValue } from '../../shared/wire/values.ts';
import type { ListRequest } from '../store/store.ts';

/** Claimed, freed or looked through in one step. */
export const atOnceMax = 100;

const byDue = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];

export function toDue(state: StoredJob['state'], bounds: Range['bounds']): ListRequest {
  return { equal: { state: [state] }, range: { field: 'dueAt', bounds }, sort: byDue, where: true, after: undefined, limit: atOnceMax };
}

export function toNext(queue: string, limit: number): ListRequest {
  return {
    equal: { queue: [queue], state: ['ready'] }, range: undefined, where: true, after: undefined, limit,
    sort: [{ field: 'priority', descending: true }, { field: 'tenant', descending: false }, ...byDue],
  };
}

/** Behind all jobs of a tenant in that order. */
export function afterTenant(priority: number, tenant: string | undefined): ListRequest['after'] {
  return toPlace(priority, tenant, '9999-12-31T23:59:59.999Z');
}

/** Before the first of them. */
export function beforeTenant(priority: number, tenant: string | undefined): ListRequest['after'] {
  return toPlace(priority, tenant, '0001-01-01T00:00:00.000Z');
}

/** No job is due at either of these moments. */
function toPlace(priority: number, tenant: string | undefined, dueAt: string): ListRequest['after'] {
  return [toSortValue(priority, 'integer'), toSortValue(tenant, 'string'), toSortValue(dueAt, 'instant'), toSortValue('', 'string')];
}
