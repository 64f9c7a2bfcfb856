import { documentInvalid } from '../../shared/contract/documents.ts';
import { whyOtherKey } from '../../shared/contract/unique.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

/** PUT of a unique key. A body has the key that the query names. */
export function upsert(access: WriteAccess, { resource, body, input }: Call<typeof documents.upsert>): Promise<Answer> {
  const errors = whyOtherKey(resource, input, body.value);
  if (errors.length > 0) throw documentInvalid(errors);
  return access.upsert(body, input);
}
