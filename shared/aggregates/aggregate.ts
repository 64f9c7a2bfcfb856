/**
 * Aggregates as they are declared: what may be grouped, by which filters, and of which fields sums, averages, ends and numbers
 * of different values may be asked. Each walks one index, like a shape (SEMANTICS §6), and what none allows is refused.
 */
import { type Field, isScalarKind } from '../contract/fields.ts';
import { type Refuse, refuseUnknown } from '../contract/mistakes.ts';
import { whyNoField } from '../contract/schema-fields.ts';
import { toShapes } from '../contract/shape-checks.ts';
import { formatKeys, type Shape, type ShapeDeclaration } from '../contract/shapes.ts';
import { limits } from '../wire/limits.ts';
import { isNumeric } from '../wire/values.ts';
import { parseTerm, type Term } from './terms.ts';

export interface AggregateDeclaration extends Pick<ShapeDeclaration, 'equal' | 'range'> {
  /** Terms, any of which a query may group by: `year`, `genres`, `day(createdAt)`, `bucket(rating,10)`; one array at most. */
  readonly group?: readonly string[];
  /** Fields of one value that may be summed, averaged, counted distinct, and of which the ends may be asked. */
  readonly of?: readonly string[];
  /** A group of fewer documents is withheld. */
  readonly least?: number;
  /** More groups are refused; 1 000 unless said. */
  readonly groups?: number;
}

export interface Aggregate {
  readonly name: string;
  readonly group: readonly Term[];
  readonly of: readonly string[];
  readonly least: number;
  readonly groups: number;
  /** What it filters by, and the one order that it walks. */
  readonly shape: Shape;
}

const keys = ['equal', 'range', 'group', 'of', 'least', 'groups'] as const;

interface Surroundings {
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
  readonly shapes: readonly Shape[];
}

/** `refuse` notes a key below `aggregates`. */
export function toAggregates(
  declared: Readonly<Record<string, AggregateDeclaration>>, surroundings: Surroundings, refuse: Refuse,
): readonly Aggregate[] {
  return Object.entries(declared).flatMap(([name, given]) => {
    const refuseKey: Refuse = (key, detail) => refuse(`${name}.${key}`, detail);
    if (typeof given !== 'object' || given === null) {
      refuse(name, 'must be an object');
      return [];
    }
    refuseUnknown(given, keys, refuseKey);
    const [group, of] = [textsOf(given, 'group', refuseKey), textsOf(given, 'of', refuseKey)];
    const terms = group.flatMap((text) => mustTerm(text, surroundings.fields, refuseKey) ?? []);
    const { equal = [], range, least = 1, groups = limits.aggregateGroupsDefault } = given;
    const measured = of.filter((field) => isMeasurable(field, surroundings.fields, refuseKey));
    const arrays = [...new Set(terms.map(({ field }) => field))].filter((field) => isArray(surroundings.fields, field));
    if (arrays.length > 1) refuseKey('group', `one array at most, not ${arrays.join(' and ')}`);
    checkNumber('least', least, Number.MAX_SAFE_INTEGER, refuseKey);
    checkNumber('groups', groups, limits.aggregateGroupsMax, refuseKey);
    const plain = terms.map(({ field }) => field).filter((field) => !isArray(surroundings.fields, field));
    const sort = [toOrder(given, [...plain, ...measured], surroundings.shapes)];
    const [shape] = toShapes({ [name]: { equal, sort, ...(range === undefined ? {} : { range }) } }, surroundings.fields, refuse);
    return shape === undefined ? [] : [{ name, group: terms, of: measured, least, groups, shape }];
  });
}

function isArray(fields: ReadonlyMap<string, Field>, field: string): boolean {
  return fields.get(field)?.kind === 'array';
}

function textsOf(given: AggregateDeclaration, key: 'group' | 'of', refuse: Refuse): readonly string[] {
  const texts = given[key] ?? [];
  if (Array.isArray(texts) && texts.every((text) => typeof text === 'string')) return [...new Set(texts)];
  refuse(key, 'must be a list of texts');
  return [];
}

function mustTerm(text: string, fields: ReadonlyMap<string, Field>, refuse: Refuse): Term | undefined {
  const term = parseTerm(text);
  const why = term === undefined ? `"${text}" is no term, as in year, day(createdAt), bucket(rating,10)` : whyNoTerm(term, fields);
  if (why !== undefined) refuse('group', why);
  return why === undefined ? term : undefined;
}

function whyNoTerm({ field: name, by }: Term, fields: ReadonlyMap<string, Field>): string | undefined {
  const field = fields.get(name);
  if (name === 'id') return '"id" is another one in each document';
  if (field === undefined) return whyNoField(name);
  const kind = field.kind === 'array' ? (field.element ?? 'mixed') : field.kind;
  if (field.isInArray === true) return `"${name}" stands in the elements of an array`;
  if (field.isOfBranches === true) return `"${name}" is named by some branches of the union alone`;
  if (!isScalarKind(kind) || kind === 'binary') return `"${name}" (${field.kind}) cannot be grouped by`;
  if (by === undefined) return undefined;
  if (typeof by === 'string') return kind === 'instant' ? undefined : `"${name}" (${kind}) is no instant`;
  return isNumeric(kind) ? undefined : `"${name}" (${kind}) is no number`;
}

function isMeasurable(name: string, fields: ReadonlyMap<string, Field>, refuse: Refuse): boolean {
  const field = fields.get(name);
  const why =
    field !== undefined && isArray(fields, name) ? `"${name}" is many` : whyNoTerm({ text: name, field: name, by: undefined }, fields);
  if (why !== undefined) refuse('of', why);
  return why === undefined;
}

function checkNumber(key: string, value: unknown, max: number, refuse: Refuse): void {
  if (!(Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max)) refuse(key, `must be a whole number from 1 to ${max}`);
}

/** An order that a shape has already, where it holds all that is read, so that no further index is kept; one of its own otherwise. */
function toOrder({ equal = [], range }: AggregateDeclaration, read: readonly string[], shapes: readonly Shape[]): string {
  const wanted = [...new Set([...(range === undefined ? [] : [range]), ...read])];
  const pinned = [...equal].sort();
  const orders = shapes.filter((shape) => shape.equal.join() === pinned.join()).flatMap(({ sorts }) => sorts);
  const fit = orders
    .filter((sort) => range === undefined || sort[0]?.field === range)
    .filter((sort) => wanted.every((field) => sort.some((key) => key.field === field)))
    .sort((a, b) => a.length - b.length);
  return fit[0] === undefined ? (wanted.join() || 'id') : formatKeys(fit[0]);
}
