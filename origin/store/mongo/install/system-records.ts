/** Tombolo's own collections beside those of the resources. */
import type { Collection, Db, ObjectId } from 'mongodb';
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

/** A default that documents are given: noted before they are, and afterwards as those that were (write/fill-noted.ts). */
export interface FilledNote {
  readonly _id: ObjectId;
  readonly collection: string;
  /** As stored, parted by dots. */
  readonly path: string;
  readonly at: Date;
  /** It is being filled in, or whoever did was cut short: some of the documents may never have been given it. */
  readonly isBegun?: true;
  /** Extended JSON; absent where each document is given a value of its own. */
  readonly value?: string;
  readonly documents: readonly FilledDocument[];
}

export interface FilledDocument {
  readonly id: unknown;
  readonly value?: string;
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

export function notesOf(database: Db): Collection<FilledNote> {
  return database.collection<FilledNote>(notesName);
}

export function cursorsOf(database: Db): Collection<CursorRecord> {
  return database.collection<CursorRecord>(engineNames.cursors);
}

export function onceOf(database: Db): Collection<OnceRecord> {
  return database.collection<OnceRecord>(onceName);
}
