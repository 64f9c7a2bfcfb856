/**
 * Takes filled defaults out again, of each document in which the value is still the one that was filled in, by an update that
 * names it: whatever others have written beside it stands, and so does another value in its place. The note goes afterwards, so
 * whoever is killed begins again where it was; two at once do no harm.
 */
import { BSON, type Db, type Document } from 'mongodb';
import { type Fate, FilledTally } from '../../filled-tally.ts';
import type { FilledIn } from '../../planned.ts';
import { type FilledDocument, type FilledNote, notesOf } from '../install/system-records.ts';
import { isPlainObject } from '../read/bson-values.ts';
import { asBytes, mustBytes } from '../read/raw-documents.ts';
import { type Lacking, ofIds, toBsonValue, toTypedText, toUndoCommand, toUnsetting, typedOptions } from './default-updates.ts';
import { toKey } from './fill-noted.ts';
import { updateEach } from './update-each.ts';

type IsAsked = (collection: string) => boolean;

/** What an undo would do. */
export function filledIn(database: Db, isAsked: IsAsked): Promise<readonly FilledIn[]> {
  const taken = new Map<string, string[]>();
  return eachNote(database, isAsked, (note) => foresee(database, note, taken));
}

export function undoFill(database: Db, isAsked: IsAsked): Promise<readonly FilledIn[]> {
  return eachNote(database, isAsked, (note) => undo(database, note));
}

type Fates = readonly (readonly [FilledDocument, Fate])[];

/** The last first: what was filled into a filled object goes before the object does. */
async function eachNote(database: Db, isAsked: IsAsked, use: (note: FilledNote) => Promise<Fates>): Promise<readonly FilledIn[]> {
  const tally = new FilledTally();
  const notes = await notesOf(database).find({}, { projection: { collection: 1 }, sort: { _id: -1 } }).toArray();
  for (const { _id } of notes.filter(({ collection }) => isAsked(collection))) {
    const note = await notesOf(database).findOne({ _id }, { promoteLongs: false });
    if (note === null) continue;
    const { collection, path, value } = note;
    const known = { collection, path, undo: value === undefined ? undefined : toUndoCommand(collection, path, toBsonValue(value)) };
    for (const [{ id }, fate] of await use(note)) tally.add(known, fate, String(id));
  }
  return tally.found;
}

/** `taken`: by document, paths within others that an undo takes out before. */
async function foresee(database: Db, note: FilledNote, taken: Map<string, string[]>): Promise<Fates> {
  const fates = await fatesOf(database, note, (key) => taken.get(key) ?? []);
  if (!note.path.includes('.')) return fates;
  for (const [{ id }, fate] of fates) {
    if (fate === 'documents') taken.set(toKey(id), [...(taken.get(toKey(id)) ?? []), note.path]);
  }
  return fates;
}

async function undo(database: Db, note: FilledNote): Promise<Fates> {
  const fates = await undoIn(database, note);
  const documents = fates.filter(([, fate]) => fate === 'refused').map(([document]) => document);
  const { _id } = note;
  if (documents.length === 0) await notesOf(database).deleteOne({ _id });
  else await notesOf(database).updateOne({ _id }, { $set: { documents } });
  return fates;
}

async function undoIn(database: Db, note: FilledNote): Promise<Fates> {
  const { collection, path } = note;
  const fates = await fatesOf(database, note, () => []);
  const asked = fates.flatMap(([document, fate]) => (fate === 'documents' ? [document] : []));
  const updates = asked.map((document) => toUnsetting(path, document.id, valueOf(note, document)));
  const outcomes = await updateEach(database.collection<Lacking>(collection), updates);
  const outcomeOf = new Map(asked.map((document, index) => [document, outcomes[index]]));
  const missed = asked.filter((document) => outcomeOf.get(document) === 'missed');
  // Somebody was quicker: what is there now decides.
  const again = missed.length === 0 ? [] : await undoIn(database, { ...note, documents: missed });
  const others = fates.filter(([document]) => outcomeOf.get(document) !== 'missed');
  return [...others.map(([document, fate]) => [document, outcomeOf.get(document) === 'refused' ? 'refused' : fate] as const), ...again];
}

async function fatesOf(database: Db, note: FilledNote, withoutIn: (key: string) => readonly string[]): Promise<Fates> {
  const { collection, path, documents } = note;
  const found = await database.collection<Lacking>(collection)
    .find(ofIds(documents.map(({ id }) => id)), { ...asBytes, projection: { [path]: 1 }, batchSize: documents.length + 1 })
    .toArray();
  const values = new Map(found.map(mustBytes).map((bytes) => {
    const key = toKey(BSON.deserialize(bytes, { ...typedOptions, promoteValues: true, promoteLongs: false })['_id']);
    const document = BSON.deserialize(bytes, typedOptions);
    for (const within of withoutIn(key)) remove(document, within);
    return [key, valueAt(document, path.split('.'))] as const;
  }));
  return documents.map((document) => {
    const value = values.get(toKey(document.id));
    if (value === undefined) return [document, 'gone'];
    return [document, toTypedText(value) === valueOf(note, document) ? 'documents' : 'changed'];
  });
}

function valueOf(note: FilledNote, { value }: FilledDocument): string {
  const noted = value ?? note.value;
  if (noted === undefined) throw new Error(`a note of ${note.collection} does not say what was filled in`);
  return noted;
}

function valueAt(document: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((holder, name) => (isPlainObject(holder) ? holder[name] : undefined), document);
}

function remove(document: Document, path: string): void {
  const names = path.split('.');
  const holder = valueAt(document, names.slice(0, -1));
  if (isPlainObject(holder)) Reflect.deleteProperty(holder, names.at(-1) ?? '');
}
