/** Reads a bounded part of one collection, and what is known of it, and nothing else: `npm run adopt` writes to no database. */
import { BSON, type Collection, type CollectionInfo, type Db, type Document } from 'mongodb';
import { codeOf, codes } from '../../store/mongo/connection/errors.ts';
import { isCollated, isPlain } from '../../store/mongo/install/survey.ts';
import { StoreNotReady } from '../../store/not-ready.ts';
import type { Sample } from './adoption.ts';
import type { Stored } from './values.ts';

export const sampleLimits = {
  documentsDefault: 1_000,
  /** More show hardly anything that fewer do not. */
  documentsMax: 20_000,
  /** Documents may have 16 MB each; here reading ends, with what was read. */
  bytesMax: 64 * 1_048_576,
  /** A sample of a large collection is read by a random cursor within seconds. */
  readMsMax: 60_000,
  /** Names of collections in a message. */
  namesShownMax: 20,
} as const;

export interface Wanted {
  readonly collection: string;
  readonly documentsMax: number;
}

export async function readSample(database: Db, { collection: name, documentsMax }: Wanted): Promise<Sample> {
  const refuse = (problem: string): never => {
    throw new StoreNotReady(database.databaseName, [problem]);
  };
  const infos = await database.listCollections<CollectionInfo>().toArray();
  const info = infos.find((each) => each.name === name) ?? refuse(`there is no collection ${name}; ${whatThereIs(infos)}`);
  if (!isPlain(info)) refuse(`${name}: is a ${info.type}, and Tombolo serves collections`);
  const collection = database.collection(name);
  const estimated = await collection.estimatedDocumentCount();
  const isAll = estimated <= documentsMax;
  const { documents, isCut } = await readDocuments(collection, { documentsMax, isAll }).catch((error: unknown) => {
    if (codeOf(error) !== codes.maxTimeMsExpired) throw error;
    return refuse(`${name}: reading took longer than ${sampleLimits.readMsMax / 1_000} s; a smaller --sample, such as 100, takes less`);
  });
  if (documents.length === 0) refuse(`${name}: is empty, so nothing tells what is in it; adopt it when documents are there`);
  const indexes = await collection.listIndexes().toArray();
  return {
    collection: name, documents, total: Math.max(estimated, documents.length), reading: isCut ? 'cut' : isAll ? 'all' : 'random', indexes,
    isCollated: isCollated(info),
  };
}

function whatThereIs(infos: readonly CollectionInfo[]): string {
  const names = infos.map(({ name }) => name).filter((name) => !name.startsWith('system.')).sort();
  if (names.length === 0) return 'the database is empty or not there: does the path of the connection string name the right one?';
  const shown = names.slice(0, sampleLimits.namesShownMax);
  return `there are ${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}

interface Reading {
  readonly documentsMax: number;
  readonly isAll: boolean;
}

interface Read {
  readonly documents: readonly Stored[];
  readonly isCut: boolean;
}

/** At random, with each type as it is stored. */
async function readDocuments(collection: Collection, { documentsMax, isAll }: Reading): Promise<Read> {
  const options = { raw: true, batchSize: 100, maxTimeMS: sampleLimits.readMsMax };
  const cursor = isAll
    ? collection.find({}, options).limit(documentsMax)
    : collection.aggregate([{ $sample: { size: documentsMax } }], { ...options, allowDiskUse: true });
  const documents: Stored[] = [];
  let bytes = 0;
  for await (const document of cursor) {
    const raw = asBytes(document);
    bytes += raw.byteLength;
    if (documents.length > 0 && bytes > sampleLimits.bytesMax) return { documents, isCut: true };
    documents.push(BSON.deserialize(raw, { promoteValues: false, bsonRegExp: true }));
  }
  return { documents, isCut: false };
}

/** What a cursor gives that was asked for raw documents; the driver's types do not tell. */
function asBytes(document: Document): Uint8Array {
  return document as unknown as Uint8Array;
}
