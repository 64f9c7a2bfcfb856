import { bodiesOf, documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { reduce } from '../../shared/contract/rules.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustMeetConditions } from '../documents/etag.ts';
import { visible } from '../documents/present.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustReplace, mustTouch, toCreated, withoutKept } from '../documents/write-rules.ts';
import { mustCreate, taken } from '../documents/new-document.ts';
import { toDocumentAnswer, writeOne } from '../documents/write-one.ts';

/**
 * PUT replaces what is there. Where the callers name the documents it also creates (RFC 9110 §9.3.4), which
 * `If-None-Match: *` asks for alone; where Tombolo names them an unknown id is a 404. A document that the caller may not
 * see is answered like one that is not there; where one of its name would be made, its name is taken.
 */
export function replace(context: Context, call: Call<typeof documents.replace>): Promise<Answer> {
  const { value: body } = call.body;
  if (body['id'] !== undefined && body['id'] !== call.id) {
    throw documentInvalid([{ at: '/id', in: 'body', detail: 'differs from the id in the path' }]);
  }
  const decide = (found: StoredDocument | undefined) => {
    if (visible(found, call.rights.readable) !== undefined || typeof call.resource.id !== 'object') return replaced(context, call, found);
    const document = created(context, call);
    if (found !== undefined) throw taken(call.id);
    return document;
  };
  return writeOne(context, call, call.id, decide, (written) => toDocumentAnswer(call, written));
}

function replaced(context: Context, call: Call<typeof documents.replace>, found: StoredDocument | undefined): JsonObject | 'keep' {
  const before = mustTouch(call, found).value;
  return mustReplace(call, { id: call.id, before, ...call.body, writable: call.rights.writable, nowMs: context.now() });
}

function created(context: Context, call: Call<typeof documents.replace>): JsonObject {
  const named = bodiesOf(call.resource).id.safeParse(call.id);
  if (!named.success) throw documentInvalid(toFieldErrors(named.error).map((error) => ({ ...error, at: '/id' })));
  mustKnow(call.resource.schema, withoutKept(call.body.sent), undefined);
  const document = toCreated(withoutKept(call.body.value), context.now());
  mustCreate(call, reduce(call.resource.rules.create, call.principal), call.id, document);
  mustMeetConditions(call.preconditions, () => undefined);
  return document;
}
