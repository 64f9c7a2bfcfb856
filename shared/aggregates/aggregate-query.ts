/**
 * A request for an aggregate as a value, read as a list's is: what it does not know is a 400 that names it, and what no
 * declared aggregate allows does not come through.
 */
import type { Field } from '../contract/fields.ts';
import { type Filter, type Range, readFilter } from '../contract/filter.ts';
import { QueryReader } from '../contract/query-reader.ts';
import type { Resource } from '../contract/resource.ts';
import { Fault } from '../wire/fault.ts';
import { toCanonicalJson } from '../wire/hash.ts';
import { limits } from '../wire/limits.ts';
import { isNumeric, type Scalar } from '../wire/values.ts';
import type { Aggregate } from './aggregate.ts';
import { parseTerm, splitTerms, type Term } from './terms.ts';
import { isZone } from './zones.ts';

export const measureKinds = ['sum', 'avg', 'min', 'max', 'distinct'] as const;

export interface Measure {
  readonly kind: (typeof measureKinds)[number];
  readonly field: string;
}

export interface GroupOrder {
  /** `count`, a measure as `avg.rating`, or one of the terms. */
  readonly by: string;
  readonly descending: boolean;
}

export interface AggregateQuery {
  readonly aggregate: Aggregate;
  readonly equal: Filter['equal'];
  readonly range: Range | undefined;
  readonly group: readonly Term[];
  readonly measures: readonly Measure[];
  readonly count: boolean;
  /** `undefined`: by the values of the groups. */
  readonly sort: GroupOrder | undefined;
  readonly limit: number;
  /** Whose days, weeks and months they are; `undefined` where there are none. */
  readonly zone: string | undefined;
}

/** What is no filter. */
export const aggregateControls: ReadonlySet<string> = new Set(['group', 'count', ...measureKinds, 'sort', 'limit', 'zone']);

export function parseAggregateQuery(resource: Resource, query: string): AggregateQuery {
  const reader = new QueryReader(resource, query);
  const { equal, ranges } = readFilter(reader, aggregateControls, 'not of an aggregate, which looks into no documents');
  const group = readGroup(reader);
  const measures = measureKinds.flatMap((kind) => fieldsOf(reader, kind).map((field): Measure => ({ kind, field })));
  const count = isAsked(reader, 'count') || measures.length === 0;
  const sort = readSort(reader, { group, measures });
  const [limit, zone] = [readLimit(reader), readZone(reader, group)];
  reader.finish();
  const [range, ...more] = ranges;
  if (more.length > 0) throw notServed(resource, 'a range over several fields');
  const asked = { equal, range, group, measures };
  return { aggregate: chooseAggregate(resource, asked), ...asked, count, sort, limit, zone };
}

/** The text that names a query: equal queries, however written, give equal text. */
export function formatAggregateQuery({ aggregate, equal, range, group, measures, count, sort, limit, zone }: AggregateQuery): string {
  const [terms, asked] = [group.map(({ text }) => text), measures.map(formatMeasure)];
  return toCanonicalJson({ of: aggregate.name, equal, range, terms, asked, count, sort, limit, zone });
}

export function formatMeasure({ kind, field }: Measure): string {
  return `${kind}.${field}`;
}

/** Fields whose values an answer tells something of. */
export function fieldsAskedBy({ equal, range, group, measures }: AggregateQuery): readonly string[] {
  return [
    ...Object.keys(equal), ...(range === undefined ? [] : [range.field]), ...group.map(({ field }) => field),
    ...measures.map(({ field }) => field),
  ];
}

function readGroup(reader: QueryReader): readonly Term[] {
  if (!reader.names.has('group')) return [];
  return [...new Set(splitTerms(reader.one('group')))].flatMap((text) => {
    const term = parseTerm(text);
    if (term === undefined) reader.refuse('group', `"${text}" is no term, as in year, day(createdAt), bucket(rating,10)`);
    else if (reader.field(term.field) === undefined) reader.refuse('group', `unknown field "${term.field}"`);
    return term ?? [];
  });
}

function fieldsOf(reader: QueryReader, kind: Measure['kind']): readonly string[] {
  if (!reader.names.has(kind)) return [];
  const names = [...new Set(reader.one(kind).split(','))].sort();
  for (const name of names) {
    const field: Field | undefined = reader.field(name);
    if (field === undefined) reader.refuse(kind, `unknown field "${name}"`);
    else if ((kind === 'sum' || kind === 'avg') && !isNumeric(field.kind)) reader.refuse(kind, `"${name}" (${field.kind}) is no number`);
  }
  return names;
}

function isAsked(reader: QueryReader, name: string): boolean {
  if (!reader.names.has(name)) return false;
  if (!['', 'true'].includes(reader.one(name))) reader.refuse(name, 'is given without a value, or as true');
  return true;
}

function readSort(reader: QueryReader, { group, measures }: Pick<AggregateQuery, 'group' | 'measures'>): GroupOrder | undefined {
  if (!reader.names.has('sort')) return undefined;
  const text = reader.one('sort');
  const sort: GroupOrder = { by: text.replace(/^-/, ''), descending: text.startsWith('-') };
  const known = ['count', ...measures.map(formatMeasure), ...group.map((term) => term.text)];
  if (!known.includes(sort.by)) reader.refuse('sort', `is one of ${known.join(', ')} here, with - before it or without`);
  return sort;
}

function readLimit(reader: QueryReader): number {
  if (!reader.names.has('limit')) return limits.aggregateShownMax;
  const text = reader.one('limit');
  const limit = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit <= limits.aggregateShownMax)) reader.refuse('limit', `a whole number from 1 to ${limits.aggregateShownMax}`);
  return limit;
}

function readZone(reader: QueryReader, group: readonly Term[]): string | undefined {
  const isOfDays = group.some(({ by }) => typeof by === 'string');
  if (!reader.names.has('zone')) return isOfDays ? 'UTC' : undefined;
  const zone = reader.one('zone');
  if (!isOfDays) reader.refuse('zone', 'is of days, weeks and months, and none are grouped by');
  else if (!isZone(zone)) reader.refuse('zone', 'not a time zone of the IANA database, as Europe/Berlin is');
  return zone;
}

type Asked = Pick<AggregateQuery, 'range' | 'group' | 'measures'> & { readonly equal: Readonly<Record<string, readonly Scalar[]>> };

function chooseAggregate(resource: Resource, { equal, range, group, measures }: Asked): Aggregate {
  const names = Object.keys(equal).sort().join();
  const found = resource.aggregates.find(({ shape, group: terms, of }) =>
    shape.equal.join() === names && (range === undefined || (range.bounds.prefix === undefined && range.field === shape.range)) &&
    group.every(({ text }) => terms.some((term) => term.text === text)) && measures.every(({ field }) => of.includes(field)));
  if (found !== undefined) return found;
  throw notServed(resource, [
    ...Object.keys(equal).map((field) => `${field}=`),
    ...(range === undefined ? [] : [`${range.field}[${Object.keys(range.bounds).join()}]`]),
    ...(group.length === 0 ? [] : [`group=${group.map(({ text }) => text).join()}`]),
    ...measures.map(({ kind, field }) => `${kind}=${field}`),
  ].join('&') || 'a count of everything');
}

function notServed(resource: Resource, wanted: string): Fault {
  const served = resource.aggregates.map(({ name, shape, group, of }) => {
    const parts = [
      ...shape.equal.map((field) => `${field}=…`), ...(shape.range === undefined ? [] : [`${shape.range}[gt|gte|lt|lte]=…`]),
      `group=${group.map(({ text }) => text).join('|')}`, ...(of.length === 0 ? [] : [`${measureKinds.join('|')}=${of.join('|')}`]),
    ];
    return `${name} (${parts.join('&')})`;
  });
  return new Fault('query_not_served', { detail: `${wanted} is not served; ${resource.name} aggregates: ${served.join('; ')}` });
}
