// Chooses how a query is run: by _id, by index intervals, by a union of those, or by walking the collection.
//
// The choice is by rule, not by trial: more equality fields first, then an order that spares the sort, then a range.
// A hint forces the index. What is chosen here is what runs and what explain tells.
import { fail } from '../errors.ts';
import type { Collection } from '../storage/collection.ts';
import type { Index } from '../storage/indexes.ts';
import type { Collation } from '../values/collation.ts';
import { isSameCollation } from '../values/collation.ts';
import { isIdentical } from '../values/compare.ts';
import { keyOf } from '../values/key-string.ts';
import { type Doc, isDoc, toNumber, typeOf } from '../values/types.ts';
import { boundsFor, conditionsFor, type FieldBounds, FULL, type Interval, oriented } from './bounds.ts';
import type { Node } from './filter.ts';
import { impliesPartial, requiresField } from './implication.ts';
import type { SortField } from './sort.ts';

export type Scan = { index: Index; ranges: { low: string; high: string }[]; reverse: boolean; shown: Doc; equalities: number; depth: number; bounded: boolean }; // depth: fields with bounds

export type Plan =
  | { kind: 'id'; key: string }
  | { kind: 'collection'; reverse: boolean }
  | { kind: 'empty' }
  | { kind: 'index'; scan: Scan; sorted: boolean; merge: boolean }
  | { kind: 'or'; scans: Scan[]; sorted: boolean };

type PlanRequest = { collection: Collection; filter: Node; sort: readonly SortField[]; collation: Collation | null; hint: unknown };

export function choosePlan(request: PlanRequest): Plan {
  const { filter, sort, collation, hint } = request;
  if (hint !== undefined && !isEmptyHint(hint)) return hintedPlan(request);
  if (filter.kind === 'compare' && filter.path === '_id' && filter.op === 'eq' && collation === null && typeOf(filter.value) !== 'array') return { kind: 'id', key: keyOf(filter.value) };
  const natural = sort[0]?.path === '$natural' ? sort[0] : null;
  if (natural) return { kind: 'collection', reverse: natural.direction === -1 };
  const candidates = usableIndexes(request).map(index => planFor(index, request)).filter(plan => plan !== null);
  const best = candidates.sort(byRank)[0];
  const union = orPlan(request);
  if (union && (!best?.scan.bounded || isTighter(union, best, request))) return union;
  return best ?? { kind: 'collection', reverse: false };
}

type IndexPlan = Plan & { kind: 'index' };

function byRank(a: IndexPlan, b: IndexPlan): number {
  return b.scan.equalities - a.scan.equalities || Number(b.sorted) - Number(a.sorted) || Number(b.scan.bounded) - Number(a.scan.bounded)
    || a.scan.index.spec.fields.length - b.scan.index.spec.fields.length;
}

// A union under further conditions pays when each branch bounds more fields than one index could, and keeps the order.
const isTighter = (union: Plan & { kind: 'or' }, best: IndexPlan, { sort }: PlanRequest): boolean =>
  union.scans.every(scan => scan.depth > best.scan.depth) && (sort.length === 0 || union.sorted || !best.sorted);

const isEmptyHint = (hint: unknown): boolean => isDoc(hint) && Object.keys(hint).length === 0;

function usableIndexes({ collection, filter, sort, collation }: PlanRequest): Index[] {
  return [...collection.indexes.values()].filter(({ spec }) => {
    if (spec.hidden || spec.kind !== 'btree') return false;
    if (spec.partial && !impliesPartial(filter, spec.partial.filter)) return false;
    if (spec.sparse && !spec.fields.some(field => requiresField(filter, field.path))) return false;
    return conditionsFor(filter, (spec.fields[0] as { path: string }).path).length > 0
      || (sort.length > 0 && isSameCollation(collation, spec.collation));
  });
}

function planFor(index: Index, request: PlanRequest): IndexPlan | null {
  const bounds = fieldBounds(index, request);
  const order = orderFrom(index, bounds, request);
  const bounded = bounds[0] !== undefined && bounds[0].kind !== 'full';
  if (!bounded && !order.sorted) return null;
  return { kind: 'index', scan: toScan(index, bounds, order.reverse), sorted: order.sorted, merge: order.merge };
}

function fieldBounds(index: Index, { filter, collation }: PlanRequest): FieldBounds[] {
  const bounded = new Set<string>();
  return index.spec.fields.map(({ path }) => {
    const multikey = index.multikeyPaths.has(path);
    const array = path.split('.')[0] as string;
    if (multikey && bounded.has(array)) return FULL; // two conditions may hold of two items of one array
    const found = boundsFor(conditionsFor(filter, path), { collation, indexCollation: index.spec.collation, multikey });
    if (!found) return FULL;
    if (multikey) bounded.add(array);
    return found;
  });
}

// Whether the scan gives the order asked for: points may stand before or between the sort's fields.
function orderFrom(index: Index, bounds: FieldBounds[], { sort, collation }: PlanRequest): { sorted: boolean; reverse: boolean; merge: boolean } {
  if (sort.length === 0) return { sorted: true, reverse: false, merge: false };
  const none = { sorted: false, reverse: false, merge: false };
  if (!isSameCollation(collation, index.spec.collation) || index.spec.sparse && bounds.every(bound => bound.kind === 'full')) return none;
  let at = 0;
  let reverse: boolean | null = null;
  let merge = false;
  for (const [i, field] of index.spec.fields.entries()) {
    const wanted = sort[at];
    if (!wanted) break;
    const bound = bounds[i] as FieldBounds;
    const single = bound.kind === 'points' && bound.intervals.length === 1;
    if (field.path === wanted.path && !index.multikeyPaths.has(field.path)) {
      const turned = field.direction !== wanted.direction;
      if (!single && reverse !== null && reverse !== turned) return none;
      if (!single) reverse = turned;
      at++;
    } else if (bound.kind === 'points') merge ||= !single;
    else return none;
  }
  while (sort[at] && isPointed(index, bounds, (sort[at] as SortField).path)) at++;
  return at === sort.length ? { sorted: true, reverse: reverse ?? false, merge } : none;
}

function isPointed(index: Index, bounds: FieldBounds[], path: string): boolean {
  const i = index.spec.fields.findIndex(field => field.path === path);
  return i >= 0 && bounds[i]?.kind === 'points' && bounds[i].intervals.length === 1;
}

const POINTS_MAX = 4096;

function toScan(index: Index, bounds: FieldBounds[], reverse: boolean): Scan {
  let prefixes = [''];
  let ranges: { low: string; high: string }[] | null = null;
  let equalities = 0;
  let depth = 0;
  const { fields } = index.spec;
  for (const [i, field] of fields.entries()) {
    const { kind, intervals } = bounds[i] as FieldBounds;
    const turned = intervals.map(interval => oriented(interval, field)).sort((a, b) => (a.low < b.low ? -1 : 1));
    if (kind === 'full' || prefixes.length * turned.length > POINTS_MAX) break;
    ranges = prefixes.flatMap(prefix => turned.map(({ low, high }) => ({ low: prefix + low, high: prefix + high })));
    depth++;
    if (kind !== 'points') break;
    equalities++;
    prefixes = ranges.map(({ low }) => low);
  }
  ranges ??= [{ low: '', high: '\uffff' }];
  if (reverse) ranges.reverse();
  const shown = Object.fromEntries(fields.map(({ path, direction }, i) => [path, shownBounds((bounds[i] as FieldBounds).intervals, (direction === -1) !== reverse)]));
  return { index, ranges, reverse, shown, equalities, depth, bounded: bounds[0]?.kind !== 'full' };
}

function shownBounds(intervals: Interval[], turned: boolean): string[] {
  if (!turned) return intervals.map(({ shown }) => shown);
  return intervals.toReversed().map(({ shown }) => {
    const [low, high] = shown.slice(1, -1).split(', ') as [string, string];
    return `${shown.endsWith(']') ? '[' : '('}${high}, ${low}${shown.startsWith('[') ? ']' : ')'}`;
  });
}

// An `or` runs as a union when every branch has an index; in sorted order when every branch's scan has it.
function orPlan(request: PlanRequest, hinted: Index | null = null): (Plan & { kind: 'or' }) | null {
  const { filter } = request;
  const or = filter.kind === 'or' ? filter : filter.kind === 'and' ? filter.nodes.find(node => node.kind === 'or') : undefined;
  if (!or || or.kind !== 'or') return null;
  const rest = filter.kind === 'and' ? filter.nodes.filter(node => node !== or) : [];
  const plans = or.nodes.map(branch => {
    const inner = { ...request, filter: { kind: 'and', nodes: [branch, ...rest] } as Node };
    return usableIndexes(inner).filter(index => !hinted || index === hinted).map(index => planFor(index, inner)).filter(plan => plan?.scan.bounded).sort((a, b) => byRank(a as IndexPlan, b as IndexPlan))[0] ?? null;
  });
  if (plans.some(plan => plan === null)) return null;
  return { kind: 'or', scans: plans.map(plan => (plan as IndexPlan).scan), sorted: request.sort.length > 0 && plans.every(plan => plan?.sorted && !plan.merge) };
}

function hintedPlan(request: PlanRequest): Plan {
  const { hint, collection, filter } = request;
  if (isDoc(hint) && Object.keys(hint)[0] === '$natural') return { kind: 'collection', reverse: toNumber(hint['$natural']) === -1 };
  const index = findIndex(collection, hint);
  if (!index || index.spec.hidden) throw fail('BadValue', 'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index');
  if (index.spec.kind !== 'btree') throw fail('NotImplemented', `a hint of a ${index.spec.kind} index is refused by this test server`);
  if (index.spec.partial && !impliesPartial(filter, index.spec.partial.filter)) throw fail('NoQueryExecutionPlans', 'error processing query: No query solutions');
  const bounds = fieldBounds(index, request);
  const order = orderFrom(index, bounds, request);
  const plan: IndexPlan = { kind: 'index', scan: toScan(index, bounds, order.reverse), sorted: order.sorted, merge: order.merge };
  // A hint names the index and not the plan: the branches of an `or` may each walk it.
  const union = orPlan(request, index);
  return union && (!plan.scan.bounded || isTighter(union, plan, request)) ? union : plan;
}

export function findIndex(collection: Collection, hint: unknown): Index | null {
  if (typeof hint === 'string') return collection.indexes.get(hint) ?? null;
  if (!isDoc(hint)) throw fail('FailedToParse', 'hint must be an object or a string');
  for (const index of collection.indexes.values()) if (isIdentical(plainPattern(index.spec.pattern), plainPattern(hint))) return index;
  return null;
}

const plainPattern = (pattern: Doc): Doc => Object.fromEntries(Object.entries(pattern).map(([path, value]) => [path, toNumber(value) ?? value]));
