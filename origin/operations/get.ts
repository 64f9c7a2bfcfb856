import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

export function get(access: ReadAccess, call: Call<typeof documents.get>): Promise<StateAnswer> {
  return access.get(call.input);
}
