import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustMerge, mustTouch } from '../documents/write-rules.ts';
import { toDocumentAnswer, writeOne } from '../documents/write-one.ts';

/** JSON Merge Patch (RFC 7396). The document that results must be valid; fields not named keep value and type. */
export function patch(context: Context, call: Call<typeof documents.patch>): Promise<Answer> {
  const decide = (found: StoredDocument | undefined) => {
    const before = mustTouch(call, found).value;
    return mustMerge(call, { id: call.id, before, sent: call.body.sent, writable: call.rights.writable, nowMs: context.now() });
  };
  return writeOne(context, call, call.id, decide, (written) => toDocumentAnswer(call, written));
}
