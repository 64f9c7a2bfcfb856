import { isDocument } from '../specs/kinds.ts';
import type { Fields } from '../specs/schema.ts';

/** What a command asks, taken apart for the predicates of `known-errors.ts`. */
export type Condition = { readonly path: string; readonly operators: Fields; readonly equals?: unknown };

/** The filters of a command: its own, those of its updates, stages and pulls. */
export function filtersOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(filtersOf);
  if (!isDocument(value)) return [];
  return Object.entries(value).flatMap(([key, child]) => (filterKeys.has(key) ? [child] : filtersOf(child)));
}

const filterKeys = new Set(['filter', 'query', 'q', '$match', '$pull', 'arrayFilters', '$elemMatch']);

/** Every condition on a path, however deep in `$and`, `$nor` or a stage. An implicit equality has no operators. */
export function conditionsOf(value: unknown): Condition[] {
  if (Array.isArray(value)) return value.flatMap(conditionsOf);
  if (!isDocument(value)) return [];
  return Object.entries(value).flatMap(([path, child]) => [...toCondition(path, child), ...conditionsOf(child)]);
}

function toCondition(path: string, child: unknown): Condition[] {
  if (path.startsWith('$')) return [];
  const isOperators = isDocument(child) && Object.keys(child).some(key => key.startsWith('$'));
  if (!isOperators) return [{ path, operators: {}, equals: child }];
  return [{ path, operators: child }, ...('$not' in child && isDocument(child['$not']) ? toCondition(path, child['$not']) : [])];
}

/** The paths of a command's own sort and of each `$sort` stage. */
export function sortPathsOf({ sort, pipeline }: Fields): string[] {
  const stages = Array.isArray(pipeline) ? pipeline.map(stage => stage.$sort) : [];
  return [sort, ...stages].filter(isDocument).flatMap(fields => Object.keys(fields));
}

export function someValue(value: unknown, predicate: (value: unknown) => boolean): boolean {
  if (predicate(value)) return true;
  const children = Array.isArray(value) ? value : isDocument(value) ? Object.values(value) : [];
  return children.some(child => someValue(child, predicate));
}

export const hasAnyKey = (value: unknown, keys: readonly string[]) => keys.some(key => hasKey(value, key));

export const hasKey = (value: unknown, key: string) => someValue(value, each => isDocument(each) && key in each);

/** The answer's lines with the keys of every document in one order. */
export const sortKeys = (text: string) => eachLine(text, sorted);

/** The same, and without fields that hold an empty document. */
export const withoutEmpty = (text: string) => eachLine(text, value => sorted(value, isEmptyDocument));

export const isEmptyDocument = (value: unknown) => isDocument(value) && Object.keys(value).length === 0;

function eachLine(text: string, change: (value: unknown) => unknown): string {
  return text.split('\n').map(line => (/^[[{]/.test(line) ? JSON.stringify(change(JSON.parse(line))) : line)).join('\n');
}

function sorted(value: unknown, drop: (value: unknown) => boolean = () => false): unknown {
  if (Array.isArray(value)) return value.map(item => sorted(item, drop));
  if (!isDocument(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().filter(key => !drop(value[key])).map(key => [key, sorted(value[key], drop)]));
}

/** The answer with each number written without its type: 1, 1.0 and a decimal 1 alike. */
export function withoutTypes(text: string): string {
  return text.replace(/\{"\$number(?:Int|Long|Double|Decimal)":"([^"]*)"\}/g, (_, digits: string) => String(Number(digits)));
}
