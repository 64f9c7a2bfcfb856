/**
 * Declared defaults for stored documents that lack them: each update sets one member, and only where it is still missing, so
 * it may be done twice, be cut short anywhere, and run beside every other writer. The feed and caches hear of it as of any
 * other change; `rev` and times stay, since nobody has edited the document. How many were given what is noted, for an undo.
 */
import {
  type AnyBulkWriteOperation, BSON, type BulkWriteResult, type Db, type Document, type FindCursor, MongoBulkWriteError,
} from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { digest64, toCanonicalJson } from '../../../../shared/wire/hash.ts';
import { type DefaultPlace, defaultPlaces, isMadeAnew } from '../../examination/absences.ts';
import { examinationLimits } from '../../examination/examination.ts';
import type { Filled } from '../../planned.ts';
import { codes, writeErrorsOf } from '../connection/errors.ts';
import { type FilledRecord, filledOf } from '../install/system-records.ts';
import { restored } from '../read/bson-values.ts';
import { toPath } from '../read/keyset.ts';
import { inStoredNames } from '../read/member-names.ts';
import { idFormOf } from '../read/stored-ids.ts';

/** Documents of one command: some milliseconds of the server's time, between which others write. */
const batchMax = 500;

/** A document by its key alone, whatever type that has. */
interface Lacking {
  readonly _id: unknown;
}

/** `database`: on a connection that waits, since the whole collection is read. */
export async function fillDefaults(database: Db, resource: Resource): Promise<Filled> {
  const places = defaultPlaces(resource);
  let filled: Filled = { resource: resource.name, documents: 0, refused: { count: 0, examples: [] } };
  if (places.length === 0) return filled;
  const collection = database.collection<Lacking>(resource.collection);
  const lacking = { $or: places.map((place) => lackingFilter(resource, place)) };
  const found = collection.find(lacking, { projection: { _id: 1 }, batchSize: batchMax, promoteLongs: false });
  for await (const ids of inBatches(resource, found)) {
    const refused = new Set<string>();
    for (const place of places) {
      const note = toNote(resource, place);
      await counted(database, note, ids.length);
      const result = await collection
        .bulkWrite(ids.map((id) => toUpdate(resource, id, place)), { ordered: false })
        .catch(toRefused((index) => refused.add(String(ids[index]))));
      await counted(database, note, result.modifiedCount - ids.length);
    }
    filled = {
      ...filled, documents: filled.documents + ids.length - refused.size,
      refused: {
        count: filled.refused.count + refused.size,
        examples: [...filled.refused.examples, ...refused].slice(0, examinationLimits.examplesMax),
      },
    };
  }
  return filled;
}

/** As anybody could give them in mongosh. */
export function toDefaultCommands(resource: Resource, place: DefaultPlace): { readonly command: Document; readonly undo: Document } {
  const path = pathOf(resource, place);
  const update = (q: Document, u: Document) => ({ update: resource.collection, updates: [{ q, u, multi: true }] });
  const value = toValue(resource, place);
  return {
    command: update(lackingFilter(resource, place), { $set: { [path]: value } }),
    undo: update({ [path]: value }, { $unset: { [path]: '' } }),
  };
}

/** What nobody is served, its id being of another kind, is left as it is. */
async function* inBatches(resource: Resource, found: FindCursor<Lacking>): AsyncGenerator<readonly unknown[]> {
  let ids: unknown[] = [];
  for await (const { _id } of found) {
    if (idFormOf(resource).fromStored(_id) === undefined || ids.push(_id) < batchMax) continue;
    yield ids;
    ids = [];
  }
  if (ids.length > 0) yield ids;
}

/** A member of an object is filled in where that object is there and is one, not several. */
function lackingFilter(resource: Resource, place: DefaultPlace): Document {
  const holder = place.path.slice(0, -1).join('.');
  const isObject = holder === '' ? {} : { [toPath(resource, holder)]: { $type: 'object', $not: { $type: 'array' } } };
  return { ...isObject, [pathOf(resource, place)]: { $exists: false } };
}

function toUpdate(resource: Resource, id: unknown, place: DefaultPlace): AnyBulkWriteOperation<Lacking> {
  const update = { $set: { [pathOf(resource, place)]: toValue(resource, place) } };
  return { updateOne: { filter: { $and: [{ _id: id }, lackingFilter(resource, place)] }, update } };
}

function pathOf(resource: Resource, { path }: DefaultPlace): string {
  return toPath(resource, path.join('.'));
}

function toValue({ names }: Resource, { path, make, type }: DefaultPlace): unknown {
  const below = path.reduce<Resource['names']>((level, name) => level?.below(name), names);
  return inStoredNames(restored(make(), undefined, { type }), below);
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

type Note = Pick<FilledRecord, '_id' | 'collection' | 'path'> & { readonly undo?: string };

/** An undo names what was given by its value: where each document has its own, there is none. */
function toNote(resource: Resource, place: DefaultPlace): Note {
  const { collection } = resource;
  const path = pathOf(resource, place);
  const undo = isMadeAnew(place) ? {} : { undo: BSON.EJSON.stringify(toDefaultCommands(resource, place).undo) };
  return { _id: `filled:${digest64(toCanonicalJson({ collection, path, ...undo }))}`, collection, path, ...undo };
}

async function counted(database: Db, { _id, ...note }: Note, documents: number): Promise<void> {
  if (documents === 0) return;
  await filledOf(database).updateOne({ _id }, { $inc: { documents }, $set: { ...note, at: new Date() } }, { upsert: true });
}
