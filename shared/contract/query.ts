/**
 * A list request as a value. `parseListQuery` is the only door from a query string to the store: what it
 * does not know is a 400 that names it, and what no declared shape covers does not come through.
 */
import type { Field } from './fields.ts';
import { Fault, type FieldError } from '../wire/fault.ts';
import { type FilterValue, idField, toBoundValue, toEqualValue } from './filter-values.ts';
import { toCanonicalJson } from '../wire/hash.ts';
import { limits } from '../wire/limits.ts';
import { mustKnowOnly, toParameters } from '../wire/parameters.ts';
import type { Resource } from './resource.ts';
import { formatSort, parseSort, reversed, type Shape, type SortKey, toTotalOrder } from './shapes.ts';
import type { Scalar } from '../wire/values.ts';

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte' | 'prefix';

export interface Range {
  readonly field: string;
  readonly bounds: Readonly<Partial<Record<RangeOperator, Scalar>>>;
}

export interface ListQuery {
  readonly shape: Shape;
  /** Every field of the shape's `equal`; several values are `in`, without doubles and in canonical order. */
  readonly equal: Readonly<Record<string, readonly Scalar[]>>;
  readonly range: Range | undefined;
  /** Total: ends in id. */
  readonly sort: readonly SortKey[];
  readonly limit: number;
  /** Opaque here; the origin signed it. */
  readonly after: string | undefined;
  /** `undefined`: all. Sorted, without doubles. */
  readonly fields: readonly string[] | undefined;
  readonly count: boolean;
}

/** The text that names a query: equal queries, however written, give equal text. */
export function formatQuery(query: ListQuery): string {
  const { equal, range, limit, after, fields, count } = query;
  return toCanonicalJson({ equal, range, sort: formatSort(query.sort), limit, after, fields, count });
}

export function parseListQuery(resource: Resource, query: string): ListQuery {
  const reader = new QueryReader(resource, query);
  const equal: Record<string, readonly Scalar[]> = {};
  const bounds = new Map<string, Record<string, Scalar>>();
  for (const name of reader.names) {
    if (controls.has(name)) continue;
    const filter = /^([A-Za-z][A-Za-z0-9_]*)(?:\[([a-z]+)\])?$/.exec(name);
    const field = filter?.[1] === undefined ? undefined : reader.field(filter[1]);
    if (field === undefined) {
      reader.refuse(name, `unknown parameter; ${resource.name} knows ${[...controls].join(', ')} and the fields of its shapes`);
    } else if (filter?.[2] === undefined || filter[2] === 'in') {
      if (Object.hasOwn(equal, field.name)) {
        reader.refuse(name, `a second condition on ${field.name}; one of ${field.name} and ${field.name}[in] is enough`);
      }
      equal[field.name] = reader.values(name, field, filter?.[2] === 'in' ? reader.several(name) : [reader.one(name)]);
    } else if (isRangeOperator(filter[2])) {
      bounds.set(field.name, { ...bounds.get(field.name), [filter[2]]: reader.bound(name, field) });
    } else {
      reader.refuse(name, `unknown operator "${filter[2]}"; known are in, gt, gte, lt, lte, prefix`);
    }
  }
  const controlsRead = reader.controls();
  reader.finish();
  const [range] = [...bounds].map(([field, given]) => ({ field, bounds: given }));
  if (bounds.size > 1) throw notServed(resource, `ranges over ${[...bounds.keys()].join(' and ')}; a query has one range`);
  const { shape, sort } = mustServe(resource, Object.keys(equal), range, controlsRead.sort);
  return {
    shape, equal, range, sort, limit: controlsRead.limit, after: controlsRead.after, fields: controlsRead.fields,
    count: controlsRead.count,
  };
}

const controls: ReadonlySet<string> = new Set(['sort', 'limit', 'after', 'fields', 'count']);

function isRangeOperator(text: string): text is RangeOperator {
  return text === 'gt' || text === 'gte' || text === 'lt' || text === 'lte' || text === 'prefix';
}

/** Reads parameters and gathers what is wrong with them, so that a caller learns all of it at once. */
class QueryReader {
  readonly #resource: Resource;
  readonly #search: URLSearchParams;
  readonly #errors: FieldError[] = [];
  readonly names: ReadonlySet<string>;

  constructor(resource: Resource, query: string) {
    this.#resource = resource;
    this.#search = toParameters(query);
    this.names = new Set(this.#search.keys());
  }

  refuse(at: string, detail: string): void {
    this.#errors.push({ at, in: 'query', detail });
  }

  finish(): void {
    if (this.#errors.length > 0) {
      throw new Fault('query_invalid', {
        detail: this.#errors.map(({ at, detail }) => `${at}: ${detail}`).join('; '),
        errors: this.#errors,
      });
    }
  }

  field(name: string): Field | undefined {
    return name === 'id' ? idField(this.#resource) : this.#resource.fields.get(name);
  }

  one(name: string): string {
    return this.#search.get(name) ?? '';
  }

  /** Once: split at commas. Repeated: each as it stands, so that a value may hold a comma. */
  several(name: string): readonly string[] {
    const given = this.#search.getAll(name);
    return given.length === 1 ? (given[0] ?? '').split(',') : given;
  }

  values(name: string, field: Field, texts: readonly string[]): readonly Scalar[] {
    if (texts.length > limits.inValuesMax) {
      this.refuse(name, `${texts.length} values; ${limits.inValuesMax} at most`);
      return [];
    }
    const distinct = new Set(texts.map((text) => this.#taken(name, toEqualValue(this.#resource, field, text))));
    return [...distinct].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  bound(name: string, field: Field): Scalar {
    return this.#taken(name, toBoundValue(field, this.one(name)));
  }

  #taken(name: string, read: FilterValue): Scalar {
    if ('value' in read) return read.value;
    this.refuse(name, read.refused);
    return '';
  }

  controls() {
    const count = this.names.has('count') ? this.one('count') : undefined;
    if (count !== undefined && count !== 'exact') this.refuse('count', 'the only count is "exact"');
    const after = this.names.has('after') ? this.one('after') : undefined;
    if (after !== undefined && !/^[A-Za-z0-9_.-]+$/.test(after.slice(0, limits.cursorCharactersMax + 1))) {
      this.refuse('after', 'not a cursor of this API');
    }
    if (after !== undefined && after.length > limits.cursorCharactersMax) {
      this.refuse('after', `longer than ${limits.cursorCharactersMax} characters`);
    }
    return { count: count !== undefined, after, limit: this.#limit(), fields: this.fields(), sort: this.#sort() };
  }

  #limit(): number {
    if (!this.names.has('limit')) return limits.pageDocumentsDefault;
    const text = this.one('limit');
    const limit = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(limit <= limits.pageDocumentsMax)) this.refuse('limit', `a whole number from 1 to ${limits.pageDocumentsMax}`);
    return limit;
  }

  fields(): readonly string[] | undefined {
    if (!this.names.has('fields')) return undefined;
    const names = [...new Set(this.one('fields').split(','))].filter((name) => name !== 'id');
    for (const name of names) if (!this.#resource.fields.has(name)) this.refuse('fields', `unknown field "${name}"`);
    return names.sort();
  }

  #sort(): readonly SortKey[] | undefined {
    if (!this.names.has('sort')) return undefined;
    const keys = parseSort(this.one('sort'));
    for (const key of keys) if (this.field(key.field) === undefined) this.refuse('sort', `unknown field "${key.field}"`);
    return keys;
  }
}

/** `fields` of a single document: the only parameter it takes. */
export function parseFieldsQuery(resource: Resource, query: string): readonly string[] | undefined {
  const reader = new QueryReader(resource, query);
  for (const name of reader.names) if (name !== 'fields') reader.refuse(name, 'unknown parameter; one document takes fields alone');
  const fields = reader.fields();
  reader.finish();
  return fields;
}

/** `after` of a change feed: a position token, for clients that cannot send `Last-Event-ID`. */
export function parseChangesQuery(query: string): string | undefined {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['after'], 'unknown parameter; a change feed takes after alone');
  return parameters.get('after') ?? undefined;
}

function mustServe(
  resource: Resource,
  equal: readonly string[],
  range: Range | undefined,
  asked: readonly SortKey[] | undefined,
): { shape: Shape; sort: readonly SortKey[] } {
  const names = [...equal].sort().join();
  const shapes = resource.shapes.filter((shape) => shape.equal.join() === names && allowsRange(shape, range));
  // An order declared as it is asked for is the one that is meant, in whichever shape; one that it only begins comes second.
  for (const fits of [isOrder, begins]) {
    for (const shape of shapes) {
      const sort = shape.sorts.map((declared) => servable(declared, range, asked, fits)).find((found) => found !== undefined);
      if (sort !== undefined) return { shape, sort };
    }
  }
  const wanted = [
    ...equal.map((field) => `${field}=`),
    ...(range === undefined ? [] : [`${range.field}[${Object.keys(range.bounds).join()}]`]),
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
  return formatTotal(toTotalOrder(asked)) === formatTotal(order);
}

/** What is left open, the declared order decides: cursors and cached answers are those of the whole order, however it was spelt. */
function begins(asked: readonly SortKey[], order: readonly SortKey[]): boolean {
  return formatTotal(asked) === formatTotal(order.slice(0, asked.length));
}

function formatTotal(keys: readonly SortKey[]): string {
  return keys.map((key) => (key.descending ? '-' : '+') + key.field).join();
}

function notServed(resource: Resource, wanted: string): Fault {
  const served = resource.shapes.map(describeShape).join('; ');
  return new Fault('query_not_served', { detail: `${wanted} is not served; ${resource.name} serves: ${served}` });
}

function describeShape(shape: Shape): string {
  const parts = shape.equal.map((field) => `${field}=…`);
  if (shape.range !== undefined) parts.push(`${shape.range}[gt|gte|lt|lte]=…`);
  if (shape.prefix !== undefined) parts.push(`${shape.prefix}[prefix]=…`);
  return `${shape.name} (${[...parts, `sort=${shape.sorts.map(formatSort).join('|')}`].join('&')})`;
}
