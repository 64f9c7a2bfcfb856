import { EJSON, type Document, type ObjectId } from 'bson';
import { type Db, MongoNetworkError, MongoServerError } from 'mongodb';
import { isDocument } from '../specs/kinds.ts';
import { collectionName, othersName, type Question } from './questions.ts';

/** What a server said, as text that equals another server's text when the answers are the same, types included. */
export type Answer = { readonly text: string; readonly error?: string; readonly code?: number };

/**
 * A server that is asked questions; it keeps the documents of the last one for the next, unless it wrote.
 * An aggregation counts as a write: mongo-java-server's changes the stored documents now and then.
 */
export type Witness = { ask(question: Question): Promise<Answer> };

/** Numbers keep their BSON type, which a plain JavaScript number does not have. */
const readOptions = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

export function buildWitness(database: Db): Witness {
  let stored: number | undefined;
  return {
    async ask(question) {
      if (stored !== question.world) await fillAgain(database, question);
      stored = question.writes || 'aggregate' in question.command ? undefined : question.world;
      const answer = await askOnce(database, question.command);
      if (!question.writes || answer.error !== undefined) return answer;
      const state = await askOnce(database, { find: collectionName, filter: {}, sort: { _id: 1 } });
      return { ...answer, text: `${answer.text}\n${state.text}` };
    },
  };
}

/** After a question that cost the connection, the first command to come finds the pool being cleared. */
async function fillAgain(database: Db, { documents, others }: Question): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await fill(database, collectionName, documents);
      return await fill(database, othersName, others);
    } catch (error) {
      if (!(error instanceof MongoNetworkError) || attempt === attemptsMax) throw error;
    }
  }
}

const attemptsMax = 5;

async function fill(database: Db, name: string, documents: Question['documents']): Promise<void> {
  await database.command({ drop: name }).catch(passWhenMissing);
  if (documents.length > 0) await database.command({ insert: name, documents });
}

/** Dropped, not emptied: mongo-java-server puts new documents into the gaps that deleted ones left. */
function passWhenMissing(error: unknown): void {
  if (!(error instanceof MongoServerError && error.message.includes('ns not found'))) throw error;
}

async function askOnce(database: Db, command: Document): Promise<Answer> {
  try {
    return toAnswer(await database.command(command, readOptions));
  } catch (error) {
    if (error instanceof MongoNetworkError) return { text: 'closed the connection', error: error.message };
    if (!(error instanceof MongoServerError)) throw error;
    return { text: 'error', error: error.message, code: Number(error.code) };
  }
}

function toAnswer(reply: Document): Answer {
  const writeError = Array.isArray(reply['writeErrors']) ? reply['writeErrors'][0] : undefined;
  if (writeError !== undefined) return { text: 'error', error: String(writeError.errmsg), code: Number(writeError.code) };
  const cursor = reply['cursor'];
  if (cursor !== undefined) return { text: toText(cursor.firstBatch) };
  const { n, nModified, upserted, value, values } = reply;
  return { text: toText({ n: toPlain(n), nModified: toPlain(nModified), upserted, value, values: Array.isArray(values) ? values.map(toText).sort() : undefined }) };
}

const toPlain = (count: unknown) => (count === undefined ? undefined : Number(count));

/** An id that a server makes for an upsert is its own; ids of the test's world all begin alike. */
export const toText = (value: unknown) => EJSON.stringify(hideNewIds(value), { relaxed: false });

function hideNewIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hideNewIds);
  if (isObjectId(value)) return value.toHexString().startsWith('64000000') ? value : 'an id of its own';
  if (!isDocument(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, hideNewIds(child)]));
}

const isObjectId = (value: unknown): value is ObjectId => typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === 'ObjectId';
