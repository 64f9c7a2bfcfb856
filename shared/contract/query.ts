/**
 * A list request as a value. `parseListQuery` is the only way from a query string to the store: what it
 * does not know is a 400 that names it, and what no declared shape covers does not come through.
 */
import { remember } from '../remember.ts';
import { readDistinct } from './distinct.ts';
import { type Expansion, readExpand } from './expansion.ts';
import { type Range, readFilter } from './filter.ts';
import type { Area } from '../geo/area.ts';
import { readArea } from '../geo/area-query.ts';
import { toCanonicalJson } from '../wire/hash.ts';
import { mustKnowOnly, toParameters } from '../wire/parameters.ts';
import { QueryReader } from './query-reader.ts';
import { controls, mapControls } from './reserved-names.ts';
import type { Residual } from './residual.ts';
import type { Resource } from './resource.ts';
import { chooseShape } from './shape-choice.ts';
import { formatSort, type Shape, type SortKey } from './shapes.ts';
import { asFolded, readWords } from './text-query.ts';
import type { Scalar } from '../wire/values.ts';

export interface ListQuery {
  readonly shape: Shape;
  /** Every field of the shape's `equal`; several values are `in`, without doubles and in canonical order. */
  readonly equal: Readonly<Record<string, readonly Scalar[]>>;
  readonly range: Range | undefined;
  /** What is asked of each document of the walk, of fields that the shape has `beside` its index. */
  readonly residual: readonly Residual[];
  /** The words of `q`, where the shape is searched by text. */
  readonly words: readonly string[] | undefined;
  /** What is asked of the map, where the shape has a place: it orders what is found, not `sort`. */
  readonly area: Area | undefined;
  /** A total order, ending in id; of an array's distinct values theirs. */
  readonly sort: readonly SortKey[];
  readonly limit: number;
  /** A cursor: opaque here, signed by the origin. */
  readonly after: string | undefined;
  /** Fields sorted and without doubles; `undefined`: all. */
  readonly fields: readonly string[] | undefined;
  readonly count: boolean;
  /** A total that costs little is enough. */
  readonly estimated: boolean;
  /** The last page: as many as there may be on one, before the end. */
  readonly fromEnd: boolean;
  /** The field whose values are listed in place of documents: the first of the order, or an array. */
  readonly distinct: string | undefined;
  /** What is shown in each document of those that it leads to. */
  readonly expand?: readonly Expansion[];
  /** The form of the page, where it is not JSON. */
  readonly format?: 'csv' | undefined;
}

const formatted = new WeakMap<ListQuery, string>();

/** The text that names a query: equal queries, however written, give equal text. */
export function formatQuery(query: ListQuery): string {
  const known = formatted.get(query);
  if (known !== undefined) return known;
  const { equal, range, words, area, limit, after, fields, count, distinct, format } = query;
  const asked = { ...(query.estimated ? { estimated: true } : {}), ...(query.fromEnd ? { fromEnd: true } : {}) };
  const residual = query.residual.length === 0 ? undefined : query.residual;
  const sort = formatSort(query.sort);
  const text = toCanonicalJson({ equal, range, residual, words, area, sort, limit, after, fields, count, distinct, format, ...asked });
  formatted.set(query, text);
  return text;
}

/** Queries as they were read, by their resources' names and their text: most lists are asked for again, in the same words. */
const parsed = new Map<string, { readonly resource: Resource; readonly query: ListQuery }>();
const parsedMax = 512;
/** Longer ones are read each time. */
const parsedCharactersMax = 1_024;

export function parseListQuery(resource: Resource, query: string): ListQuery {
  const name = resource.name + query;
  const known = parsed.get(name);
  if (known?.resource === resource) return known.query;
  const read = readListQuery(resource, query);
  if (query.length <= parsedCharactersMax) remember(parsed, name, { resource, query: read }, parsedMax);
  return read;
}

const onMap: ReadonlySet<string> = new Set([...controls, ...mapControls]);

function isOnMap({ shapes }: Resource): boolean {
  return shapes.some(({ place }) => place !== undefined);
}

function readListQuery(resource: Resource, query: string): ListQuery {
  const reader = new QueryReader(resource, query);
  const indexOnly = reader.names.has('distinct') ? 'not beside distinct, which looks into no documents' : undefined;
  const filter = readFilter(reader, isOnMap(resource) ? onMap : controls, indexOnly);
  const { sort: asked, ...page } = reader.controls();
  const words = readWords(reader);
  const area = isOnMap(resource) ? readArea(reader) : undefined;
  const distinct = readDistinct(reader, { filter, sort: asked });
  const expand = readExpand(reader, page.limit);
  reader.finish();
  const how = { words, area, isDistinct: distinct !== undefined };
  const { shape, equal, range, sort, ...choice } = chooseShape(resource, filter, distinct === undefined ? asked : distinct.along, how);
  const order = distinct?.sort ?? sort;
  const made = { shape, ...asFolded(shape, { equal, range }), ...choice, sort: order, words, area, ...page, distinct: distinct?.field };
  return expand === undefined ? made : { ...made, expand };
}

/** How a single document is shown. */
export type DocumentQuery = Pick<ListQuery, 'fields' | 'expand'>;

/** The parameters of a single document: it takes no others. */
export function parseDocumentQuery(resource: Resource, query: string): DocumentQuery {
  const reader = new QueryReader(resource, query);
  for (const name of reader.names) {
    if (name !== 'fields' && name !== 'expand') reader.refuse(name, 'unknown parameter; one document takes fields and expand alone');
  }
  const [fields, expand] = [reader.fields(), readExpand(reader, 1)];
  reader.finish();
  return { fields, ...(expand === undefined ? {} : { expand }) };
}

/** `after` of a change feed: a position token, for clients that cannot send `Last-Event-ID`. */
export function parseChangesQuery(query: string): string | undefined {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['after'], 'unknown parameter; a change feed takes after alone');
  return parameters.get('after') ?? undefined;
}
