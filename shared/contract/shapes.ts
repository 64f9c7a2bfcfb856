/**
 * Query shapes: what a resource serves, and the indexes that follow from it. A shape names the fields that
 * a query pins by equality, at most one field that it ranges over, and its orders. What no shape covers
 * cannot be reached from outside, so every query has an index (SEMANTICS §6).
 */
import { branchesOf, type Rule } from './rules.ts';
import { limits } from '../wire/limits.ts';

export interface ShapeDeclaration {
  /** Paths given by equality (where it is many: by containing). All of them, in every query of this shape. */
  readonly equal?: readonly string[];
  /** A field that may be bounded by gt, gte, lt, lte; the first key of at least one order. */
  readonly range?: string;
  /** A string field that may be bounded by its first characters; the first key of at least one order. */
  readonly prefix?: string;
  /** Texts that `q` searches by words and their beginnings; in every query of this shape (SEMANTICS §7). */
  readonly text?: readonly string[];
  /** A Point of GeoJSON that is asked for by `near` or `within`; in every query of this shape (SEMANTICS §7). */
  readonly place?: string;
  /** Those of `equal` and `prefix` that are asked for, and ordered by, without their case and accents. */
  readonly folded?: readonly string[];
  /** Orders such as `-year,title`, each servable backwards too; the first is the default. Ends in id unasked. */
  readonly sort?: readonly string[];
  /** Paths that may be asked by ne, nin, exists and contains: no index answers those, documents are looked into. */
  readonly beside?: readonly string[];
  /** How many documents one page of such a query looks into. */
  readonly examined?: number;
  /**
   * Of internal resources: the one text that each of these fields of `equal` is ever asked for by. On SQLite documents of others
   * are not in the index, so that they cost it nothing.
   */
  readonly only?: Readonly<Record<string, string>>;
}

export interface SortKey {
  readonly field: string;
  readonly descending: boolean;
}

export interface Shape {
  readonly name: string;
  readonly equal: readonly string[];
  readonly range: string | undefined;
  readonly prefix: string | undefined;
  readonly text: readonly string[] | undefined;
  readonly place: string | undefined;
  readonly folded: readonly string[];
  /** The total orders: the last key of each is the id, in the direction of the key before it. */
  readonly sorts: readonly (readonly SortKey[])[];
  readonly beside: readonly string[];
  readonly examined: number;
  readonly only?: Readonly<Record<string, string>>;
}

export function toShapes(declared: Readonly<Record<string, ShapeDeclaration>>): readonly Shape[] {
  return Object.entries(declared).map(([name, shape]) => toShape(name, shape));
}

export function toShape(name: string, declared: ShapeDeclaration): Shape {
  const bounded = declared.range ?? declared.prefix;
  const sorts = declared.sort ?? [bounded ?? 'id'];
  return {
    name,
    equal: [...(declared.equal ?? [])].sort(),
    range: declared.range,
    prefix: declared.prefix,
    text: declared.text,
    place: declared.place,
    folded: [...(declared.folded ?? [])].sort(),
    sorts: sorts.map((text) => toTotalOrder(parseSort(text))),
    beside: [...(declared.beside ?? [])].sort(),
    examined: declared.examined ?? limits.examinedDefault,
    ...(declared.only === undefined ? {} : { only: declared.only }),
  };
}

/** Whether it is served from entries beside the documents, and not from an index over them (entry-index.ts). */
export function isByEntries({ text, place, folded }: Pick<Shape, 'text' | 'place' | 'folded'>): boolean {
  return text !== undefined || place !== undefined || folded.length > 0;
}

/** What a stored document is known by to an answer of this shape: its equalities, as they are stored. */
export function keyFieldsOf({ equal, folded }: Shape): readonly string[] {
  return equal.filter((field) => !folded.includes(field));
}

export function parseSort(text: string): readonly SortKey[] {
  return text.split(',').map((part) => ({ field: part.replace(/^-/, ''), descending: part.startsWith('-') }));
}

/** The text of an order, without the id at its end where `toTotalOrder` puts back the same. */
export function formatSort(keys: readonly SortKey[]): string {
  const [last, before] = [keys.at(-1), keys.at(-2)];
  const shown = last?.field === 'id' && last.descending === before?.descending ? keys.slice(0, -1) : keys;
  return formatKeys(shown);
}

export function toTotalOrder(keys: readonly SortKey[]): readonly SortKey[] {
  const end = keys.findIndex((key) => key.field === 'id');
  if (end >= 0) return keys.slice(0, end + 1);
  return [...keys, { field: 'id', descending: keys.at(-1)?.descending ?? false }];
}

export function reversed(keys: readonly SortKey[]): readonly SortKey[] {
  return keys.map((key) => ({ field: key.field, descending: !key.descending }));
}

/** An index that a shape needs under one branch of the read rule: equalities first, then one total order. */
export interface IndexSpec {
  readonly name: string;
  /** Paths of one value pinned by equality, sorted by name. */
  readonly equal: readonly string[];
  /** The one field that is many, pinned by containing, if any: on SQLite a side table (SEMANTICS §6). */
  readonly has: string | undefined;
  /** A total order whose first key ascends; its reverse is the same index read backwards. */
  readonly sort: readonly SortKey[];
  /** What the documents in it have in these fields, where it is not of all. */
  readonly only?: Readonly<Record<string, string>>;
}

/**
 * Every index that the shapes need under this read rule, but none that another one covers. `isArray` tells array fields. Those
 * that are served from entries need none but the order of ids, in which entries are made.
 */
export function toIndexes(shapes: readonly Shape[], read: Rule, isArray: (field: string) => boolean): readonly IndexSpec[] {
  const found = new Map<string, IndexSpec>();
  const byId = toIndex([], [{ field: 'id', descending: false }], isArray);
  if (shapes.some(isByEntries)) found.set(byId.name, byId);
  for (const shape of shapes.filter((each) => !isByEntries(each)))
    for (const branch of branchesOf(read))
      for (const sort of shape.sorts) {
        const index = toIndex([...branch, ...shape.equal], sort, isArray);
        if (shape.only === undefined) found.set(index.name, index);
        else if (!found.has(index.name)) found.set(index.name, { ...index, only: shape.only });
      }
  const specs = [...found.values()];
  return specs.filter((spec) => coveringIndex(specs.filter((other) => other !== spec), spec) === undefined);
}

/**
 * The index, of those that there are, that serves what `wanted` serves: itself, or one whose first columns are
 * the wanted equalities in any order and whose rest is the wanted order. Each index less is a b-tree less
 * for every write.
 */
export function coveringIndex(specs: readonly IndexSpec[], wanted: IndexSpec): IndexSpec | undefined {
  return specs.find(({ name }) => name === wanted.name) ?? specs.find((spec) => covers(spec, wanted));
}

function covers({ equal, has, sort, only }: IndexSpec, wanted: IndexSpec): boolean {
  const pinned = wanted.equal.length - equal.length;
  if (has !== wanted.has || pinned <= 0 || only !== undefined) return false;
  const first = [...equal, ...sort.slice(0, pinned).map((key) => key.field)].sort();
  const rest = sort.slice(pinned);
  return first.join() === wanted.equal.join() && [rest, reversed(rest)].some((order) => formatKeys(order) === formatKeys(wanted.sort));
}

/** The index of one access path; the same function names it for whoever creates it and whoever proves it. */
export function toIndex(fields: readonly string[], sort: readonly SortKey[], isArray: (field: string) => boolean): IndexSpec {
  const equal = [...new Set(fields)].filter((field) => !isArray(field)).sort();
  const has = fields.find(isArray);
  const keys = sort.filter((key) => !equal.includes(key.field));
  const total = keys.length === 0 ? [{ field: 'id', descending: false }] : keys;
  const ascending = total[0]?.descending === true ? reversed(total) : total;
  const first = has !== undefined ? [`has.${has}`] : equal[0]?.startsWith('has.') === true ? ['by'] : [];
  return { name: [...first, ...equal, formatKeys(ascending)].join('+'), equal, has, sort: ascending };
}

/** Keys as they are written, all of them: equal texts are one order. */
export function formatKeys(keys: readonly SortKey[]): string {
  return keys.map((key) => (key.descending ? '-' : '') + key.field).join(',');
}
