// $out and $merge: a pipeline's documents written to a collection.
import { fail } from '../errors.ts';
import { keyOf } from '../values/key-string.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import { compileUpdate } from '../update/apply.ts';
import { valueAt } from '../values/paths.ts';
import { type Doc, isDoc } from '../values/types.ts';
import type { Context } from './command.ts';
import { createCollection } from './create.ts';
import { prepare } from './insert.ts';
import { collectionOf, openQuery } from './query.ts';
import { applyTo } from './update.ts';
import { collectionForWrite, insertDoc, untilFree, validate } from './writing.ts';

const STATEMENT = { id: 0, result: {} };

// The whole result takes the place of the collection at once; its indexes and options stay.
export async function outInto(context: Context, spec: unknown, docs: Doc[]): Promise<void> {
  const db = isDoc(spec) ? String(spec['db']) : context.db;
  const name = isDoc(spec) ? String(spec['coll']) : String(spec);
  const target = { ...context, db, txnNumber: null };
  const old = collectionOf(target, name);
  const temporary = `tmp.agg_out.${keyOf(context.member.lastAt).length}${context.member.lastAt}`;
  const fresh = createCollection(target, temporary, old?.options ?? {});
  const specs = old ? [...old.indexes.values()].filter(index => index.spec.name !== '_id_').map(index => index.spec.options) : [];
  const place = { db, collection: temporary, uuid: fresh.uuid };
  if (specs.length) context.member.write([{ kind: 'createIndexes', specs, ...place }]);
  try {
    for (const doc of docs) insertDoc(target, fresh, prepare(target, doc), STATEMENT);
  } catch (error) {
    context.member.write([{ kind: 'drop', ...place }]);
    throw error;
  }
  context.wroteAt = context.member.write([{ kind: 'rename', ...place, toDb: db, to: name, dropped: old?.uuid ?? null }]);
}

export async function mergeInto(context: Context, spec: unknown, docs: Doc[]): Promise<void> {
  const options: Doc = isDoc(spec) ? spec : { into: spec };
  const into = options['into'];
  const db = isDoc(into) ? String(into['db']) : context.db;
  const name = isDoc(into) ? String(into['coll']) : String(into);
  const target: Context = { ...context, db, txnNumber: null };
  const on = (Array.isArray(options['on']) ? options['on'] : [options['on'] ?? '_id']) as string[];
  checkOn(target, name, on);
  for (const doc of docs) await untilFree(target, () => mergeOne(target, name, on, options, prepare(target, doc)));
  context.wroteAt = Math.max(context.wroteAt, target.wroteAt);
}

function checkOn(context: Context, name: string, on: string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  const wanted = on.toSorted().join();
  const unique = [...collectionOf(context, name)?.indexes.values() ?? []].some(({ spec }) => spec.unique && !spec.partial && spec.fields.map(field => field.path).toSorted().join() === wanted);
  if (!unique) throw fail(51183, 'Cannot find index to verify that join fields will be unique');
}

function mergeOne(context: Context, name: string, on: string[], options: Doc, doc: Doc): void {
  const collection = collectionForWrite(context, name);
  const filter = Object.fromEntries(on.map(path => [path, { $eq: valueAt(doc, path) }]));
  const { whenMatched = 'merge', whenNotMatched = 'insert' } = options;
  const query = openQuery(context, collection, { filter, let: { ...options['let'] as Doc | undefined ?? {}, new: { $literal: doc } } });
  for (const hit of query.hits()) {
    if (whenMatched === 'keepExisting') return;
    if (whenMatched === 'fail') throw fail('DuplicateKey', '$merge found a matching document', { keyPattern: Object.fromEntries(on.map(path => [path, 1])), keyValue: Object.fromEntries(on.map(path => [path, valueAt(doc, path)])) });
    const { _id: _, ...rest } = doc;
    const update = Array.isArray(whenMatched) ? whenMatched : whenMatched === 'replace' ? doc : { $set: rest };
    if (!Array.isArray(whenMatched) && whenMatched === 'merge' && Object.keys(rest).length === 0) return;
    const updater = compileUpdate(update, undefined, { ...query.matching, filter, now: () => context.server.clock.now(), clusterTime: () => toTimestamp(context.member.nextAt()) });
    applyTo(context, collection, hit, updater, STATEMENT);
    return;
  }
  if (whenNotMatched === 'discard') return;
  if (whenNotMatched === 'fail') throw fail(13113, '$merge could not find a matching document in the target collection for at least one document in the source collection');
  validate(context, collection, doc);
  insertDoc(context, collection, doc, STATEMENT);
}
