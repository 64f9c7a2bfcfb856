import { explainQuery } from '../query/explain.ts';
import { fail } from '../errors.ts';
import { keyOf } from '../values/key-string.ts';
import { fieldOf, isIndexName, pathParts } from '../values/paths.ts';
import { type Doc, isDoc } from '../values/types.ts';
import { collectionName, type Command, type Context, docField, numberField, ok, stringField } from './command.ts';
import { collationFor, collectionOf, openQuery } from './query.ts';
import { snapshotTime } from './find.ts';
import { viewPipeline } from './views.ts';
import { aggregateDocs } from './aggregate.ts';

export const count: Command = {
  kind: 'read',
  async run(context) {
    const { body } = context;
    const name = collectionName(context);
    const collection = collectionOf(context, name);
    const filter = docField(body, 'query', 'count');
    const skip = numberField(body, 'skip', 'count') ?? 0;
    const limit = Math.abs(numberField(body, 'limit', 'count') ?? 0) || Infinity;
    let n = 0;
    const view = viewPipeline(context, name);
    if (view) n = (await aggregateDocs(context, name, [{ $match: filter ?? {} }])).length;
    // The record store's own figure, whatever the read concern.
    else if ((!filter || Object.keys(filter).length === 0) && body['hint'] === undefined && !context.transaction) n = collection?.count ?? 0;
    else for (const _ of openQuery(context, collection, { filter: filter ?? {}, hint: body['hint'], collation: body['collation'] }).hits()) if (++n >= skip + limit) break;
    return ok({ n: Math.min(limit, Math.max(0, n - skip)) });
  },
};

export const distinct: Command = {
  kind: 'read',
  inTransaction: true,
  async run(context) {
    const { body } = context;
    const name = collectionName(context);
    const key = stringField(body, 'key', 'distinct');
    const filter = docField(body, 'query', 'distinct') ?? {};
    const collection = collectionOf(context, name);
    const values = new Map<string, unknown>();
    const collation = collationFor(collection, body['collation']);
    if (body['hint'] !== undefined) throw fail(40415, "BSON field 'distinct.hint' is an unknown field."); // since 7.1
    const docs = viewPipeline(context, name) ? await aggregateDocs(context, name, [{ $match: filter }]) : Array.from(openQuery(context, collection, { filter, hint: body['hint'], collation: body['collation'] }).hits(), hit => hit.doc);
    for (const doc of docs) {
      for (const item of leavesAt(doc, pathParts(key))) { const id = keyOf(item, collation); if (!values.has(id)) values.set(id, item); }
    }
    return ok({ values: [...values.values()], ...snapshotTime(context) });
  },
};

// Arrays on the way are looked through, or into by position; an array at the end gives its items, one level deep.
function* leavesAt(value: Doc, parts: readonly string[], at = 0): Generator<unknown> {
  const inner = fieldOf(value, parts[at] as string);
  const next = parts[at + 1];
  if (next === undefined) {
    if (Array.isArray(inner)) yield* inner;
    else if (inner !== undefined) yield inner;
  } else if (isDoc(inner)) yield* leavesAt(inner, parts, at + 1);
  else if (Array.isArray(inner)) for (const doc of isIndexName(next) ? [{ ...inner } as unknown as Doc] : inner.filter(isDoc)) yield* leavesAt(doc, parts, at + 1);
}

export function explainCount(context: Context, verbosity: string): Doc {
  const name = collectionName(context);
  const query = openQuery(context, collectionOf(context, name), { filter: docField(context.body, 'query', context.name) ?? {}, hint: context.body['hint'], collation: context.body['collation'] });
  let returned = 0;
  if (verbosity !== 'queryPlanner') for (const _ of query.hits()) returned++;
  return explainQuery(context, query, { verbosity, returned: context.name === 'count' ? 0 : returned, limit: Infinity, skip: 0, project: false, namespace: `${context.db}.${name}`, ...(context.name === 'count' ? { write: 'COUNT' as const, written: returned } : {}) });
}
