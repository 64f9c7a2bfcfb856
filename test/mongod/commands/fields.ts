// The fields that commands take. An unknown one is an error, as it is to a mongod: nothing asked for is passed over.
import { fail } from '../errors.ts';
import { type Doc, isDoc } from '../values/types.ts';

const GENERIC = new Set(['$db', '$clusterTime', '$readPreference', 'lsid', 'txnNumber', 'autocommit', 'startTransaction', 'stmtId', 'stmtIds', 'readConcern', 'writeConcern', 'maxTimeMS', 'comment', 'apiVersion', 'apiStrict', 'apiDeprecationErrors']);

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  find: ['filter', 'projection', 'sort', 'hint', 'skip', 'limit', 'batchSize', 'singleBatch', 'collation', 'let', 'allowDiskUse', 'noCursorTimeout', 'tailable', 'awaitData', 'oplogReplay', 'allowPartialResults', 'min', 'max', 'returnKey', 'showRecordId', 'term'],
  aggregate: ['pipeline', 'cursor', 'explain', 'allowDiskUse', 'bypassDocumentValidation', 'collation', 'hint', 'let'],
  count: ['query', 'limit', 'skip', 'hint', 'collation', 'fields'],
  distinct: ['key', 'query', 'collation', 'hint'],
  getMore: ['collection', 'batchSize', 'term'],
  insert: ['documents', 'ordered', 'bypassDocumentValidation'],
  update: ['updates', 'ordered', 'bypassDocumentValidation', 'let'],
  delete: ['deletes', 'ordered', 'let'],
  findAndModify: ['query', 'sort', 'remove', 'update', 'new', 'fields', 'upsert', 'bypassDocumentValidation', 'collation', 'arrayFilters', 'hint', 'let'],
  createIndexes: ['indexes', 'commitQuorum'],
  dropIndexes: ['index'],
  listIndexes: ['cursor'],
  listCollections: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
};

const ITEMS: Readonly<Record<string, readonly [list: string, fields: readonly string[]]>> = {
  update: ['updates', ['q', 'u', 'c', 'upsert', 'multi', 'collation', 'arrayFilters', 'hint', 'sort', 'upsertSupplied']],
  delete: ['deletes', ['q', 'limit', 'collation', 'hint']],
};

export function checkFields(name: string, body: Doc): void {
  const known = FIELDS[name];
  if (!known) return;
  for (const field in body) if (field !== name && !GENERIC.has(field) && !known.includes(field)) throw fail(40415, `BSON field '${name}.${field}' is an unknown field.`);
  const items = ITEMS[name];
  const list = items ? body[items[0]] : null;
  if (!items || !Array.isArray(list)) return;
  for (const item of list) {
    if (!isDoc(item)) throw fail('TypeMismatch', `BSON field '${name}.${items[0]}' must hold objects`);
    for (const field in item) if (!items[1].includes(field)) throw fail(40415, `BSON field '${name}.${items[0]}.${field}' is an unknown field.`);
  }
}
