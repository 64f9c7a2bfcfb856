/** The declared shape and order that serve a query. What none serves is refused with a list of what there is. */
import { Fault } from '../wire/fault.ts';
import type { Area } from '../geo/area.ts';
import type { Filter, Range } from './filter.ts';
import { waysToAsk } from './residual.ts';
import type { Resource } from './resource.ts';
import { formatKeys, formatSort, isByEntries, reversed, type Shape, type SortKey, toTotalOrder } from './shapes.ts';

export interface Choice extends Pick<Filter, 'equal' | 'residual'> {
  readonly shape: Shape;
  readonly sort: readonly SortKey[];
  readonly range: Range | undefined;
}

export interface How {
  /** What `q` asks for. */
  readonly words?: readonly string[] | undefined;
  /** What is asked of the map. */
  readonly area?: Area | undefined;
  /** Whether values are asked for in place of documents, which entries do not have as they are shown. */
  readonly isDistinct?: boolean;
}

export function chooseShape(resource: Resource, filter: Filter, asked: readonly SortKey[] | undefined, how: How = {}): Choice {
  const [range, ...more] = filter.ranges;
  if (more.length > 0) {
    throw notServed(resource, `ranges over ${filter.ranges.map(({ field }) => field).join(' and ')}; a query has one range`);
  }
  const candidates = waysToAsk(filter).flatMap((way) => {
    const names = Object.keys(way.equal).sort().join();
    const asked = way.residual.map(({ field }) => field);
    return resource.shapes
      .filter(({ equal, beside }) => equal.join() === names && asked.every((field) => beside.includes(field)))
      .filter((shape) => allowsRange(shape, range) && allowsText(shape, how))
      .map((shape) => ({ shape, ...way }));
  });
  // An order declared as it is asked for is the one that is meant, in whichever shape; one that it only begins comes second.
  for (const fits of [isOrder, begins]) {
    for (const { shape, equal, residual } of candidates) {
      const sort = shape.sorts.map((declared) => servable(declared, range, asked, fits)).find((found) => found !== undefined);
      if (sort !== undefined) return { shape, sort, range, equal, residual };
    }
  }
  const wanted = [
    ...(how.words === undefined ? [] : ['q=']),
    ...(how.area === undefined ? [] : [how.area.kind === 'near' ? 'near=&distance=' : 'within=']),
    ...Object.keys(filter.equal).map((field) => `${field}=`),
    ...(range === undefined ? [] : [`${range.field}[${Object.keys(range.bounds).join()}]`]),
    ...filter.residual.map(({ field, operator }) => `${field}[${operator === 'nin' ? 'ne|nin' : operator}]=`),
    ...(asked === undefined ? [] : [`sort=${formatSort(asked)}`]),
  ];
  throw notServed(resource, wanted.length === 0 ? 'a list without a filter' : wanted.join('&'));
}

function allowsRange(shape: Shape, range: Range | undefined): boolean {
  if (range === undefined) return true;
  const prefixed = range.bounds.prefix !== undefined;
  if (prefixed && Object.keys(range.bounds).length > 1) return false;
  return (prefixed ? shape.prefix : shape.range) === range.field;
}

function allowsText(shape: Shape, { words, area, isDistinct = false }: How): boolean {
  const isFitting = (shape.text === undefined) === (words === undefined) && (shape.place === undefined) === (area === undefined);
  return isFitting && !(isDistinct && isByEntries(shape));
}

type Fits = (asked: readonly SortKey[], order: readonly SortKey[]) => boolean;

/** The declared order or its reverse, whole, where it fits the one asked for; the declared one when none is asked. */
function servable(
  declared: readonly SortKey[],
  range: Range | undefined,
  asked: readonly SortKey[] | undefined,
  fits: Fits,
): readonly SortKey[] | undefined {
  if (range !== undefined && declared[0]?.field !== range.field) return undefined;
  if (asked === undefined) return declared;
  return [declared, reversed(declared)].find((order) => fits(asked, order));
}

function isOrder(asked: readonly SortKey[], order: readonly SortKey[]): boolean {
  return formatKeys(toTotalOrder(asked)) === formatKeys(order);
}

/** What is left open, the declared order decides: cursors and cached answers are those of the whole order, however it was spelt. */
function begins(asked: readonly SortKey[], order: readonly SortKey[]): boolean {
  return formatKeys(asked) === formatKeys(order.slice(0, asked.length));
}

function notServed(resource: Resource, wanted: string): Fault {
  const served = resource.shapes.map(describeShape).join('; ');
  return new Fault('query_not_served', { detail: `${wanted} is not served; ${resource.name} serves: ${served}` });
}

function describeShape(shape: Shape): string {
  const parts = shape.equal.map((field) => `${field}=…`);
  if (shape.text !== undefined) parts.unshift('q=…');
  if (shape.place !== undefined) parts.unshift('near=…&distance=…|within=…');
  if (shape.range !== undefined) parts.push(`${shape.range}[gt|gte|lt|lte]=…`);
  if (shape.prefix !== undefined) parts.push(`${shape.prefix}[prefix]=…`);
  if (shape.beside.length > 0) parts.push(`${shape.beside.join('|')}[ne|nin|exists|contains]=…`);
  if (shape.place === undefined) parts.push(`sort=${shape.sorts.map(formatSort).join('|')}`);
  return `${shape.name} (${parts.join('&')})`;
}
