/** Tombolo's own collections beside those of the resources. */
import type { Binary, Collection, Db, ObjectId } from 'mongodb';
import { engineNames } from '../../../../shared/contract/internal-names.ts';

export interface Meta {
  readonly _id: 'epoch';
  readonly value: string;
  readonly at: Date;
}

export const collectionsId = 'collections';

/** Which collections Tombolo made in this database, and which declared ones it met there (ownership.ts). */
export interface Collections {
  readonly _id: typeof collectionsId;
  readonly owned?: readonly string[];
  readonly adopted?: readonly string[];
  /** What was added to adopted collections, so that it can be taken out again. */
  readonly added?: Readonly<Record<string, Added>>;
}

export interface Added {
  readonly indexes?: readonly AddedIndex[];
  readonly images?: true;
}

/** Name and key: others may have made another index of that name. The key is a text (index-match.ts), its order counts. */
export interface AddedIndex {
  readonly name: string;
  readonly key: string;
}

/** Where there are no transactions: a default that documents were given, how many, and what would take it out. */
export interface FilledRecord {
  /** Begins with `filled:`; one for each collection, path and value. */
  readonly _id: string;
  readonly collection: string;
  readonly path: string;
  /** As Extended JSON; absent where each document was given a value of its own. */
  readonly undo?: string;
  /** Never fewer than were given it: whoever was cut short has counted a batch that it may not have finished. */
  readonly documents: number;
  readonly at: Date;
}

/** Documents that one transaction gave defaults and noted here (write/fill-noted.ts). */
export interface FilledNote {
  readonly _id: ObjectId;
  readonly collection: string;
  readonly at: Date;
  readonly fields: readonly FilledField[];
  readonly documents: readonly FilledDocument[];
}

export interface FilledField {
  /** As stored, parted by dots. */
  readonly path: string;
  /** What takes it out wherever the value is this one, as Extended JSON; absent where each document was given a value of its own. */
  readonly undo?: string;
}

export interface FilledDocument {
  readonly id: unknown;
  /** Places in the note's `fields`. */
  readonly fields: readonly number[];
  /** Of the document's bytes when that transaction had written it. */
  readonly digest: Binary;
}

export interface CursorRecord {
  readonly _id: string;
  readonly epoch: string;
  readonly order: string;
}

/** A nonce, an idempotency record or a text that processes share; `_id` begins with what it is. */
export interface OnceRecord {
  readonly _id: string;
  /** A TTL index removes it afterwards. */
  readonly expiresAt: Date;
  readonly fingerprint?: string;
  readonly answer?: string;
  readonly text?: string;
  readonly version?: string;
}

/** The epoch. Part of every change stream, so that each reader hears of a new one in its place. */
export const metaName = engineNames.meta;
export const onceName = engineNames.once;
export const notesName = engineNames.filled;
export const systemNames: readonly string[] = Object.values(engineNames);
/** Those without which nothing is written; the other is made by whoever fills in the first default. */
export const neededNames: readonly string[] = systemNames.filter((name) => name !== notesName);

export function metaOf(database: Db): Collection<Meta> {
  return database.collection<Meta>(metaName);
}

/** The other record of the same collection. */
export function collectionsOf(database: Db): Collection<Collections> {
  return database.collection<Collections>(metaName);
}

/** Those whose `_id` begins so, of the same collection. */
export function filledOf(database: Db): Collection<FilledRecord> {
  return database.collection<FilledRecord>(metaName);
}

export function notesOf(database: Db): Collection<FilledNote> {
  return database.collection<FilledNote>(notesName);
}

export function cursorsOf(database: Db): Collection<CursorRecord> {
  return database.collection<CursorRecord>(engineNames.cursors);
}

export function onceOf(database: Db): Collection<OnceRecord> {
  return database.collection<OnceRecord>(onceName);
}
