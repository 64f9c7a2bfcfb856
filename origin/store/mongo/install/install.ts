/**
 * What the database has to have: collections with images and validators, indexes, expiry of nonces and records.
 * Idempotent, and safe while another origin does the same: what is there is compared first, what another made
 * meanwhile counts as made. What cannot be put in place is gathered and told in one message.
 */
import type { Collection, CollectionInfo, CreateIndexesOptions, Db, Document, IndexDescriptionInfo } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { toIndexKey } from '../read/branch-query.ts';
import type { Deployment } from '../connection/server-checks.ts';
import { codeOf, codes, isPassing } from '../connection/errors.ts';
import { oddFilter, oddIndexName } from '../read/odd-documents.ts';
import { onceOf, systemNames } from './system-records.ts';
import { toValidation } from './document-checks.ts';

export interface Installed {
  /** Resources in which a document may hold what has no order (odd-documents.ts). */
  readonly mayBeOdd: ReadonlySet<string>;
  /** How many of the first documents of each collection its own validator would refuse. */
  readonly invalid: Readonly<Record<string, number>>;
}

type Found = ReadonlyMap<string, CollectionInfo>;

/** Begins again when what was there is gone meanwhile: who drops one collection often drops the next. */
export async function install(database: Db, resources: readonly Resource[], deployment: Deployment = 'replica set'): Promise<Installed> {
  for (let tries = 1; ; tries++) {
    const found = await find(database);
    try {
      return await putInPlace(database, resources, { found, deployment });
    } catch (error) {
      const left = await find(database);
      if (tries >= triesMax || [...found.keys()].every((name) => left.has(name))) throw error;
    }
  }
}

/** Somebody who drops and makes collections without end is told what stands in the way. */
const triesMax = 10;

async function find(database: Db): Promise<Found> {
  return new Map((await database.listCollections<CollectionInfo>().toArray()).map((info) => [info.name, info]));
}

async function putInPlace(
  database: Db,
  resources: readonly Resource[],
  { found, deployment }: { readonly found: Found; readonly deployment: Deployment },
): Promise<Installed> {
  const problems: string[] = [];
  const gather = async (work: () => Promise<unknown>, explain: (error: unknown) => string): Promise<void> => {
    try {
      await work();
    } catch (error) {
      // An election is nothing that somebody has to mend.
      if (isPassing(error)) throw error;
      problems.push(explain(error));
    }
  };
  // Epoch, cursors, nonces and records belong to writes and to the feed, which a standalone does not have.
  const isStandalone = deployment === 'standalone';
  for (const name of isStandalone ? [] : systemNames) {
    if (!found.has(name)) {
      await gather(
        () => makeCollection(database, name, {}),
        (error) => `cannot create ${name}: ${messageOf(error)}`,
      );
    }
  }
  if (!isStandalone) {
    await gather(
      () => ensureExpiry(database),
      (error) => `nonces and idempotency records need their expiry index: ${messageOf(error)}`,
    );
  }
  for (const resource of resources) {
    const wanted = { ...(isStandalone ? {} : images), ...toValidation(resource) };
    const parts = isStandalone ? 'validator' : 'images (for the change feed) and validator';
    await gather(
      () => ensureCollection(database, resource.name, wanted, found.get(resource.name)),
      (error) => `${resource.name}: ${parts} cannot be set: ${messageOf(error)}; grant createCollection and collMod`,
    );
    await gather(() => ensureIndexes(database, resource), (error) => `${resource.name}: ${messageOf(error)}`);
  }
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
  return inspect(database, resources);
}

/** Whether it is ours, with these options; others may have made one meanwhile. */
async function makeCollection(database: Db, name: string, options: Document): Promise<boolean> {
  try {
    await whenFree(() => database.createCollection(name, options));
    return true;
  } catch (error) {
    if (codeOf(error) !== codes.namespaceExists) throw error;
    return false;
  }
}

const images: Document = { changeStreamPreAndPostImages: { enabled: true } };

async function ensureCollection(database: Db, name: string, wanted: Document, found: CollectionInfo | undefined): Promise<void> {
  if (found === undefined && (await makeCollection(database, name, wanted))) return;
  const options: Document = found?.options ?? {};
  const isThere = Object.entries(wanted).every(([option, value]) => Bun.deepEquals(options[option], value));
  if (!isThere) await whenFree(() => database.command({ collMod: name, ...wanted }));
}

const busyLimits = {
  /** A drop of the database waits for a majority between its collections and itself, an index build as long as it has documents. */
  waitMsMax: 30_000,
  retryMs: 50,
} as const;

/** What others have begun, and the server waits for with a refusal, ends by itself. */
async function whenFree(work: () => Promise<unknown>): Promise<void> {
  const givenUpAtMs = performance.now() + busyLimits.waitMsMax;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > givenUpAtMs) throw error;
      await Bun.sleep(busyLimits.retryMs);
    }
  }
}

function isBusy(error: unknown): boolean {
  return codeOf(error) === codes.databaseDropPending || codeOf(error) === codes.backgroundOperationInProgress;
}

async function ensureExpiry(database: Db): Promise<void> {
  await onceOf(database).createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
}

/** Hints name indexes by key, so one that others made under another name serves as well, if it holds every document. */
async function ensureIndexes(database: Db, resource: Resource): Promise<void> {
  const collection = database.collection(resource.name);
  const there = await collection.listIndexes().toArray();
  // Two access paths may walk the same key, one with its first field pinned.
  const wanted = new Map(
    resource.indexes.map((spec) => [JSON.stringify(Object.entries(toIndexKey(spec))), { name: spec.name, key: toIndexKey(spec) }]),
  );
  for (const { name, key } of wanted.values()) {
    if (isIdAlone(key)) continue;
    const same = there.find((index) => isSameKey(index, key));
    if (same !== undefined) mustHoldAll(same);
    else await makeIndex(collection, key, { name });
  }
  const partial = oddFilter(resource);
  if (partial === undefined) return;
  const odd = there.find(({ name }) => name === oddIndexName);
  if (odd !== undefined && !Bun.deepEquals(odd['partialFilterExpression'], partial)) await collection.dropIndex(oddIndexName);
  await makeIndex(collection, { _id: 1, [oddKey]: 1 }, { name: oddIndexName, partialFilterExpression: partial });
}

/** A second field, which no document has: an index over `_id` alone cannot be partial. */
const oddKey = 'tombolo_odd';

async function makeIndex(collection: Collection, key: Document, options: CreateIndexesOptions & { readonly name: string }): Promise<void> {
  try {
    await collection.createIndex(key, options);
  } catch (error) {
    if (isPassing(error)) throw error;
    const lack = `index ${options.name} cannot be built, and lists that walk it would read everything`;
    throw new Error(`${lack}: ${toMending(collection, key, options.name, error)}`, { cause: error });
  }
}

/** What stands in the way, and what takes it out, to be pasted into mongosh. */
function toMending({ collectionName }: Collection, key: Document, name: string, error: unknown): string {
  const fields = Object.keys(key);
  const collection = `db.getCollection(${JSON.stringify(collectionName)})`;
  switch (codeOf(error)) {
    case codes.duplicateKey: {
      const values = JSON.stringify(Object.fromEntries(fields.map((field) => [field, `$${field}`])));
      const group = `{ $group: { _id: ${values}, ids: { $push: "$_id" }, count: { $sum: 1 } } }`;
      const list = `${collection}.aggregate([${group}, { $match: { count: { $gt: 1 } } }])`;
      return `documents have the same value where it has to be unique; ${list} lists them: remove all but one of each`;
    }
    case codes.parallelArrays: {
      const filter = JSON.stringify({ $or: fields.map((field) => ({ [field]: { $type: 'array' } })) });
      const list = `${collection}.find(${filter})`;
      return `documents hold arrays in two of its fields, which no index can; ${list} lists them: mend those`;
    }
    case codes.indexKeySpecsConflict:
      return `an index of this name has another key; run ${collection}.dropIndex(${JSON.stringify(name)})`;
    default:
      return messageOf(error);
  }
}

function isIdAlone(key: Document): boolean {
  return Object.keys(key).join() === '_id';
}

/** The order of the fields counts. */
function isSameKey(index: IndexDescriptionInfo, key: Document): boolean {
  return JSON.stringify(Object.entries(index.key)) === JSON.stringify(Object.entries(key)) && index.name !== oddIndexName;
}

function mustHoldAll(index: IndexDescriptionInfo): void {
  const lacks = ['sparse', 'partialFilterExpression', 'collation', 'hidden'].filter(
    (option) => index[option] !== undefined && index[option] !== false,
  );
  if (lacks.length > 0) {
    const lack = `but is ${lacks.join(' and ')}, so documents are missing or in another order`;
    throw new Error(`index ${index.name} has the key that a list walks, ${lack}; drop it, Tombolo makes its own`);
  }
}

async function inspect(database: Db, resources: readonly Resource[]): Promise<Installed> {
  const mayBeOdd = new Set<string>();
  const invalid: Record<string, number> = {};
  for (const resource of resources) {
    const collection = database.collection(resource.name);
    const filter = oddFilter(resource);
    if (filter !== undefined && (await collection.findOne(filter, { hint: oddIndexName, projection: { _id: 1 } })) !== null) {
      mayBeOdd.add(resource.name);
    }
    const found = await countInvalid(database, resource);
    if (found > 0) invalid[resource.name] = found;
  }
  return { mayBeOdd, invalid };
}

/** A look at the beginning: the whole of a large collection takes too long for a start. */
export const inspectedMax = 1_000;

async function countInvalid(database: Db, resource: Resource): Promise<number> {
  const { validator } = toValidation(resource);
  const found = await database
    .collection(resource.name)
    .aggregate([{ $limit: inspectedMax }, { $match: { $nor: [validator] } }, { $count: 'count' }])
    .toArray();
  return Number(found[0]?.['count'] ?? 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
