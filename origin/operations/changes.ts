import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Answer, Call } from '../call.ts';

/** The change feed of a resource as server-sent events, from the position that the client brings, or from now. */
export async function changes(access: ReadAccess, call: Call<typeof documents.changes>): Promise<Answer> {
  return access.follow(call.input);
}
