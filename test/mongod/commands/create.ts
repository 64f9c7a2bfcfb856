// create, drop, dropDatabase, renameCollection
import { UUID } from 'bson';
import { fail } from '../errors.ts';
import { compileValidator } from '../storage/validation.ts';
import type { Collection } from '../storage/collection.ts';
import { isIdentical } from '../values/compare.ts';
import { parseCollation } from '../values/collation.ts';
import { type Doc, isDoc, isTruthy } from '../values/types.ts';
import { collectionName, type Command, type Context, ok } from './command.ts';
import { compileStages } from '../aggregate/stages.ts';
import { pipelineContext } from './aggregate.ts';
import { untilUnused } from './writing.ts';

const OPTIONS = new Set(['validator', 'validationLevel', 'validationAction', 'collation', 'changeStreamPreAndPostImages', 'viewOn', 'pipeline', 'indexOptionDefaults', 'storageEngine']);
const GENERIC = new Set(['create', 'lsid', '$clusterTime', '$db', 'txnNumber', 'autocommit', 'startTransaction', 'writeConcern', 'comment', 'maxTimeMS', '$readPreference', 'readConcern', 'apiVersion', 'apiStrict', 'apiDeprecationErrors', 'capped', 'flags', 'autoIndexId', 'rawData']);

function parseOptions(context: Context, body: Doc): Doc {
  const options: Doc = {};
  for (const [name, value] of Object.entries(body)) {
    if (OPTIONS.has(name)) options[name] = value;
    else if (!GENERIC.has(name)) throw fail(['size', 'max', 'timeseries', 'clusteredIndex', 'encryptedFields', 'expireAfterSeconds', 'temp'].includes(name) ? 'NotImplemented' : 40415, `create.${name} is ${['size', 'max', 'timeseries', 'clusteredIndex', 'encryptedFields', 'expireAfterSeconds', 'temp'].includes(name) ? 'refused by this test server' : 'an unknown field'}.`);
  }
  if (body['capped'] === true) throw fail('NotImplemented', 'capped collections are refused by this test server');
  checkValidation(options);
  if (!keepsImages(options)) delete options['changeStreamPreAndPostImages'];
  if (isDoc(options['collation'])) { const collation = parseCollation(options['collation']); if (collation) options['collation'] = collation.spec; else delete options['collation']; }
  if (options['viewOn'] !== undefined) { options['pipeline'] ??= []; compileStages(options['pipeline'], pipelineContext(context, {})); }
  else if (options['pipeline'] !== undefined) throw fail('InvalidOptions', "'pipeline' option must be specified with 'viewOn'");
  return options;
}

// What is switched off is not listed: CollectionOptions::appendBSON.
export const keepsImages = (options: Doc): boolean => isDoc(options['changeStreamPreAndPostImages']) && isTruthy(options['changeStreamPreAndPostImages']['enabled']);

export function checkValidation(options: Doc): void {
  const { validationLevel: level, validationAction: action, validator } = options;
  if (level !== undefined && !['off', 'strict', 'moderate'].includes(String(level))) throw fail('BadValue', `Enumeration value '${String(level)}' for field 'create.validationLevel' is not a valid value.`);
  if (action !== undefined && !['error', 'warn'].includes(String(action))) throw fail('BadValue', `Enumeration value '${String(action)}' for field 'create.validationAction' is not a valid value.`);
  compileValidator(validator);
}

// In a transaction the collection exists at once and is taken away again by an abort.
export function createCollection(context: Context, name: string, options: Doc): Collection {
  const { member, db, transaction } = context;
  if (!transaction) {
    const operation = { kind: 'create' as const, db, collection: name, uuid: new UUID(), options };
    context.wroteAt = member.write([operation]);
    return member.store.get(db, name) as Collection;
  }
  const uuid = new UUID();
  const collection = member.store.create(db, name, uuid, options, transaction.view.at);
  collection.maker = transaction;
  transaction.created.push(collection);
  transaction.operations.push({ kind: 'create', db, collection: name, uuid, options });
  transaction.undo.push(() => member.store.drop(db, name));
  return collection;
}

export const create: Command = {
  kind: 'write',
  inTransaction: true,
  run(context) {
    const name = collectionName(context);
    const options = parseOptions(context, context.body);
    const existing = context.member.store.get(context.db, name);
    if (existing) {
      if (isIdentical(existing.options, options)) return ok();
      throw fail('NamespaceExists', `Collection ${context.db}.${name} already exists.`);
    }
    createCollection(context, name, options);
    return ok();
  },
};

const place = ({ db, name, uuid }: Collection): { db: string; collection: string; uuid: UUID } => ({ db, collection: name, uuid });

export const drop: Command = {
  kind: 'write',
  async run(context) {
    const name = collectionName(context);
    const collection = context.member.store.get(context.db, name);
    if (!collection) return ok(); // since 7.0 an absent collection is no error
    await untilUnused(context, collection);
    context.wroteAt = context.member.write([{ kind: 'drop', ...place(collection) }]);
    return ok({ nIndexesWas: collection.indexes.size, ns: `${context.db}.${name}` });
  },
};

export const dropDatabase: Command = {
  kind: 'write',
  async run(context) {
    const { member, db } = context;
    const collections = [...member.store.databases.get(db)?.values() ?? []];
    if (collections.length === 0) return ok();
    for (const collection of collections) await untilUnused(context, collection);
    for (const collection of collections) member.write([{ kind: 'drop', ...place(collection) }]);
    context.wroteAt = member.write([{ kind: 'dropDatabase', db }]);
    return ok({ dropped: db });
  },
};

export const renameCollection: Command = {
  kind: 'write',
  adminOnly: true,
  async run(context) {
    const { member, body } = context;
    const [from, to] = [body['renameCollection'], body['to']].map(split) as [[string, string], [string, string]];
    const source = member.store.get(...from);
    if (!source) throw fail('NamespaceNotFound', `Source collection ${from.join('.')} does not exist`);
    const target = member.store.get(...to);
    if (from.join('.') === to.join('.')) throw fail('IllegalOperation', 'Can\'t rename a collection to itself');
    if (target && body['dropTarget'] !== true) throw fail('NamespaceExists', 'target namespace exists');
    await untilUnused(context, source);
    if (target) await untilUnused(context, target);
    context.wroteAt = member.write([{ kind: 'rename', ...place(source), toDb: to[0], to: to[1], dropped: target?.uuid ?? null }]);
    return ok();
  },
};

function split(namespace: unknown): [string, string] {
  if (typeof namespace !== 'string' || !namespace.includes('.')) throw fail('InvalidNamespace', `Invalid namespace specified '${String(namespace)}'`);
  const dot = namespace.indexOf('.');
  return [namespace.slice(0, dot), namespace.slice(dot + 1)];
}
