import { ObjectId, Timestamp } from 'bson';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Doc } from '../values/types.ts';
import { collectionName, type Command, type Context, listField, ok, recordedResult } from './command.ts';
import { runStatements } from './statements.ts';
import { checkInsertable, collectionForWrite, insertDoc, untilFree, validate } from './writing.ts';
import { refuseView } from './views.ts';

export const insert: Command = {
  kind: 'write',
  inTransaction: true,
  retryable: true,
  async run(context) {
    const name = collectionName(context);
    refuseView(context, name);
    let n = 0;
    const errors = await runStatements(context, listField(context.body, 'documents', 'insert'), async ({ item, id }) => {
      if (!recordedResult(context, id)) {
        const doc = prepare(context, item);
        checkInsertable(doc);
        await insertOne(context, name, doc, id);
      }
      n++;
    });
    return ok({ n, ...errors });
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
