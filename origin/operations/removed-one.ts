import type { removals } from '../../shared/operations/removals.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

export function removedOne(access: ReadAccess, { input }: Call<typeof removals.removedOne>): Promise<StateAnswer> {
  return access.ofRemoved().get(input);
}
