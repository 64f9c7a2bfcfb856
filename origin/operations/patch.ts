import { mustPatched } from '../../shared/contract/documents.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustAllow, mustAllowFields, mustTouch, toRevised } from '../documents/write-rules.ts';
import { toDocumentAnswer, writeOne } from '../documents/write-one.ts';

/** JSON Merge Patch (RFC 7396). The document that results must be valid; fields not named keep value and type. */
export function patch(context: Context, call: Call<typeof documents.patch>): Promise<Answer> {
  const decide = (found: StoredDocument | undefined) => {
    const before = mustTouch(call, found).value;
    const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...stored } = before;
    const after = toRevised(mustPatched(call.resource, stored, call.body.value), before, context.now());
    mustAllow({ id: call.id, ...after }, call.rights.writable);
    mustAllowFields(call, before, after);
    return after;
  };
  return writeOne(context, call, call.id, decide, (written) => toDocumentAnswer(call, written));
}
