// insert
import { ObjectId, Timestamp } from 'bson';
import { abortIn } from '../sessions/sessions.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Doc } from '../values/types.ts';
import { collectionName, type Command, type Context, flag, listField, ok, recordedResult, statementId } from './command.ts';
import { checkInsertable, collectionForWrite, insertDoc, toWriteError, untilFree, validate } from './writing.ts';
import { refuseView } from './views.ts';

export const insert: Command = {
  kind: 'write',
  inTransaction: true,
  retryable: true,
  async run(context) {
    const name = collectionName(context);
    refuseView(context, name);
    const ordered = context.body['ordered'] === undefined || flag(context.body, 'ordered');
    const writeErrors: Doc[] = [];
    let n = 0;
    for (const [index, given] of listField(context.body, 'documents', 'insert').entries()) {
      const id = statementId(context, index);
      if (recordedResult(context, id)) { n++; continue; }
      try {
        const doc = prepare(context, given);
        checkInsertable(doc);
        await insertOne(context, name, doc, id);
        n++;
      } catch (error) {
        writeErrors.push(toWriteError(error, index, context));
        if (context.transaction && context.session) abortIn(context.session);
        if (ordered || context.transaction) break;
      }
    }
    return ok({ n, ...(writeErrors.length ? { writeErrors } : {}) });
  },
};

async function insertOne(context: Context, name: string, doc: Doc, statement: number): Promise<void> {
  await untilFree(context, () => {
    const collection = collectionForWrite(context, name);
    validate(context, collection, doc);
    insertDoc(context, collection, doc, { id: statement, result: { n: 1 } });
  });
}

// The _id comes first, is made if absent, and an empty timestamp at the top becomes the time of the write.
export function prepare(context: Context, given: Doc): Doc {
  let doc = given;
  if (given['_id'] === undefined || Object.keys(given)[0] !== '_id') { const { _id = new ObjectId(), ...rest } = given; doc = { _id, ...rest }; }
  for (const name of Object.keys(doc)) {
    const value = doc[name];
    if (value instanceof Timestamp && value.t === 0 && value.i === 0) doc[name] = toTimestamp(context.member.nextAt());
  }
  return doc;
}
