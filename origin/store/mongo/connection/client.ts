/** The connection to a deployment: its bounds, and which database of it is ours. */
import { type Db, MongoClient } from 'mongodb';
import { StoreNotReady } from '../../not-ready.ts';
import { repairDriver } from './driver-repair.ts';
import { productOfUri, toProductProblem } from './other-products.ts';
import { toUriOptions } from './uri-options.ts';

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

/** What holds unless the connection string says otherwise. */
const defaults = {
  appName: 'tombolo',
  maxPoolSize: clientLimits.poolSizeMax,
  waitQueueTimeoutMS: clientLimits.poolWaitMsMax,
  serverSelectionTimeoutMS: clientLimits.selectionMsMax,
  connectTimeoutMS: clientLimits.connectMsMax,
  socketTimeoutMS: clientLimits.socketMsMax,
  retryReads: true,
} as const;

/** How the server's lists of what is under way call the driver of this: `nodejs|tombolo`. */
export const driverName = 'tombolo';

/** What always holds: a connection string that says otherwise is refused (uri-options.ts). */
const demanded = {
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true },
  readPreference: 'primary',
  retryWrites: true,
  driverInfo: { name: driverName },
} as const;

/** For what takes as long as there are documents, builds of indexes: silence means nothing, whatever a socket is allowed otherwise. */
const patience = { socketTimeoutMS: 0 } as const;

/** How BSON becomes objects: MongoDB's regular expressions are not JavaScript's, which lose them or throw. */
export const deserializeOptions = { bsonRegExp: true } as const;

const databaseDefault = 'tombolo';

/** Throws a `StoreNotReady` that names each option of the connection string that is refused, or what is malformed. */
export function toClient(uri: string, { isPatient = false } = {}): MongoClient {
  repairDriver();
  const product = productOfUri(uri);
  // What such products' own pages have people write is refused as well, and would hide the matter.
  if (product !== undefined) throw new StoreNotReady(toDatabaseName(uri), [toProductProblem(product)]);
  const { given, problems } = toUriOptions(uri);
  if (problems.length > 0) throw new StoreNotReady(toDatabaseName(uri), problems);
  // The driver prefers what it is given here to what the connection string says.
  const ours = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()));
  try {
    return new MongoClient(uri, { ...Object.fromEntries(ours), ...demanded, ...(isPatient ? patience : {}), ...deserializeOptions });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // A text that the driver cannot read may hold the password, and is not told.
    const said = error.message.includes(uri) ? 'it is malformed' : error.message;
    throw new StoreNotReady(toDatabaseName(uri), [
      `MONGODB_URI: ${said}; the form is mongodb://user:password@host:27017/database, special characters percent-encoded`,
    ]);
  }
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
  try {
    return path === undefined ? databaseDefault : decodeURIComponent(path);
  } catch {
    // The driver refuses it, and is quoted.
    return path ?? databaseDefault;
  }
}
