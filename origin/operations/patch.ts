import { applyJsonPatch, jsonPatchType } from '../../shared/changes/json-patch.ts';
import { applyChanges, changesType } from '../../shared/changes/operators.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** A patch of any of its media types. The document that results must be valid; what is not named keeps value and type. */
export function patch(access: WriteAccess, { body, resource }: Call<typeof documents.patch>): Promise<Answer> {
  if (body.mediaType === jsonPatchType) return access.change((edit) => applyJsonPatch(edit, body.value));
  if (body.mediaType === changesType) return access.change((edit) => applyChanges(edit, body.value, resource.fields));
  return access.merge(() => body.sent);
}
