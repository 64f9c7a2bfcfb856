import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Answer, Call } from '../call.ts';

/** All documents that a query finds, of one state, streamed; broken off, it goes on from the last mark that it gave. */
export async function exportRows(access: ReadAccess, call: Call<typeof documents.export>): Promise<Answer> {
  return access.export(call.input);
}
