/**
 * Takes filled defaults out again, of each document that nobody has written to since: its bytes are those that the fill left.
 * Of any other they stay, since nobody can tell whether what is there now was meant. Documents and note change in one
 * transaction, a note at a time, so whoever is killed begins again where it was; two at once do no harm.
 */
import { BSON, type ClientSession, type Db, type Document } from 'mongodb';
import type { FilledIn } from '../../planned.ts';
import { type FilledDocument, type FilledNote, notesOf } from '../install/system-records.ts';
import { type Lacking, ofIds } from './default-updates.ts';
import { digestsOf, toKey } from './fill-noted.ts';
import { refusedApart } from './refused-apart.ts';

/** What is noted, by collection and field. */
export async function filledIn(database: Db, isAsked: (collection: string) => boolean): Promise<readonly FilledIn[]> {
  const found = new Map<string, FilledIn>();
  const notes = notesOf(database).find({}, { projection: { 'documents.id': 0, 'documents.digest': 0 } });
  for await (const { collection, fields, documents } of notes) {
    if (!isAsked(collection)) continue;
    fields.forEach(({ path, undo }, field) => {
      const count = documents.filter((each) => each.fields.includes(field)).length;
      const key = JSON.stringify([collection, path, undo]);
      const command = undo === undefined ? undefined : (BSON.EJSON.parse(undo) as Document);
      if (count > 0) found.set(key, { collection, path, undo: command, documents: count + (found.get(key)?.documents ?? 0) });
    });
  }
  return [...found.values()];
}

/** Says how many documents are as they were found. */
export async function undoFill(database: Db, collection: string): Promise<number> {
  let undone = 0;
  for (let isMore = true; isMore; ) {
    const before = undone;
    // The last first: a document that was filled twice is what the first fill left once the second is undone.
    const notes = await notesOf(database).find({ collection }, { projection: { _id: 1 }, sort: { _id: -1 } }).toArray();
    for (const { _id } of notes) undone += await undoNote(database, _id);
    isMore = undone > before;
  }
  return undone;
}

async function undoNote(database: Db, _id: FilledNote['_id']): Promise<number> {
  const note = await notesOf(database).findOne({ _id }, { promoteLongs: false });
  const { written } = await refusedApart(database, note?.documents ?? [], (documents, session) =>
    undoIn({ database, _id, keys: new Set(documents.map(({ id }) => toKey(id))) }, session));
  return written;
}

interface Asked {
  readonly database: Db;
  readonly _id: FilledNote['_id'];
  readonly keys: ReadonlySet<string>;
}

async function undoIn({ database, _id, keys }: Asked, session: ClientSession): Promise<number> {
  const notes = notesOf(database);
  const note = await notes.findOne({ _id }, { session, promoteLongs: false });
  if (note === null) return 0;
  const { collection, fields } = note;
  const asked = note.documents.filter(({ id }) => keys.has(toKey(id)));
  const digests = await digestsOf({ database, collection, ids: asked.map(({ id }) => id) }, session);
  const intact = asked.filter(({ id, digest }) => digests.get(toKey(id))?.toString('hex') === digest.toString('hex'));
  const gone = asked.filter(({ id }) => !digests.has(toKey(id)));
  if (intact.length > 0) {
    await database.collection<Lacking>(collection)
      .bulkWrite(intact.map((each) => ({ updateOne: { filter: ofIds([each.id]), update: toUnset(fields, each) } })), { session });
  }
  const done = new Set([...intact, ...gone]);
  const documents = note.documents.filter((each) => !done.has(each));
  if (documents.length === 0) await notes.deleteOne({ _id }, { session });
  else if (done.size > 0) await notes.updateOne({ _id }, { $set: { documents } }, { session });
  return intact.length;
}

/** What lies within a member that goes is gone with it, and MongoDB takes no update of both. */
function toUnset(fields: FilledNote['fields'], { fields: own }: FilledDocument): Document {
  const paths = own.flatMap((field) => fields[field]?.path ?? []);
  const outer = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}.`)));
  return { $unset: Object.fromEntries(outer.map((path) => [path, ''])) };
}
