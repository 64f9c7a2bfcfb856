/**
 * Defaults for a batch of documents and the note of them, in one transaction: whoever is killed has done and noted all of it or
 * nothing. The note names each document with a digest of its bytes as they then are, by which an undo (undo-fill.ts) knows
 * whether anybody has written to it since.
 */
import { Binary, BSON, type ClientSession, type Db, ObjectId } from 'mongodb';
import { deserializeOptions } from '../connection/client.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { type FilledDocument, notesName, notesOf } from '../install/system-records.ts';
import { asBytes, mustBytes } from '../read/raw-documents.ts';
import { type Lacking, lackingFilter, ofIds, toFilledField, toUpdate } from './default-updates.ts';
import type { Batch, Given } from './fill-defaults.ts';
import { refusedApart } from './refused-apart.ts';

export async function fillNoted(batch: Batch): Promise<Given> {
  await makeNotes(batch.database);
  const { written, refused } = await refusedApart(batch.database, batch.ids, (ids, session) => fillAndNote({ ...batch, ids }, session));
  return { documents: written, refused };
}

async function fillAndNote({ database, resource, places, ids }: Batch, session: ClientSession): Promise<number> {
  const collection = database.collection<Lacking>(resource.collection);
  const filled = new Map<string, { readonly id: unknown; readonly fields: readonly number[] }>();
  for (const [field, place] of places.entries()) {
    const lacking = await collection
      .find({ $and: [ofIds(ids), lackingFilter(resource, place)] }, { ...toAsking(ids, session), projection: { _id: 1 } })
      .toArray();
    if (lacking.length === 0) continue;
    await collection.bulkWrite(lacking.map(({ _id }) => toUpdate(resource, _id, place)), { session });
    for (const { _id: id } of lacking) {
      filled.set(toKey(id), { id, fields: [...(filled.get(toKey(id))?.fields ?? []), field] });
    }
  }
  if (filled.size === 0) return 0;
  const { collection: name } = resource;
  const digests = await digestsOf({ database, collection: name, ids: [...filled.values()].map(({ id }) => id) }, session);
  const documents = [...filled].map(([key, { id, fields }]): FilledDocument => {
    const digest = digests.get(key);
    if (digest === undefined) throw new Error('a document that this transaction has written is not in it');
    return { id, fields, digest };
  });
  const fields = places.map((place) => toFilledField(resource, place));
  await notesOf(database).insertOne({ _id: new ObjectId(), collection: name, at: new Date(), fields, documents }, { session });
  return filled.size;
}

interface Digested {
  readonly database: Db;
  readonly collection: string;
  readonly ids: readonly unknown[];
}

/** Of the documents that are there, by their keys. */
export async function digestsOf({ database, collection, ids }: Digested, session: ClientSession): Promise<ReadonlyMap<string, Binary>> {
  const asked = database.collection<Lacking>(collection).find(ofIds(ids), { ...toAsking(ids, session), ...asBytes });
  const found = (await asked.toArray()).map(mustBytes);
  const idOf = (bytes: Uint8Array): unknown => BSON.deserialize(bytes, { ...deserializeOptions, promoteLongs: false })['_id'];
  return new Map(found.map((bytes) => [toKey(idOf(bytes)), toDigest(bytes)]));
}

/** An `_id` as a text, read with `promoteLongs: false`: two that are one to the database are one here. */
export function toKey(id: unknown): string {
  return BSON.EJSON.stringify({ id }, { relaxed: false });
}

function toAsking(ids: readonly unknown[], session: ClientSession) {
  return { session, batchSize: ids.length + 1, promoteLongs: false } as const;
}

function toDigest(bytes: Uint8Array): Binary {
  return new Binary(new Bun.CryptoHasher('sha256').update(bytes).digest());
}

/** Before the transaction: not every server makes a collection within one. */
async function makeNotes(database: Db): Promise<void> {
  await database.command({ create: notesName, writeConcern: { w: 'majority' } }).catch((error: unknown) => {
    if (codeOf(error) !== codes.namespaceExists) throw error;
  });
}
