import { jsonPatchType } from '../../shared/changes/json-patch.ts';
import { changesType } from '../../shared/changes/operators.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** A patch of any of its media types. */
export function patch(access: WriteAccess, { body: { mediaType, sent, value } }: Call<typeof documents.patch>): Promise<Answer> {
  if (mediaType === jsonPatchType) return access.patch({ form: 'patch', value });
  return access.patch(mediaType === changesType ? { form: 'changes', value } : { form: 'merge', sent });
}
