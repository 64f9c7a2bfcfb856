/**
 * What serves the shapes by text, by folded values and by place: entries, one a document, in an internal resource of each such
 * shape (SEMANTICS §7). An entry has its document's id and what the shape and the read rule ask of it, at the same paths: folded
 * where the shape folds, and the tokens of its words or the cell of its point. It is derived from the document and from nothing
 * else, so it can be lost, and made again. Another declaration has entries of another name: processes of both can run beside
 * each other.
 */
import * as z from 'zod';
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { parseShown } from '../wire/exact-numbers.ts';
import { type Json, type JsonObject, type NumberKind, ownOf } from '../wire/values.ts';
import { fold } from '../text/fold.ts';
import { tokensOf, wordsIn } from '../text/words.ts';
import { cellOf, toGridPoint } from '../geo/grid.ts';
import { type Branch, branchesWithout, isOf } from './branches-without.ts';
import type { Field, FieldKind } from './fields.ts';
import { valueAt, valuesAt } from './path.ts';
import { membersOf } from './place-members.ts';
import { type Resource, resource } from './resource.ts';
import { branchesOf } from './rules.ts';
import { isSameJson } from './settled.ts';
import { formatKeys, isByEntries, type Shape, toIndex, toIndexes } from './shapes.ts';
import { isTextOfNumber } from './stored-ranks.ts';
import { binary, decimal, instant, long, objectId } from './types.ts';

export interface EntryIndex {
  readonly shape: Shape;
  /** Holds the entries; internal. */
  readonly entries: Resource;
  /** The member of an entry that has the tokens, or the cell. */
  readonly derived: string;
  /** The values in an entry beside it. */
  readonly places: readonly Place[];
  readonly texts: readonly Place[];
  /** Of the Point that is asked for by place. */
  readonly point: Place | undefined;
  /** The members of a document, at its highest level, that its entry is made of. */
  readonly members: readonly string[];
}

interface Place {
  readonly path: string;
  readonly isMany: boolean;
  readonly isFolded: boolean;
  /** Of a number that is no `decimal()` and no `long()`, which have texts: its kind. */
  readonly number: NumberKind | undefined;
  /** Whether it is compared with values, and not only ordered by. */
  readonly isCompared: boolean;
  /** Branches of a union in whose documents it is not declared. */
  readonly without: readonly Branch[];
}

/** Grows when words or entries are made otherwise than before. */
const making = 1;
const none: readonly EntryIndex[] = [];
/** By shapes: a resource as its collection has it has those of its declaration. */
const made = new WeakMap<Resource['shapes'], readonly EntryIndex[]>();

/**
 * How far the entries of each index are made, by the name that they have: first those of all documents in the order of their
 * ids, then those whose documents are gone are taken out.
 *
 *   none ──▶ documents ──▶ entries ──▶ complete ── the history of changes was lost ──▶ documents
 */
export const fillings = resource({
  name: 'tombolo_entries', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    stage: z.enum(['documents', 'entries', 'complete']),
    /** The sort values of the last one that was looked at, as JSON. */
    after: z.string().optional(),
  }),
  shapes: {},
});

/** What is stored beside these resources for their shapes by entries. */
export function besideEntries(resources: readonly Resource[]): readonly Resource[] {
  const entries = resources.flatMap(entryIndexesOf).map((index) => index.entries);
  return entries.length === 0 ? [] : [...entries, fillings];
}

export function entryIndexesOf(owner: Resource): readonly EntryIndex[] {
  if (!owner.shapes.some(isByEntries)) return none;
  const known = made.get(owner.shapes) ?? owner.shapes.filter(isByEntries).map((shape) => toEntryIndex(owner, shape));
  made.set(owner.shapes, known);
  return known;
}

const owners = new WeakMap<ReadonlyMap<string, Resource>, ReadonlyMap<string, Resource>>();

/** The resource, of these, whose answers change with what is stored under this name: itself, or the one that entries are of. */
export function shownBy(resources: ReadonlyMap<string, Resource>, name: string): Resource | undefined {
  const known = owners.get(resources) ??
    new Map([...resources.values()].flatMap((owner) => entryIndexesOf(owner).map(({ entries }) => [entries.name, owner] as const)));
  owners.set(resources, known);
  return resources.get(name) ?? known.get(name);
}

export function entryIndexOf(owner: Resource, shape: Shape): EntryIndex | undefined {
  return isByEntries(shape) ? entryIndexesOf(owner).find((index) => index.shape.name === shape.name) : undefined;
}

/** The entry of a document, without its id; `undefined`: the shape finds it by nothing. */
export function entryOf(index: EntryIndex, document: JsonObject): JsonObject | undefined {
  const values = entryValuesOf(index, document);
  // What others wrote of another type than is declared has no place among values of that type.
  if (!z.safeParse(index.entries.schema, { ...values, ...stubOf(index) }).success) return undefined;
  const { shape, point, derived } = index;
  if (shape.text === undefined && point === undefined) return values;
  const found = point === undefined ? tokensOf(wordsOf(index, document)) : cellIn(index, document);
  return found === undefined || found.length === 0 ? undefined : { ...values, [derived]: found };
}

/** Whether two states of a document have the same entry, told by whatever it is made of: that is no work, where an entry is. */
export function isFoundAlike({ members, places }: EntryIndex, before: JsonObject, after: JsonObject): boolean {
  return members.every((name) => isSameJson(ownOf(before, name), ownOf(after, name))) &&
    places.every(({ path, number }) =>
      number === undefined || isTextOfNumber(before, path, number) === isTextOfNumber(after, path, number));
}

/** Stands for what is derived, which costs more than what is beside it. */
function stubOf({ shape, point, derived }: EntryIndex): JsonObject {
  return shape.text !== undefined ? { [derived]: [] } : point !== undefined ? { [derived]: '' } : {};
}

/** The text of the point that the document has; `undefined`: it has none. */
export function cellIn({ point }: EntryIndex, document: JsonObject): string | undefined {
  if (point === undefined || !isDeclaredIn(document, point)) return undefined;
  const [type, coordinates] = membersOf(point.path).map((path) => valueAt(document, path));
  const found = type === 'Point' ? toGridPoint(coordinates) : undefined;
  return found === undefined ? undefined : cellOf(found);
}

/** What an entry has beside what is derived. */
export function entryValuesOf({ places }: EntryIndex, document: JsonObject): JsonObject {
  return toNested(places.flatMap((place): [string, Json][] => {
    const value = valueOf(document, place);
    return value === undefined ? [] : [[place.path, value]];
  }));
}

/** The words that `q` finds a document by. */
export function wordsOf({ texts }: EntryIndex, document: JsonObject): ReadonlySet<string> {
  return wordsIn(texts.flatMap((place) => (isDeclaredIn(document, place) ? valuesAt(document, place.path).filter(isText) : [])));
}

function toEntryIndex(owner: Resource, shape: Shape): EntryIndex {
  const ofRule = branchesOf(owner.rules.read).flat();
  const sorts = shape.place === undefined ? shape.sorts : [];
  const asked = [...ofRule, ...shape.equal, ...sorts.flat().map(({ field }) => field)];
  const paths = [...new Set(asked)].filter((path) => path !== 'id').sort();
  const compared = [...ofRule, ...shape.equal, shape.range, shape.prefix];
  const toPlace = (path: string): Place => {
    const kind = owner.fields.get(path)?.kind;
    return {
      path, isMany: kind === 'array', isFolded: shape.folded.includes(path), without: branchesWithout(owner, [path]),
      number: kind === 'number' || kind === 'integer' ? kind : undefined, isCompared: compared.includes(path),
    };
  };
  const [places, texts] = [paths.map(toPlace), (shape.text ?? []).map(toPlace)];
  const parts = { places, texts, point: shape.place === undefined ? undefined : toPlace(shape.place), derived: nameBeside(paths, shape) };
  return { shape, ...parts, members: membersOfAll(parts), entries: toEntries(owner, shape, parts) };
}

type Parts = Pick<EntryIndex, 'derived' | 'places' | 'texts' | 'point'>;

function membersOfAll({ places, texts, point }: Parts): readonly string[] {
  const all = [...places, ...texts, ...(point === undefined ? [] : [point])];
  const paths = all.flatMap(({ path, without }) => [path, ...without.flatMap((branch) => [...branch.keys()])]);
  return [...new Set(paths.map((path) => path.split('.')[0] ?? ''))];
}

function toEntries(owner: Resource, shape: Shape, { derived, ...parts }: Parts): Resource {
  const { places } = parts;
  const fields = places.map(({ path }) => mustField(owner, path));
  const equal = [...shape.equal, ...(shape.text === undefined ? [] : [derived])];
  const { range, prefix = shape.place === undefined ? undefined : derived } = shape;
  const bounds = { ...(range === undefined ? {} : { range }), ...(prefix === undefined ? {} : { prefix }) };
  const declared = resource({
    name: `tombolo_entries_${owner.name.replaceAll(/[^a-z0-9]/g, '').slice(0, 32)}_${nameOf(owner, shape, { ...parts, fields })}`,
    internal: true, id: owner.id, rev: false, createdAt: false, updatedAt: false, reads: owner.reads,
    schema: toSchema(fields.map((field) => [field.name, typeOf(field)]), derivedTypeOf(shape, derived)),
    shapes: { found: { ...bounds, equal, sort: shape.place === undefined ? shape.sorts.map(formatKeys) : [derived] } },
  });
  const isArray = (path: string) => declared.fields.get(path)?.kind === 'array';
  const byId = toIndex([], [{ field: 'id', descending: false }], isArray);
  // The caller's alternatives of the read rule are pinned here as they are in an index over the documents.
  return { ...declared, indexes: [...toIndexes(declared.shapes, owner.rules.read, isArray), byId] };
}

function derivedTypeOf({ text, place }: Shape, derived: string): Readonly<Record<string, z.ZodType>> {
  return text !== undefined ? { [derived]: z.array(z.string()) } : place !== undefined ? { [derived]: z.string() } : {};
}

/** By whatever entries are made of: what is made otherwise has another name. */
function nameOf(
  { id, rules, collection }: Resource, shape: Shape,
  parts: Omit<Parts, 'derived'> & { readonly fields: readonly Field[] },
): string {
  const { name: _name, ...asked } = shape;
  const places = [...parts.places, ...parts.texts, ...(parts.point === undefined ? [] : [parts.point])];
  const without = places.map((place) => place.without.map((branch) => [...branch]));
  const fields = parts.fields.map(({ name, kind, element }) => [name, kind, element]);
  return digest64(toCanonicalJson([making, collection, id, asked, branchesOf(rules.read), fields, without])).slice(0, 8);
}

/** A name that no path begins with. */
function nameBeside(paths: readonly string[], { place }: Shape): string {
  const taken = new Set(paths.map((path) => path.split('.')[0]));
  let name = place === undefined ? 'words' : 'cell';
  while (taken.has(name)) name += '_';
  return name;
}

function mustField(owner: Resource, path: string): Field {
  const field = owner.fields.get(path);
  if (field === undefined) throw new Error(`${owner.name} has no field ${path}`);
  return field;
}

function typeOf({ kind, element = 'mixed' }: Field): z.ZodType {
  return kind === 'array' ? z.array(scalarOf(element)) : scalarOf(kind);
}

function scalarOf(kind: FieldKind): z.ZodType {
  switch (kind) {
    case 'string':
      return z.string();
    case 'uuid':
      return z.guid();
    case 'number':
      return z.number();
    case 'integer':
      return z.int();
    case 'boolean':
      return z.boolean();
    case 'instant':
      return instant();
    case 'objectId':
      return objectId();
    case 'decimal':
      return decimal();
    case 'long':
      return long();
    case 'binary':
      return binary();
    default:
      throw new Error(`a field of kind ${kind} has no place in an entry`);
  }
}

/** An object of these types by their paths, each of which may be missing. */
function toSchema(types: readonly (readonly [path: string, type: z.ZodType])[], beside: Readonly<Record<string, z.ZodType>>): z.ZodObject {
  const byFirst = Map.groupBy(types, ([path]) => path.split('.')[0] ?? '');
  const members = [...byFirst].map(([name, within]): [string, z.ZodType] => {
    const [[path, type] = ['', z.never()]] = within;
    if (path === name) return [name, type.optional()];
    return [name, toSchema(within.map(([below, each]) => [below.slice(name.length + 1), each]), {}).optional()];
  });
  return z.object({ ...Object.fromEntries(members), ...beside });
}

function toNested(values: readonly (readonly [path: string, value: Json])[]): JsonObject {
  const byFirst = Map.groupBy(values, ([path]) => path.split('.')[0] ?? '');
  return Object.fromEntries([...byFirst].map(([name, within]): [string, Json] => {
    const [[path, value] = ['', null]] = within;
    return [name, path === name ? value : toNested(within.map(([below, each]) => [below.slice(name.length + 1), each]))];
  }));
}

/** What is missing and null have one place in an order, and no value equals them. */
function valueOf(document: JsonObject, place: Place): Json | undefined {
  const { path, isMany, isFolded } = place;
  if (!isDeclaredIn(document, place)) return undefined;
  const folded = (value: Json) => (isFolded && isText(value) ? fold(value) : value);
  if (!isMany) return numberOf(document, place) ?? folded(valueAt(document, path) ?? null) ?? undefined;
  const values = valuesAt(document, path).filter((value) => value !== null && typeof value !== 'object').map(folded);
  return values.length === 0 ? undefined : values;
}

/**
 * The JavaScript number that is shown as one that travels as text, and in an order alone the nearest one: a Decimal128 of 0.10
 * stands where 0.1 does. `undefined`: it is no such number.
 */
function numberOf(document: JsonObject, { path, number, isCompared }: Place): number | undefined {
  const value = valueAt(document, path) ?? null;
  if (number === undefined || !isText(value) || !isTextOfNumber(document, path, number)) return undefined;
  const shown = parseShown(value);
  return typeof shown === 'number' ? shown : isCompared ? undefined : Number(value);
}

function isDeclaredIn(document: JsonObject, { without }: Place): boolean {
  return !without.some((branch) => isOf(document, branch));
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}
