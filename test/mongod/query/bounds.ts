// What a filter says about one indexed field, as intervals of key strings.
import type { Collation } from '../values/collation.ts';
import { isSameCollation } from '../values/collation.ts';
import { invertKey, keyOf, UNDEFINED_KEY } from '../values/key-string.ts';
import { bracketOf } from '../values/compare.ts';
import type { IndexField } from '../storage/index-keys.ts';
import { isDoc } from '../values/types.ts';
import type { Node } from './filter.ts';

// Ascending, `low` included and `high` excluded; both are prefixes of keys. `shown` is explain's wording.
export type Interval = { low: string; high: string; shown: string };
export type FieldBounds = { intervals: Interval[]; kind: 'points' | 'range' | 'full' };

export const FULL: FieldBounds = { kind: 'full', intervals: [{ low: '', high: '\uffff', shown: '[MinKey, MaxKey]' }] };

// The least string above every string with this prefix.
function successor(prefix: string): string {
  for (let end = prefix.length; end > 0; end--) {
    const unit = prefix.charCodeAt(end - 1);
    if (unit !== 0xffff) return prefix.slice(0, end - 1) + String.fromCharCode(unit + 1);
  }
  return '\uffff';
}

// Conditions on a path that hold of every match: through `and`, and through `$elemMatch` into the array's items.
export function conditionsFor(node: Node, path: string): Node[] {
  if (node.kind === 'and') return node.nodes.flatMap(inner => conditionsFor(inner, path));
  if (node.kind === 'elemMatch') {
    if (node.onValues) return node.path === path ? conditionsFor(node.node, 'value').map(inner => ({ ...inner, path }) as Node) : [];
    return path.startsWith(`${node.path}.`) ? conditionsFor(node.node, path.slice(node.path.length + 1)).map(inner => ({ ...inner, path }) as Node) : [];
  }
  return 'path' in node && node.path === path ? [node] : [];
}

type Options = { collation: Collation | null; indexCollation: Collation | null; multikey: boolean };

export function boundsFor(conditions: Node[], options: Options): FieldBounds | null {
  const usable = conditions.map(node => intervalsOf(node, options)).filter(bounds => bounds !== null);
  const points = usable.find(bounds => bounds.kind === 'points' && bounds.intervals.length === 1) ?? usable.find(bounds => bounds.kind === 'points');
  if (points) return points;
  // On arrays each condition may hold of another item, so only one of them bounds the scan.
  if (options.multikey || usable.length < 2) return usable[0] ?? null;
  return usable.reduce(intersect);
}

function intervalsOf(node: Node, { collation, indexCollation }: Options): FieldBounds | null {
  const comparable = (value: unknown): boolean => isSameCollation(collation, indexCollation) || !hasText(value);
  switch (node.kind) {
    case 'compare': return comparable(node.value) ? compareIntervals(node, indexCollation) : null;
    case 'in': {
      if (!node.values.every(comparable)) return null;
      const unique = new Map(node.values.flatMap(value => pointsOf(value, indexCollation)).map(point => [point.low, point]));
      return { kind: 'points', intervals: [...unique.values()].sort((a, b) => (a.low < b.low ? -1 : 1)) };
    }
    case 'regex': return collation || indexCollation ? null : regexIntervals(node.source.pattern, node.source.options);
    case 'exists': return { kind: 'range', intervals: FULL.intervals };
    default: return null;
  }
}

const hasText = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) ? value.some(hasText) : isDoc(value) && Object.values(value).some(hasText));

// An array is indexed by its items: whole-array equality looks under the first item and under the array itself.
function pointsOf(value: unknown, collation: Collation | null): Interval[] {
  const point = (key: string): Interval => ({ low: key, high: successor(key), shown: `[${show(value)}, ${show(value)}]` });
  if (!Array.isArray(value)) return [point(keyOf(value ?? null, collation))];
  return [point(value.length ? keyOf(value[0], collation) : UNDEFINED_KEY), point(keyOf(value, collation))];
}

function compareIntervals(node: Node & { kind: 'compare' }, collation: Collation | null): FieldBounds | null {
  const { op, value } = node;
  if (op === 'eq') return { kind: 'points', intervals: pointsOf(value, collation).sort((a, b) => (a.low < b.low ? -1 : 1)) };
  if (Array.isArray(value) || value === null) return null;
  const key = keyOf(value, collation);
  const bracket = bracketOf(value);
  if (bracket === 0x10 || bracket === 0xf0) return null;
  const [low, high] = [String.fromCharCode(bracket), String.fromCharCode(bracket + 1)];
  const ends: Readonly<Record<string, Interval>> = {
    lt: { low, high: key, shown: `[${lowest(bracket)}, ${show(value)})` }, lte: { low, high: successor(key), shown: `[${lowest(bracket)}, ${show(value)}]` },
    gt: { low: successor(key), high, shown: `(${show(value)}, ${highest(bracket)}]` }, gte: { low: key, high, shown: `[${show(value)}, ${highest(bracket)}]` },
  };
  return { kind: 'range', intervals: [ends[op] as Interval] };
}

function regexIntervals(pattern: string, options: string): FieldBounds {
  const prefix = /^(?:\^|\\A)((?:[\w\s\-,:;@!"#%&'/<=>~`]|\\[^\w\s])+)(?![*?{+|])/.exec(pattern);
  const plain = prefix && !options && !pattern.includes('|') ? (/[*?{]/.test(pattern[prefix[0].length] ?? '') ? prefix[1]?.slice(0, -1) : prefix[1])?.replace(/\\(.)/g, '$1') : null;
  const body = plain ? keyOf(plain).slice(0, -1) : '\u0030';
  return { kind: 'range', intervals: [
    { low: body, high: successor(body), shown: plain ? `["${plain}", "${plain.slice(0, -1)}${String.fromCodePoint((plain.codePointAt(plain.length - 1) ?? 0) + 1)}")` : '["", {})' },
    { low: '\u00a0', high: '\u00a1', shown: `[/${pattern}/, /${pattern}/]` },
  ] };
}

function intersect(a: FieldBounds, b: FieldBounds): FieldBounds {
  const intervals = a.intervals.flatMap(x => b.intervals.map(y => {
    const [left, right] = [x.low >= y.low ? x : y, x.high <= y.high ? x : y];
    return { low: left.low, high: right.high, shown: `${left.shown.split(', ')[0]}, ${right.shown.split(', ').at(-1)}` };
  })).filter(({ low, high }) => low < high);
  return { kind: 'range', intervals };
}

// The same interval on a descending field. Ends built by `successor` are turned round from the key below them, so that
// an excluded end stays excluded and an included one included.
export function oriented(interval: Interval, { direction }: IndexField): { low: string; high: string } {
  if (direction === 1) return interval;
  return {
    low: interval.high === '\uffff' ? '' : successor(invertKey(interval.high)),
    high: interval.low === '' ? '\uffff' : successor(invertKey(interval.low)),
  };
}

const show = (value: unknown): string => (typeof value === 'object' && value !== null && 'toHexString' in value ? `ObjectId('${String(value)}')` : value instanceof Date ? `new Date(${value.getTime()})` : typeof value === 'bigint' ? String(value) : JSON.stringify(value) ?? 'null');
const lowest = (bracket: number): string => (bracket === 0x20 ? '-inf' : bracket === 0x30 ? '""' : bracket === 0x90 ? 'new Date(-9223372036854775808)' : 'MinKey');
const highest = (bracket: number): string => (bracket === 0x20 ? 'inf' : bracket === 0x30 ? '{})' : bracket === 0x90 ? 'new Date(9223372036854775807)' : 'MaxKey');
