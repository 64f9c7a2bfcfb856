/** Tombolo's own collections beside those of the resources. */
import type { Collection, Db } from 'mongodb';

export interface Meta {
  readonly _id: 'epoch';
  readonly value: string;
  readonly at: Date;
}

export interface CursorRecord {
  readonly _id: string;
  readonly epoch: string;
  readonly order: string;
}

/** A nonce or an idempotency record; `_id` begins with what it is. */
export interface OnceRecord {
  readonly _id: string;
  /** A TTL index removes it afterwards. */
  readonly expiresAt: Date;
  readonly fingerprint?: string;
  readonly answer?: string;
}

/** The epoch. Part of every change stream, so that each reader hears of a new one in its place. */
export const metaName = 'tombolo_meta';
const cursorsName = 'tombolo_cursors';
const onceName = 'tombolo_once';
export const systemNames = [metaName, cursorsName, onceName] as const;

export function metaOf(database: Db): Collection<Meta> {
  return database.collection<Meta>(metaName);
}

export function cursorsOf(database: Db): Collection<CursorRecord> {
  return database.collection<CursorRecord>(cursorsName);
}

export function onceOf(database: Db): Collection<OnceRecord> {
  return database.collection<OnceRecord>(onceName);
}
