import { match, type MatchScope } from './match.ts';
import type { CollectionData, EntityDescription, Fields } from './schema.ts';
import type { Target } from './target.ts';

/** A file without initial data takes a fresh deployment for granted; files share the names of their databases. */
export async function dropDatabases(entities: readonly EntityDescription[], { internal }: Target): Promise<void> {
  for (const { database } of entities) if (database !== undefined && database.databaseName !== 'admin') await internal.db(database.databaseName).dropDatabase();
}

/** Puts the collections into the state that a test starts from. */
export async function fillInitialData(collections: readonly CollectionData[], { internal }: Target): Promise<void> {
  for (const { databaseName, collectionName, createOptions, documents } of collections) {
    const database = internal.db(databaseName, { writeConcern: { w: 'majority' } });
    await database.dropCollection(collectionName).catch(passWhenMissing);
    if (createOptions !== undefined || documents.length === 0) await database.createCollection(collectionName, { ...createOptions });
    if (documents.length > 0) await database.collection<Fields>(collectionName).insertMany([...documents]);
  }
}

/** Holds each collection against the documents that must be there when the test ends, no more and no fewer. */
export async function expectOutcome(collections: readonly CollectionData[], { target, scope }: { readonly target: Target; readonly scope: MatchScope }): Promise<void> {
  for (const { databaseName, collectionName, documents } of collections) {
    const collection = target.internal.db(databaseName).collection(collectionName, { readConcern: { level: 'local' }, readPreference: 'primary' });
    const actual = await collection.find({}, { sort: { _id: 1 } }).toArray();
    match({ expected: documents, actual, root: false, at: `${databaseName}.${collectionName} afterwards`, scope });
  }
}

/** The driver passes over the code of a missing collection; a server without codes says it in words. */
function passWhenMissing(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('ns not found'))) throw error;
}
