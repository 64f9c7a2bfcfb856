import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** PUT. A body that names the document names the one of the path. */
export function replace(access: WriteAccess, { body }: Call<typeof documents.replace>): Promise<Answer> {
  return access.put(body);
}
