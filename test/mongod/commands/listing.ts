// listCollections, listDatabases, and the statistics commands
import { fail } from '../errors.ts';
import { compileFilter } from '../query/match.ts';
import type { Collection } from '../storage/collection.ts';
import type { Doc } from '../values/types.ts';
import { collectionName, type Command, docField, flag, numberField, ok } from './command.ts';
import { sourceOf } from './cursors.ts';
import { cursorReply } from './reply.ts';
import { storageStats } from './virtual.ts';

function describe({ name, options, uuid }: Collection, nameOnly: boolean): Doc {
  const type = options['viewOn'] ? 'view' : 'collection';
  if (nameOnly) return { name, type };
  if (type === 'view') return { name, type, options, info: { readOnly: true } };
  const validation = options['validator'] ? { validationLevel: options['validationLevel'] ?? 'strict', validationAction: options['validationAction'] ?? 'error' } : {};
  return { name, type, options: { ...options, ...validation }, info: { readOnly: false, uuid }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } };
}

export const listCollections: Command = {
  kind: 'read',
  run(context) {
    const { member, db, body } = context;
    const test = compileFilter(docField(body, 'filter', 'listCollections') ?? {});
    const listed = [...member.store.databases.get(db)?.values() ?? []].filter(({ maker }) => maker === null || maker === context.transaction);
    const docs = listed.map(collection => describe(collection, flag(body, 'nameOnly'))).filter(test);
    const cursor = docField(body, 'cursor', 'listCollections') ?? {};
    return cursorReply(context, sourceOf(docs), { namespace: `${db}.$cmd.listCollections`, batchSize: numberField(cursor, 'batchSize', 'cursor') });
  },
};

export const listDatabases: Command = {
  kind: 'read',
  adminOnly: true,
  run({ member, body }) {
    const test = compileFilter(docField(body, 'filter', 'listDatabases') ?? {});
    const names = new Set([...member.store.databases.keys(), 'admin', 'local']);
    const databases = [...names].sort().map(name => ({ name, sizeOnDisk: 8192, empty: !member.store.databases.has(name) })).filter(test);
    if (flag(body, 'nameOnly')) return ok({ databases: databases.map(({ name }) => ({ name })) });
    return ok({ databases, totalSize: databases.length * 8192, totalSizeMb: 0 });
  },
};

export const collStats: Command = {
  kind: 'read',
  run(context) {
    const name = collectionName(context);
    const collection = context.member.store.get(context.db, name);
    return ok({ ns: `${context.db}.${name}`, ...(collection ? storageStats(collection) : { size: 0, count: 0, nindexes: 0 }) });
  },
};

export const dbStats: Command = {
  kind: 'read',
  run({ member, db }) {
    const collections = [...member.store.databases.get(db)?.values() ?? []];
    return ok({ db, collections: collections.length, views: 0, objects: collections.reduce((sum, { count }) => sum + count, 0), indexes: collections.reduce((sum, { indexes }) => sum + indexes.size, 0), dataSize: 0, storageSize: 0, indexSize: 0 });
  },
};

export const validate: Command = {
  kind: 'read',
  run(context) {
    const name = collectionName(context);
    const collection = context.member.store.get(context.db, name);
    if (!collection) throw fail('NamespaceNotFound', `Collection '${context.db}.${name}' does not exist to validate.`);
    return ok({ ns: `${context.db}.${name}`, valid: true, nrecords: collection.count, nIndexes: collection.indexes.size, errors: [], warnings: [] });
  },
};
