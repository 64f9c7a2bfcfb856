/**
 * Aggregates as they are declared: what may be grouped, by which filters, and of which fields sums, averages, ends and numbers
 * of different values may be asked. Each walks one index, like a shape (SEMANTICS §6), and what none allows is refused.
 */
import type { Field } from '../contract/fields.ts';
import { formatKeys, type Shape, type ShapeDeclaration, toShape } from '../contract/shapes.ts';
import { limits } from '../wire/limits.ts';
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

export interface Surroundings {
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
  readonly shapes: readonly Shape[];
}

export function toAggregates(
  declared: Readonly<Record<string, AggregateDeclaration>> = {}, surroundings: Surroundings,
): readonly Aggregate[] {
  return Object.entries(declared).map(([name, given]) => {
    const { least = 1, groups = limits.aggregateGroupsDefault } = given;
    const group = [...new Set(given.group)].flatMap((text) => parseTerm(text) ?? []);
    return { name, group, of: [...new Set(given.of)], least, groups, shape: toShape(name, toWalked(given, surroundings)) };
  });
}

/** The shape that it reads by: what it filters by, and one order that holds all that is read. */
export function toWalked(given: AggregateDeclaration, { fields, shapes }: Surroundings): ShapeDeclaration {
  const { equal = [], range } = given;
  const grouped = [...new Set(given.group)].flatMap((text) => parseTerm(text)?.field ?? []);
  const plain = grouped.filter((field) => fields.get(field)?.kind !== 'array');
  return { equal, sort: [toOrder(given, [...plain, ...new Set(given.of)], shapes)], ...(range === undefined ? {} : { range }) };
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
