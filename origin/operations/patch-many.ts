import type { bulk } from '../../shared/operations/bulk.ts';
import { changedItemsOf } from '../../shared/operations/changed-items.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** Each item is what a PATCH of its document would be; items of one document are carried out in order. */
export function patchMany(access: WriteAccess, { body, input }: Call<typeof bulk.patchMany>): Promise<Answer> {
  return access.patchEach(changedItemsOf(body.value), input);
}
