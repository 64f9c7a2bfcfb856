/**
 * Unique keys: values that no two documents of a resource share (SEMANTICS §17). A document has a key where each of its fields
 * holds a value of its declared kind and `where` holds; what is missing, null or of another type has none, so it meets nobody's.
 * Nor has a document that is removed and stays for a while: what nobody is served keeps nothing from anybody.
 */
import { type Field, isScalarKind } from './fields.ts';
import { valueAt } from './path.ts';
import { isRemoved, type Removal } from './removal.ts';
import { toPointer } from '../wire/json-pointer.ts';
import type { FieldError } from '../wire/fault.ts';
import { isNumeric, type Json, type JsonObject, ranks, type Scalar, type ScalarKind, type SortValue, toSortValue } from '../wire/values.ts';

export interface UniqueDeclaration {
  /** Paths of one value each; together they are the key. */
  readonly fields: readonly string[];
  /** Whether texts of the key, and of `where`, are compared as if A to Z were a to z; they are printable ASCII then. */
  readonly ignoringCase?: boolean;
  /** By path: the value that a document has which must have a key of its own. */
  readonly where?: Readonly<Record<string, Scalar>>;
}

export interface Unique {
  readonly name: string;
  readonly fields: readonly string[];
  readonly ignoringCase: boolean;
  readonly where: readonly (readonly [path: string, value: Scalar])[];
}

export interface Uniques {
  /** By name: values that no two documents share, as in `byEmail: { fields: ['email'] }`. */
  readonly unique?: Readonly<Record<string, UniqueDeclaration>>;
}

export interface UniqueKeys {
  readonly unique: readonly Unique[];
}

export function toUniques(declared: Uniques['unique'] = {}): readonly Unique[] {
  return Object.entries(declared).map(([name, { fields, ignoringCase = false, where = {} }]) => (
    { name, fields, ignoringCase, where: Object.entries(where).sort() }
  ));
}

/** A resource, of which no more is asked here. */
interface Keyed {
  readonly fields: ReadonlyMap<string, Field>;
}

interface RemovableKeyed extends Keyed {
  readonly removal: Removal | undefined;
}

/** The key of a document, equal for equal keys alone; `undefined` where it has none. */
export function uniqueKeyOf(
  { fields, removal }: RemovableKeyed, { fields: paths, ignoringCase, where }: Unique, document: JsonObject,
): string | undefined {
  if (isRemoved({ removal }, document)) return undefined;
  const kindOf = (path: string) => scalarKindOf(fields, path);
  const isHeld = where.every(([path, value]) => {
    const part = toPart(valueAt(document, path), kindOf(path), ignoringCase);
    return part !== undefined && part.value === toPart(value, kindOf(path), ignoringCase)?.value;
  });
  const parts = isHeld ? paths.map((path) => toPart(valueAt(document, path), kindOf(path), ignoringCase)) : [undefined];
  return parts.includes(undefined) ? undefined : JSON.stringify(parts.map((part) => part?.value));
}

/** Places of the key in which the document has no value that it is made of: it has no key. */
export function whyNoKey(
  resource: Keyed, { fields: paths, ignoringCase, where }: Unique, document: JsonObject,
): readonly FieldError[] {
  const partOf = (path: string, value: Json | undefined) => toPart(value, scalarKindOf(resource.fields, path), ignoringCase)?.value;
  const own = (path: string) => partOf(path, valueAt(document, path));
  return [
    ...paths.filter((path) => own(path) === undefined).map((path) => toError(path, 'is missing: it is of the key')),
    ...where.filter(([path, value]) => own(path) !== partOf(path, value)).map(toUnmet),
  ];
}

function toError(path: string, detail: string): FieldError {
  return { at: toPointer(path.split('.')), in: 'body', detail };
}

function toUnmet([path, value]: readonly [path: string, value: Scalar]): FieldError {
  return toError(path, `must be ${JSON.stringify(value)}: only such documents have this key`);
}

/** Places in which a document that is put by a key has another one, or not what the key's condition asks for. */
export function whyOtherKey(
  { fields }: Keyed, { unique, values }: { readonly unique: Unique; readonly values: readonly Scalar[] },
  document: JsonObject,
): readonly FieldError[] {
  const isSame = (path: string, wanted: Scalar | undefined) => {
    const kind = scalarKindOf(fields, path);
    const part = toPart(valueAt(document, path), kind, unique.ignoringCase);
    return part !== undefined && part.value === toPart(wanted, kind, unique.ignoringCase)?.value;
  };
  const differing = unique.fields.filter((path, index) => !isSame(path, values[index]));
  return [
    ...differing.map((path) => toError(path, 'differs from the key in the query')),
    ...unique.where.filter(([path, value]) => !isSame(path, value)).map(toUnmet),
  ];
}

/** Both engines refuse the same where case is ignored: what they hold alike of other texts differs. */
export function caseErrors({ fields, unique }: Keyed & UniqueKeys, document: JsonObject): readonly FieldError[] {
  const folded = unique.filter(({ ignoringCase }) => ignoringCase).flatMap((each) => [...each.fields, ...each.where.map(([path]) => path)]);
  return [...new Set(folded)].flatMap((path) => {
    const value = valueAt(document, path);
    if (fields.get(path)?.kind !== 'string' || typeof value !== 'string' || isPrintableAscii(value)) return [];
    return [{ at: toPointer(path.split('.')), in: 'body', detail: 'must be printable ASCII, since its case is ignored' }];
  });
}

/** A value of a key as engines compare it; `undefined` where it is of another type than declared, or is not there. */
export function toPart(value: Json | undefined, kind: ScalarKind, ignoringCase: boolean): SortValue | undefined {
  const { rank, value: known } = toSortValue(value, kind);
  if (rank !== rankOf(kind)) return undefined;
  return { rank, value: ignoringCase && kind === 'string' ? toLowerAscii(String(known)) : known };
}

/** The bracket of a value of its declared type. */
export function rankOf(kind: ScalarKind): number {
  if (isNumeric(kind)) return ranks.number;
  if (kind === 'boolean' || kind === 'instant' || kind === 'objectId') return ranks[kind];
  return ranks.string;
}

export function scalarKindOf(fields: ReadonlyMap<string, Field>, path: string): ScalarKind {
  const kind = fields.get(path)?.kind ?? 'mixed';
  if (!isScalarKind(kind)) throw new Error(`${path} is in a unique key and is no scalar`);
  return kind;
}

/** What other programs wrote may hold more than ASCII, which stays as it is: of that, `fold` takes for equal what no index does. */
function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
}

export function isPrintableAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
