/**
 * Declared defaults for a batch of documents, each noted before it is set: whoever is cut short has filled in nothing that is
 * not noted, on a standalone too, which has no transactions. The note is then settled to the documents that were given it, so
 * that what others set meanwhile is not taken out by an undo (undo-fill.ts).
 */
import { BSON, type Db, ObjectId } from 'mongodb';
import { type DefaultPlace, isMadeAnew } from '../../examination/absences.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { type FilledDocument, notesName, notesOf } from '../install/system-records.ts';
import { type Lacking, lackingFilter, ofIds, pathOf, toSetting, toValueText } from './default-updates.ts';
import type { Batch, Filling } from './fill-defaults.ts';
import { type Outcome, updateEach } from './update-each.ts';

interface Given {
  readonly id: unknown;
  readonly value: string;
}

/** Gives what was begun and not settled: whoever did was cut short, or is at it now. */
export async function beginNotes(database: Db, collection: string): Promise<readonly ObjectId[]> {
  await database.command({ create: notesName, writeConcern: { w: 'majority' } }).catch((error: unknown) => {
    if (codeOf(error) !== codes.namespaceExists) throw error;
  });
  const begun = notesOf(database).find({ collection, isBegun: true }, { projection: { _id: 1 } });
  return (await begun.toArray()).map(({ _id }) => _id);
}

export async function fillNoted(batch: Batch): Promise<Filling> {
  const given = new Set<string>();
  const refused = new Map<string, unknown>();
  // What holds others comes before them.
  for (const place of batch.places) {
    for (const [id, outcome] of await fillPlace(batch, place)) {
      if (outcome === 'written') given.add(toKey(id));
      if (outcome === 'refused') refused.set(toKey(id), id);
    }
  }
  return { documents: [...given].filter((key) => !refused.has(key)).length, refused: [...refused.values()] };
}

type Outcomes = readonly (readonly [id: unknown, outcome: Outcome])[];

async function fillPlace({ database, resource, ids, begun }: Batch, place: DefaultPlace): Promise<Outcomes> {
  const collection = database.collection<Lacking>(resource.collection);
  const asked = { ...ofIds(ids), ...lackingFilter(resource, place) };
  const lacking = await collection.find(asked, { projection: { _id: 1 }, batchSize: ids.length + 1, promoteLongs: false }).toArray();
  if (lacking.length === 0) return [];
  const shared = isMadeAnew(place) ? undefined : toValueText(resource, place);
  const documents = lacking.map(({ _id: id }): Given => ({ id, value: shared ?? toValueText(resource, place) }));
  const settled = {
    _id: new ObjectId(), collection: resource.collection, path: pathOf(resource, place), at: new Date(),
    ...(shared === undefined ? {} : { value: shared }),
  };
  const toNoted = ({ id, value }: Given): FilledDocument => (shared === undefined ? { id, value } : { id });
  const notes = notesOf(database);
  await notes.insertOne({ ...settled, isBegun: true, documents: documents.map(toNoted) });
  const outcomes = await updateEach(collection, documents.map(({ id, value }) => toSetting(resource, place, id, value)));
  const filled = documents.filter((_, index) => outcomes[index] === 'written');
  if (filled.length === 0) await notes.deleteOne({ _id: settled._id });
  // An undo that ran meanwhile has forgotten it.
  else await notes.replaceOne({ _id: settled._id }, { ...settled, documents: filled.map(toNoted) }, { upsert: true });
  if (begun.length > 0) {
    await notes.updateMany(
      { _id: { $in: begun }, path: settled.path }, { $pull: { documents: { id: { $in: filled.map(({ id }) => id) } } } },
    );
  }
  return documents.map(({ id }, index) => [id, outcomes[index] ?? 'missed']);
}

/** An `_id` as a text, read with `promoteLongs: false`: two that are one to the database are one here. */
export function toKey(id: unknown): string {
  return BSON.EJSON.stringify({ id }, { relaxed: false });
}
