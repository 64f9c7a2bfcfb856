import type { removals } from '../../shared/operations/removals.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';
import { pageOf } from './list.ts';

/** As lists are answered. */
export function removed(access: ReadAccess, { input, resource }: Call<typeof removals.removed>): Promise<StateAnswer> {
  return pageOf(access.ofRemoved(), input, resource);
}
