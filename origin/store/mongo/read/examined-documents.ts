/** Documents with the types that they are stored in, for whoever examines them. */
import {
  BSON, Binary, BSONRegExp, BSONSymbol, Code, type Db, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp,
} from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { examine, type ExaminedDocument, type Examination, type StoredTypes } from '../../examination/examination.ts';
import type { LookedAt } from '../../examination/open-documents.ts';
import { storeLimits } from '../../limits.ts';
import { bsonTypes } from '../install/document-checks.ts';
import { toJson } from './bson-values.ts';
import { asBytes, mustBytes, toTyped } from './raw-documents.ts';
import { idFormOf } from './stored-ids.ts';

const mongoTypes: StoredTypes = { typeOf, typesOf: (kind) => bsonTypes[kind], toJson };

/** All documents, or as many as chance takes of a collection that holds more. */
export async function examineCollection(database: Db, resource: Resource, isFull: boolean): Promise<Examination> {
  const collection = database.collection(resource.collection, { readConcern: { level: 'majority' } });
  const isWhole = isFull || (await collection.estimatedDocumentCount()) <= storeLimits.examinedMax;
  const found = isWhole ? collection.find({}, asBytes) : collection.aggregate([{ $sample: { size: storeLimits.examinedMax } }], asBytes);
  return examine(resource, toDocuments(resource, found), { types: mongoTypes, isComplete: () => isWhole });
}

/** For a look at the first: whoever looks stops when it takes too long, and so does the server. */
export function lookedAtIn(database: Db, resources: readonly Resource[]): LookedAt {
  const first = (resource: Resource, limit: number) => {
    const options = { limit, batchSize: firstBatch, maxTimeMS: firstMsMax, ...asBytes };
    return toDocuments(resource, database.collection(resource.collection).find({}, options));
  };
  return { resources, types: mongoTypes, first };
}

/** Few, since documents may be large. */
const firstBatch = 20;
const firstMsMax = 500;

async function* toDocuments(resource: Resource, found: AsyncIterable<unknown>): AsyncGenerator<ExaminedDocument> {
  for await (const bytes of found) yield toExamined(resource, mustBytes(bytes));
}

function toExamined(resource: Resource, bytes: Uint8Array): ExaminedDocument {
  const { _id: key, ...members } = toTyped(resource, bytes);
  return { id: idFormOf(resource).fromStored(key), key: toKeyText(key), keyType: typeOf(key), members };
}

/** Relaxed Extended JSON rounds a Long past 2^53: its text would name another document. */
function toKeyText(key: unknown): string {
  return BSON.EJSON.stringify(key, { relaxed: !(key instanceof Long) || Number.isSafeInteger(key.toNumber()) });
}

const classes = [
  ['date', Date], ['double', Double], ['int', Int32], ['long', Long], ['decimal', Decimal128], ['objectId', ObjectId], ['binData', Binary],
  ['timestamp', Timestamp], ['regex', BSONRegExp], ['symbol', BSONSymbol], ['javascript', Code], ['minKey', MinKey], ['maxKey', MaxKey],
] as const;

/** MongoDB's name of a type, as `$type` has it. */
function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'double';
  if (Array.isArray(value)) return 'array';
  return classes.find(([, each]) => value instanceof each)?.[0] ?? 'object';
}
