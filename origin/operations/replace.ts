import { documentInvalid } from '../../shared/contract/documents.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** PUT. A body that names the document names the one of the path. */
export function replace(access: WriteAccess, { id, body }: Call<typeof documents.replace>): Promise<Answer> {
  const named = body.value['id'];
  if (named !== undefined && named !== id) {
    throw documentInvalid([{ at: '/id', in: 'body', detail: 'differs from the id in the path' }]);
  }
  return access.put(body);
}
