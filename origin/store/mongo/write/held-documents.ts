/**
 * Keeps a document that is named and its removal apart (`Reach` of the store port). In MongoDB a read conflicts with nobody's
 * write, and a write of the document itself would be told to everybody. So both write records of Tombolo's own: who names it
 * one of several, by chance, so that those who name it seldom meet; who removes it all of them. Of two transactions that write
 * one record the later is a conflict, and is tried again. Records are in no feed, and expire long after every transaction.
 */
import type { AnyBulkWriteOperation } from 'mongodb';
import type { OnceRecord } from '../install/system-records.ts';

/** A document that is named, or one that is removed. */
export type Held = 'named' | 'left';

/** Of one document: whoever removes it writes that many. */
const records = 4;

/** Transactions live for a minute unless the server is told otherwise, and for a day at most. */
const keptMs = 2 * 24 * 3_600_000;

/** By key of the document. */
export function toHeldModels(held: ReadonlyMap<string, Held>, nowMs: number): AnyBulkWriteOperation<OnceRecord>[] {
  const turn = Math.floor(Math.random() * records);
  const all = Array.from({ length: records }, (_, index) => index);
  const expiresAt = new Date(nowMs + keptMs);
  return [...held].flatMap(([key, how]) => (how === 'left' ? all : [turn]).map((number) => ({
    // What is set to what it was is no write: the version differs each time.
    updateOne: {
      filter: { _id: `stays:${number}:${key}` }, update: { $set: { expiresAt, version: crypto.randomUUID() } }, upsert: true,
    },
  })));
}
