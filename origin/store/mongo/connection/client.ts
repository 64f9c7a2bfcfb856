/** The connection to a deployment: its bounds, and which database of it is ours. */
import { type Db, MongoClient } from 'mongodb';
import { repairDriver } from './driver-repair.ts';

const clientLimits = {
  /**
   * A transaction holds a connection for some 4 ms, so 64 carry 10 000 writes a second, far past one process; each
   * reader of the feed holds one more while it waits. More would only queue in the database instead of here.
   */
  poolSizeMax: 64,
  /** The wait for a primary: a step-down is over within it, a death is not; the caller is told to come back within 2 s of asking. */
  selectionMsMax: 1_500,
  /** The wait for a free connection: when all are busy for so long, the database is behind. */
  poolWaitMsMax: 1_500,
  connectMsMax: 2_000,
  /** The longest silence on a socket in use. Streams hear something every 80 ms, other commands have their own deadline. */
  socketMsMax: 15_000,
} as const;

/** How BSON becomes objects: MongoDB's regular expressions are not JavaScript's, which lose them or throw. */
export const deserializeOptions = { bsonRegExp: true } as const;

const databaseDefault = 'tombolo';

export function toClient(uri: string, { isPatient = false } = {}): MongoClient {
  repairDriver();
  return new MongoClient(uri, {
    appName: 'tombolo',
    maxPoolSize: clientLimits.poolSizeMax,
    waitQueueTimeoutMS: clientLimits.poolWaitMsMax,
    serverSelectionTimeoutMS: clientLimits.selectionMsMax,
    connectTimeoutMS: clientLimits.connectMsMax,
    // A patient one is for what takes as long as there are documents: builds of indexes.
    socketTimeoutMS: isPatient ? 0 : clientLimits.socketMsMax,
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority', journal: true },
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    ...deserializeOptions,
  });
}

/** A connection of its own for as long as `use` takes, in which silence means nothing. */
export async function patiently<T>(uri: string, use: (database: Db) => Promise<T>): Promise<T> {
  const client = toClient(uri, { isPatient: true });
  try {
    return await use(client.db(toDatabaseName(uri)));
  } finally {
    await client.close();
  }
}

/** The path of the connection string; without one, a database of our own name. */
export function toDatabaseName(uri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(uri)?.[1];
  return path === undefined ? databaseDefault : decodeURIComponent(path);
}
