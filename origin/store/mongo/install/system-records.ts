/** Tombolo's own collections beside those of the resources. */
import type { Collection, Db } from 'mongodb';
import { engineNames } from '../../../../shared/contract/internal-names.ts';

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
export const metaName = engineNames.meta;
export const systemNames = Object.values(engineNames);

export function metaOf(database: Db): Collection<Meta> {
  return database.collection<Meta>(metaName);
}

export function cursorsOf(database: Db): Collection<CursorRecord> {
  return database.collection<CursorRecord>(engineNames.cursors);
}

export function onceOf(database: Db): Collection<OnceRecord> {
  return database.collection<OnceRecord>(engineNames.once);
}
