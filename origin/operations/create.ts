import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** A new document, under the id that its caller gives where callers name documents. */
export function create(access: WriteAccess, call: Call<typeof documents.create>): Promise<Answer> {
  return access.create(call.body.value);
}
