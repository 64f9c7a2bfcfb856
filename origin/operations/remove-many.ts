import type { bulk } from '../../shared/operations/bulk.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

export function removeMany(access: WriteAccess, { input }: Call<typeof bulk.removeMany>): Promise<Answer> {
  return 'ids' in input ? access.removeEach(input.ids, input) : access.removeFound(input.query, input);
}
