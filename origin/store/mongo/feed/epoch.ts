/** The epoch: random, kept in the database, renewed when state or history was lost. */
import { createHash } from 'node:crypto';
import type { CollectionInfo, Db, MongoClient, Timestamp } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { mustOperationTime } from '../connection/cluster-time.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { metaOf } from '../install/system-records.ts';

async function findEpoch(database: Db): Promise<string | undefined> {
  return (await metaOf(database).findOne({ _id: 'epoch' }))?.value;
}

/** `standIn`: what holds where Tombolo is not installed. */
export async function mustEpoch(database: Db, standIn?: string): Promise<string> {
  const epoch = (await findEpoch(database)) ?? standIn;
  if (epoch === undefined) throw new Error('the database has no epoch: it was dropped, and nobody has begun a new one yet');
  return epoch;
}

/** The epoch of the database, or `fresh` where it has none; of several processes the first one wins. */
export async function ensureEpoch(database: Db, fresh: string): Promise<string> {
  try {
    await metaOf(database).updateOne({ _id: 'epoch' }, { $setOnInsert: { value: fresh, at: new Date() } }, { upsert: true });
  } catch (error) {
    if (codeOf(error) !== codes.duplicateKey) throw error;
  }
  return mustEpoch(database);
}

/**
 * The epoch of a database in which nothing of Tombolo's may be kept yet: it follows from the identities of the declared
 * collections, so that every origin and every start finds the same, and another where one was dropped and loaded anew.
 */
export async function standInEpoch(database: Db, resources: Iterable<Resource>): Promise<string> {
  const names = [...resources].map(({ collection }) => collection);
  const found = await database.listCollections<CollectionInfo>({ name: { $in: names } }).toArray();
  const identities = found.map(({ name, info }) => `${name} ${String(info?.uuid)}`).sort();
  return createHash('sha256').update([database.databaseName, ...identities].join('\n')).digest('hex').slice(0, 16);
}

/** The cluster time at which the new epoch begins. */
export async function replaceEpoch(client: MongoClient, database: Db, epoch: string): Promise<Timestamp> {
  const session = client.startSession();
  try {
    await metaOf(database).replaceOne({ _id: 'epoch' }, { value: epoch, at: new Date() }, { upsert: true, session });
    return mustOperationTime(session);
  } finally {
    await session.endSession();
  }
}
