// The document that an upsert begins with: the filter's equalities, then the update, then an _id.
import { ObjectId } from 'bson';
import { fail } from '../errors.ts';
import { type Node, parseFilter } from '../query/filter.ts';
import { isEqual } from '../values/compare.ts';
import type { Doc } from '../values/types.ts';
import { isReplacement, type Updater } from './apply.ts';
import { Draft } from './draft.ts';

export function upsertDocument(filter: unknown, update: unknown, updater: Updater, supplied?: unknown): Doc {
  const draft = new Draft({});
  const seeds = equalities(supplied !== undefined && filter === undefined ? { kind: 'and', nodes: [] } : parseFilter(filter));
  for (const { path, value } of seeds) {
    if (isReplacement(update) && path !== '_id') continue;
    const present = draft.get(path.split('.'));
    if (present !== undefined && !isEqual(present, value)) throw fail('NotSingleValueField', `cannot infer query fields to set, path '${path}' is matched twice`);
    draft.set(path.split('.'), value);
  }
  const { doc } = updater(draft.root, true);
  const { _id: id = new ObjectId(), ...rest } = doc;
  return { _id: id, ...rest };
}

function equalities(node: Node): { path: string; value: unknown }[] {
  if (node.kind === 'and') return node.nodes.flatMap(equalities);
  if (node.kind === 'or' && node.nodes.length === 1) return node.nodes.flatMap(equalities);
  if (node.kind === 'in' && node.values.length === 1) return [{ path: node.path, value: node.values[0] }];
  return node.kind === 'compare' && node.op === 'eq' ? [{ path: node.path, value: node.value }] : [];
}
