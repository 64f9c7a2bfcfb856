import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustCreate, newId, taken } from '../documents/new-document.ts';
import { toDocumentAnswer, writeOne } from '../documents/write-one.ts';
import { toCreated } from '../documents/write-rules.ts';

/** A new document, under the id that its caller gives where callers name documents. */
export function create(context: Context, call: Call<typeof documents.create>): Promise<Answer> {
  const { id: given, ...body } = call.body.value;
  const id = typeof given === 'string' ? given : newId(call.resource, context.now());
  const document = toCreated(body, context.now());
  mustCreate(call, call.rights.writable, id, document);
  const decide = (before: unknown) => {
    if (before !== undefined) throw taken(id);
    return document;
  };
  return writeOne(context, call, id, decide, (written) => ({ ...toDocumentAnswer(call, written), createdId: id }));
}
