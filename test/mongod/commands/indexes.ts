// createIndexes, dropIndexes, listIndexes
import { fail } from '../errors.ts';
import { findIndex } from '../query/plan.ts';
import type { Collection } from '../storage/collection.ts';
import { normalizeSpec, toIndex } from '../storage/index-spec.ts';
import { latestDoc } from '../storage/records.ts';
import { isIdentical } from '../values/compare.ts';
import { type Doc, isDoc } from '../values/types.ts';
import { collectionName, type Command, type Context, docField, listField, numberField, ok } from './command.ts';
import { sourceOf } from './cursors.ts';
import { cursorReply } from './reply.ts';
import { collectionForWrite } from './writing.ts';
import { refuseView } from './views.ts';

const INDEXES_MAX = 64;

export const createIndexes: Command = {
  kind: 'write',
  inTransaction: true,
  run(context) {
    const { member, db, transaction, body } = context;
    const name = collectionName(context);
    refuseView(context, name);
    if (body['commitQuorum'] !== undefined && !context.server.isReplicaSet) throw fail('BadValue', 'commitQuorum is supported only on replica sets');
    const inherited = member.store.get(db, name)?.options['collation'];
    const specs = listField(body, 'indexes', 'createIndexes').map(spec => normalizeSpec({ ...(inherited ? { collation: inherited } : {}), ...spec }));
    const existed = member.store.get(db, name) !== null;
    const collection = collectionForWrite(context, name);
    if (transaction && existed && !transaction.created.includes(collection) && collection.count > 0) throw fail('OperationNotSupportedInTransaction', `Cannot create new indexes on existing collection ${db}.${name} in a multi-document transaction.`);
    const before = collection.indexes.size;
    const fresh = specs.filter(spec => isNew(collection, spec));
    if (before + fresh.length > INDEXES_MAX) throw fail('CannotCreateIndex', `add index fails, too many indexes for ${db}.${name}`);
    for (const spec of fresh) checkUnique(collection, spec);
    const operation = { kind: 'createIndexes' as const, db, collection: name, uuid: collection.uuid, specs: fresh };
    if (fresh.length && transaction) {
      member.store.apply(operation, 0);
      transaction.operations.push(operation);
      transaction.undo.push(() => { for (const spec of fresh) collection.indexes.delete(String(spec['name'])); });
    } else if (fresh.length) context.wroteAt = member.write([operation]);
    return ok({ numIndexesBefore: before, numIndexesAfter: collection.indexes.size, createdCollectionAutomatically: !existed, ...(fresh.length ? {} : { note: 'all indexes already exist' }), ...(context.server.isReplicaSet && !transaction ? { commitQuorum: 'votingMembers' } : {}) });
  },
};

function isNew(collection: Collection, spec: Doc): boolean {
  if (isIdentical(spec['key'], { _id: 1 })) return false;
  const { name } = spec;
  const named = collection.indexes.get(String(name));
  const essence = ({ key, unique, sparse, partialFilterExpression, collation, expireAfterSeconds }: Doc): Doc => ({ key, unique, sparse, partialFilterExpression, collation, expireAfterSeconds });
  for (const { spec: other } of collection.indexes.values()) {
    const same = isIdentical(essence(other.options), essence(spec));
    if (same && other.name === name) return false;
    if (same) throw fail('IndexOptionsConflict', `Index already exists with a different name: ${other.name}`);
    const twin = isIdentical(other.pattern, spec['key']) && isIdentical(other.options['partialFilterExpression'], spec['partialFilterExpression']) && isIdentical(other.options['collation'], spec['collation']);
    if (twin && other.name !== name) throw fail('IndexOptionsConflict', `An equivalent index already exists with a different name and options. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(other.options)}`);
    if (twin) throw fail('IndexOptionsConflict', `An equivalent index already exists with the same name but different options. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(other.options)}`);
  }
  if (named) throw fail('IndexKeySpecsConflict', `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(named.spec.options)}`);
  return true;
}

function checkUnique(collection: Collection, spec: Doc): void {
  const index = toIndex(spec);
  const seen = new Set<string>();
  for (const record of collection.records.values()) {
    const doc = latestDoc(record);
    if (!doc) continue;
    for (const key of index.keysOf(doc)) { // parallel arrays are refused here, before anything is built
      if (index.spec.unique && seen.has(key)) throw fail('DuplicateKey', `E11000 duplicate key error collection: ${collection.namespace} index: ${index.spec.name} dup key: ${JSON.stringify(index.valuesFor(doc))}`, { keyPattern: index.spec.pattern, keyValue: index.valuesFor(doc) });
      seen.add(key);
    }
  }
}

export const dropIndexes: Command = {
  kind: 'write',
  run(context) {
    const { member, db, body } = context;
    const name = collectionName(context);
    const collection = member.store.get(db, name);
    if (!collection) throw fail('NamespaceNotFound', `ns not found ${db}.${name}`);
    const before = collection.indexes.size;
    const wanted = body['index'];
    const found = wanted === '*' ? [...collection.indexes.values()].filter(index => index.spec.name !== '_id_') : (Array.isArray(wanted) ? wanted : [wanted]).map(item => {
      const index = typeof item === 'string' || isDoc(item) ? findIndex(collection, item) : null;
      if (!index) throw fail('IndexNotFound', `index not found with name [${String(typeof item === 'string' ? item : JSON.stringify(item))}]`);
      if (index.spec.name === '_id_') throw fail('InvalidOptions', 'cannot drop _id index');
      return index;
    });
    if (found.length) context.wroteAt = member.write([{ kind: 'dropIndexes', db, collection: name, uuid: collection.uuid, specs: found.map(index => index.spec.options) }]);
    return ok({ nIndexesWas: before, ...(wanted === '*' ? { msg: 'non-_id indexes dropped for collection' } : {}) });
  },
};

// The index of _id is unique without saying so.
const withoutUnique = ({ unique: _, ...options }: Doc): Doc => options;

export const listIndexes: Command = {
  kind: 'read',
  async run(context: Context) {
    const name = collectionName(context);
    refuseView(context, name);
    const collection = context.member.store.get(context.db, name);
    if (!collection || (collection.maker !== null && collection.maker !== context.transaction)) throw fail('NamespaceNotFound', `ns does not exist: ${context.db}.${name}`);
    const specs = [...collection.indexes.values()].map(({ spec }) => (spec.name === '_id_' ? withoutUnique(spec.options) : spec.options));
    const cursor = docField(context.body, 'cursor', 'listIndexes') ?? {};
    return cursorReply(context, sourceOf(specs), { namespace: `${context.db}.${name}`, batchSize: numberField(cursor, 'batchSize', 'cursor') });
  },
};

