import { documentInvalid } from '../../shared/contract/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { hiddenFrom, mustAllow, mustAllowFields, mustTouch, toRevised } from '../write-rules.ts';
import { toDocumentAnswer, writeOne } from './write.ts';

/** PUT replaces what is there; it does not create, so that a mistyped id is a 404 and not a new document. */
export function replace(context: Context, call: Call<'replace'>): Promise<Answer> {
  const { body } = call.input;
  if (body['id'] !== undefined && body['id'] !== call.id) throw documentInvalid([{ at: '/id', in: 'body', detail: 'differs from the id in the path' }]);
  const decide = (found: StoredDocument | undefined) => {
    const before = mustTouch(call, found).value;
    const after = toRevised({ ...hiddenFrom(call, before), ...body }, before, context.now());
    mustAllow({ id: call.id, ...after }, call.writable);
    mustAllowFields(call, before, after);
    return after;
  };
  return writeOne(context, call, call.id, decide, (after) => toDocumentAnswer(call, 200, after));
}
