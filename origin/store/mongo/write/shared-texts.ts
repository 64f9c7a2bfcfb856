/** Texts that processes change by turns, in the collection of what expires. A change is durable when it is told. */
import type { Db } from 'mongodb';
import type { SharedText, SharedTexts } from '../../store.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { type OnceRecord, onceOf } from '../install/system-records.ts';

export class MongoSharedTexts implements SharedTexts {
  readonly #database: Db;

  constructor(database: Db) {
    this.#database = database;
  }

  /** The primary's newest: what a majority has may be older, and a change of it would be refused again and again. */
  async find(name: string): Promise<SharedText | undefined> {
    const found = await onceOf(this.#database).findOne({ _id: toId(name) }, { readConcern: { level: 'local' } });
    return found?.text === undefined || found.version === undefined ? undefined : { text: found.text, version: found.version };
  }

  async put(name: string, next: { readonly text: string; readonly expiresAt: number }, version: string | undefined): Promise<boolean> {
    const changed = { text: next.text, expiresAt: new Date(next.expiresAt), version: crypto.randomUUID() };
    const records = onceOf(this.#database);
    if (version === undefined) return isInserted(records.insertOne({ _id: toId(name), ...changed }));
    return (await records.updateOne({ _id: toId(name), version }, { $set: changed })).matchedCount === 1;
  }
}

function toId(name: string): OnceRecord['_id'] {
  return `shared:${name}`;
}

async function isInserted(inserting: Promise<unknown>): Promise<boolean> {
  try {
    await inserting;
    return true;
  } catch (error) {
    if (codeOf(error) === codes.duplicateKey) return false;
    throw error;
  }
}
