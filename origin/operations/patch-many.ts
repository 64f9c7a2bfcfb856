import type { bulk } from '../../shared/operations/bulk.ts';
import { changesOf } from '../../shared/operations/changed-items.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** Each item, and the change of each document that is found, is what a PATCH of it would be; items of one are carried out in order. */
export function patchMany(access: WriteAccess, { body, input }: Call<typeof bulk.patchMany>): Promise<Answer> {
  const { items, change } = changesOf(body.value, input.query);
  if (input.query === undefined || change === undefined) return access.patchEach(items ?? [], input);
  return access.patchFound(input.query, change, input);
}
