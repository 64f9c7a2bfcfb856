import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** JSON Merge Patch (RFC 7396). The document that results must be valid; fields not named keep value and type. */
export function patch(access: WriteAccess, call: Call<typeof documents.patch>): Promise<Answer> {
  return access.merge(() => call.body.sent);
}
