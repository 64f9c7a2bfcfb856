// Whether a filter implies another: a partial index serves only queries whose every match is in it.
import { bracketOf, compareValues, isEqual } from '../values/compare.ts';
import type { Doc } from '../values/types.ts';
import { conditionsFor } from './bounds.ts';
import { type Node, parseFilter } from './filter.ts';

const parsed = new WeakMap<Doc, Node>();

export function impliesPartial(filter: Node, partial: Doc): boolean {
  let node = parsed.get(partial);
  if (!node) { node = parseFilter(partial); parsed.set(partial, node); }
  return implies(filter, node);
}

function implies(filter: Node, wanted: Node): boolean {
  if (wanted.kind === 'and') return wanted.nodes.every(node => implies(filter, node));
  if (wanted.kind === 'or') return wanted.nodes.some(node => implies(filter, node)) || (filter.kind === 'or' && filter.nodes.every(node => implies(node, wanted)));
  if (filter.kind === 'or') return filter.nodes.every(node => implies(node, wanted));
  if (!('path' in wanted)) return false;
  return conditionsFor(filter, wanted.path).some(node => entails(node, wanted));
}

function entails(node: Node, wanted: Node): boolean {
  if (wanted.kind === 'exists') return isNonNull(node) || node.kind === 'exists';
  if (wanted.kind === 'in') return node.kind === 'compare' && node.op === 'eq' ? wanted.values.some(value => isEqual(value, node.value)) : node.kind === 'in' && node.values.every(value => wanted.values.some(other => isEqual(other, value)));
  if (node.kind === 'in') return node.values.every(value => entails({ kind: 'compare', path: node.path, op: 'eq', value }, wanted));
  if (wanted.kind === 'type') return node.kind === 'type' && node.types.every(type => wanted.types.includes(type));
  if (node.kind !== 'compare' || wanted.kind !== 'compare' || bracketOf(node.value) !== bracketOf(wanted.value)) return false;
  const order = compareValues(node.value, wanted.value);
  switch (wanted.op) {
    case 'eq': return node.op === 'eq' && order === 0;
    case 'gt': return order > 0 ? node.op === 'eq' || node.op === 'gt' || node.op === 'gte' : order === 0 && node.op === 'gt';
    case 'gte': return order >= 0 && (node.op === 'eq' || node.op === 'gt' || node.op === 'gte');
    case 'lt': return order < 0 ? node.op === 'eq' || node.op === 'lt' || node.op === 'lte' : order === 0 && node.op === 'lt';
    case 'lte': return order <= 0 && (node.op === 'eq' || node.op === 'lt' || node.op === 'lte');
  }
}

function isNonNull(node: Node): boolean {
  if (node.kind === 'compare') return node.value !== null && node.value !== undefined;
  return node.kind === 'in' ? node.values.every(value => value !== null && value !== undefined) : node.kind === 'regex' || node.kind === 'type';
}

// A sparse index holds no document without its fields, so a query must rule those out.
export const requiresField = (filter: Node, path: string): boolean =>
  conditionsFor(filter, path).some(node => node.kind === 'exists' || isNonNull(node));
