/**
 * Defaults for documents of a standalone. It has no transactions, so a document and a note of it cannot be written as one: a
 * note written first would name documents that were never filled, one written afterwards would miss some. So only how many
 * were given what is counted, before they are, and an undo names the command that takes a value out.
 */
import { type BulkWriteResult, type Db, MongoBulkWriteError } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { digest64, toCanonicalJson } from '../../../../shared/wire/hash.ts';
import type { DefaultPlace } from '../../examination/absences.ts';
import { codes, writeErrorsOf } from '../connection/errors.ts';
import { type FilledRecord, filledOf } from '../install/system-records.ts';
import { type Lacking, toFilledField, toUpdate } from './default-updates.ts';
import type { Batch, Given } from './fill-defaults.ts';

export async function fillCounted({ database, resource, places, ids }: Batch): Promise<Given> {
  const refused = new Set<unknown>();
  for (const place of places) {
    const note = toNote(resource, place);
    await counted(database, note, ids.length);
    const result = await database.collection<Lacking>(resource.collection)
      .bulkWrite(ids.map((id) => toUpdate(resource, id, place)), { ordered: false })
      .catch(toRefused((index) => refused.add(ids[index])));
    await counted(database, note, result.modifiedCount - ids.length);
  }
  return { documents: ids.length - refused.size, refused: [...refused] };
}

/** Told are the places of documents that a validator refuses to take so. */
function toRefused(onRefused: (index: number) => void): (error: unknown) => BulkWriteResult {
  return (error) => {
    const failures = writeErrorsOf(error);
    const isOther = failures.length === 0 || failures.some(({ code }) => code !== codes.documentValidation);
    if (isOther || !(error instanceof MongoBulkWriteError)) throw error;
    for (const { index } of failures) onRefused(index);
    return error.result;
  };
}

type Note = Pick<FilledRecord, '_id' | 'collection' | 'path' | 'undo'>;

function toNote(resource: Resource, place: DefaultPlace): Note {
  const note = { collection: resource.collection, ...toFilledField(resource, place) };
  return { _id: `filled:${digest64(toCanonicalJson(note))}`, ...note };
}

async function counted(database: Db, { _id, ...note }: Note, documents: number): Promise<void> {
  if (documents === 0) return;
  await filledOf(database).updateOne({ _id }, { $inc: { documents }, $set: { ...note, at: new Date() } }, { upsert: true });
}
