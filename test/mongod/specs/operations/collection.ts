import type { AnyBulkWriteOperation, Collection, Document, Filter, IndexDescription } from 'mongodb';
import type { Fields } from '../schema.ts';
import { argument, type Call, type Handlers, splitArguments } from './call.ts';

/** Operations on a collection: reads, writes, indexes. Each answers in the shape that the CRUD specification names. */
export const collectionOperations: Handlers = {
  find: call => collection(call).find(filter(call), rest(call, 'filter')).toArray(),
  findOne: call => collection(call).findOne(filter(call), rest(call, 'filter')),
  distinct: call => collection(call).distinct(argument<string>(call.args, 'fieldName'), filter(call), rest(call, 'fieldName', 'filter')),
  count: call => collection(call).count(filter(call), rest(call, 'filter')),
  countDocuments: call => collection(call).countDocuments(filter(call), rest(call, 'filter')),
  estimatedDocumentCount: call => collection(call).estimatedDocumentCount(rest(call)),

  insertOne: call => collection(call).insertOne(argument<Document>(call.args, 'document'), rest(call, 'document')),
  insertMany: call => collection(call).insertMany(argument<Document[]>(call.args, 'documents'), rest(call, 'documents')),
  updateOne: call => collection(call).updateOne(filter(call), argument<Document>(call.args, 'update'), rest(call, 'filter', 'update')),
  updateMany: call => collection(call).updateMany(filter(call), argument<Document>(call.args, 'update'), rest(call, 'filter', 'update')),
  replaceOne: call => collection(call).replaceOne(filter(call), argument<Document>(call.args, 'replacement'), rest(call, 'filter', 'replacement')),
  deleteOne: call => collection(call).deleteOne(filter(call), rest(call, 'filter')),
  deleteMany: call => collection(call).deleteMany(filter(call), rest(call, 'filter')),
  bulkWrite: call => collection(call).bulkWrite(argument<AnyBulkWriteOperation[]>(call.args, 'requests'), rest(call, 'requests')),

  findOneAndUpdate: call => collection(call).findOneAndUpdate(filter(call), argument<Document>(call.args, 'update'), rest(call, 'filter', 'update')),
  findOneAndReplace: call =>
    collection(call).findOneAndReplace(filter(call), argument<Document>(call.args, 'replacement'), rest(call, 'filter', 'replacement')),
  findOneAndDelete: call => collection(call).findOneAndDelete(filter(call), rest(call, 'filter')),

  createIndex: call => collection(call).createIndex(argument<IndexDescription['key']>(call.args, 'keys'), rest(call, 'keys')),
  dropIndex: call => collection(call).dropIndex(argument(call.args, 'name'), rest(call, 'name')),
  dropIndexes: call => collection(call).dropIndexes(rest(call)),
  listIndexes: call => collection(call).listIndexes(rest(call)).toArray(),
  rename: call => collection(call).rename(argument(call.args, 'to'), rest(call, 'to')),
  createFindCursor: async call => {
    const cursor = collection(call).find(filter(call), rest(call, 'filter'));
    await cursor.hasNext();
    return cursor;
  },
};

const collection = ({ entities, object }: Call): Collection => entities.collection(object);

const filter = ({ args }: Call) => argument<Filter<Document>>(args, 'filter');

const rest = ({ args }: Call, ...names: readonly string[]): Fields => splitArguments(args, ...names).options;
