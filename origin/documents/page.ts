/**
 * A page of a list, by keyset alone, so that page 10 000 costs what page 1 costs. It holds what the caller sees, found and
 * ordered by fields that they may read; a cursor continues the query that it was given for, under the rights of then.
 */
import { formatQuery, type ListQuery } from '../../shared/contract/query.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import { reversed } from '../../shared/contract/shapes.ts';
import { limits } from '../../shared/wire/limits.ts';
import { entryIndexOf } from '../../shared/contract/entry-index.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import type { Rights } from '../rights.ts';
import type { Settings } from '../settings.ts';
import type { CountRequest, ListRequest, Read, Row, Store } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { atEnd, type Cursor, hasPagesBefore, mustCursor, signCursor } from '../tokens.ts';
import { findDistinct } from './distinct.ts';
import { countByEntries, findByEntries } from './found-by-entries.ts';
import { mustGoOnAt, startOf } from './page-start.ts';
import { mustReadable, piecesPresenter } from './present.ts';
import { readOptions } from './representation.ts';
import { scan, type Scanned, toScannedPage } from './scan.ts';
import { mustBeServable } from './servable.ts';

export interface Page {
  /** Each document as the caller may see it, as JSON in pieces. */
  readonly shown: readonly (readonly string[])[];
  readonly pages: NonNullable<Answer['pages']>;
  readonly position: Position;
  readonly rows: readonly Row[];
  /** What it says of what it was made of, where documents of other resources stand in it. */
  readonly made?: Pick<Answer, 'alsoRead' | 'stated'>;
}

export interface Values extends Omit<Page, 'shown' | 'rows'> {
  readonly values: readonly Json[];
}

/** A page of the distinct values of a field, of the documents that the caller sees. */
export async function readValues({ store, settings: { keys } }: Context, call: Asked, query: ListQuery, field: string): Promise<Values> {
  const { boundTo, cursor, cut, request } = toPrepared(keys, call, query);
  const { value, position } = await findDistinct(store, call, query, { field, request, cut });
  const sign = (next: Cursor) => signCursor(next, boundTo, call.tokenKey);
  const { rows, next, prev } = toPage({ found: value, brokenOffAt: undefined }, query, cursor, sign);
  return { values: rows.map((row) => row.value), pages: { next, prev }, position };
}

export async function readPage({ store, settings: { keys } }: Context, call: Asked, query: ListQuery): Promise<Page> {
  const { resource } = call;
  const { boundTo, cursor, cut, present, ...prepared } = toPrepared(keys, call, query);
  const sign = (next: Cursor) => signCursor(next, boundTo, call.tokenKey);
  const request = cut === undefined ? prepared.request : { ...prepared.request, after: await mustGoOnAt(store, call, query, cut) };
  const { position, ...walked } = await walk(store, call, query, request);
  const { rows, next, prev } = 'first' in walked ? toScannedPage(walked, cursor, sign) : toPage(walked, query, cursor, sign);
  for (const { document } of rows) mustBeServable(resource, document);
  return { shown: rows.map(({ document }) => present(document)), pages: { next, prev }, position, rows };
}

interface Prepared {
  /** Of whom and what it was made. */
  readonly of: Pick<Asked, 'resource' | 'principal'> & { readonly query: ListQuery };
  readonly boundTo: string;
  readonly cursor: Cursor | undefined;
  /** The keys of the cursor, where texts are missing in them: the request has yet to learn where it begins. */
  readonly cut: Cursor['keys'] | undefined;
  readonly request: ListRequest;
  readonly present: ReturnType<typeof piecesPresenter>;
}

/** By its rights, which a call that is asked again has again: what of a page is the same each time. */
const prepared = new WeakMap<Rights, Prepared>();

function toPrepared(keys: Settings['keys'], call: Asked, query: ListQuery): Prepared {
  const known = prepared.get(call.rights);
  if (known !== undefined && isOf(known, call, query)) return known;
  const { resource, principal } = call;
  const found = toFound(call, query);
  const boundTo = cursorBinding(call, query);
  const cursor = query.fromEnd ? atEnd : query.after === undefined ? undefined : mustCursor(query.after, boundTo, keys);
  const sort = cursor?.backwards === true ? reversed(query.sort) : query.sort;
  const { after, cut } = startOf(cursor);
  const request = { ...found, sort, after, limit: query.limit + 1 };
  const present = piecesPresenter(resource, principal, query.fields);
  const made = { of: { resource, principal, query }, boundTo, cursor, cut, request, present };
  prepared.set(call.rights, made);
  return made;
}

function isOf({ of }: Prepared, { resource, principal }: Asked, query: ListQuery): boolean {
  return of.query === query && of.resource === resource && of.principal === principal;
}

export interface Total {
  readonly count: number;
  /** There are more, or there may be: more than `max`, or than were looked into. */
  readonly isMinimum: boolean;
}

export async function countFound(store: Store, call: Asked, query: ListQuery, max: number): Promise<Read<Total>> {
  const { resource } = call;
  const found = toFound(call, query);
  const index = entryIndexOf(resource, query.shape);
  if (index === undefined && query.residual.length > 0) {
    const { value, position } = await scan(store, call, query, { ...found, after: undefined, limit: max + 1 });
    return { value: { count: value.found.length, isMinimum: value.last !== undefined }, position };
  }
  const { value, position, isMinimum = value > max } = index === undefined
    ? { ...(await store.count(resource, found, max + 1, readOptions(call))), isMinimum: undefined }
    : await countByEntries(store, { resource, index, query, request: found }, readOptions(call));
  return { value: { count: Math.min(value, max), isMinimum }, position };
}

/** The database's own figure where the caller may see all that is asked for; else what a short count finds. */
export async function estimateFound(store: Store, call: Asked, query: ListQuery): Promise<Read<Total>> {
  const { equal, range, where } = toFound(call, query);
  const isSearched = query.words !== undefined || query.area !== undefined;
  const isFiltered = range !== undefined || isSearched || Object.keys(equal).length + query.residual.length > 0;
  if (where !== true || isFiltered || store.estimate === undefined) return countFound(store, call, query, limits.estimatedCountMax);
  const { value, position } = await store.estimate(call.resource, readOptions(call));
  return { value: { count: value, isMinimum: false }, position };
}

export interface Found {
  readonly documents: readonly StoredDocument[];
  /** Whether there are others behind them, or may be. */
  readonly isMore: boolean;
}

/** The first documents that the query finds, as they are stored, for whoever changes them. */
export async function findFirst(store: Store, call: Asked, query: ListQuery): Promise<Found> {
  const walked = await walk(store, call, query, { ...toFound(call, query), after: undefined, limit: query.limit + 1 });
  const isMore = walked.found.length > query.limit || ('first' in walked ? walked.last : walked.brokenOffAt) !== undefined;
  return { documents: walked.found.slice(0, query.limit).map(({ document }) => document), isMore };
}

interface Walked<Each = Row> {
  /** One more than is asked for, where there are so many. */
  readonly found: readonly Each[];
  /** The sort values of what was looked at last, where there may be more and fewer were found. */
  readonly brokenOffAt: Row['keys'] | undefined;
}

/** The one way to what a query finds: by an index, by the documents along one, or by the entries of a shape. */
async function walk(
  store: Store, call: Asked, query: ListQuery, request: ListRequest,
): Promise<(Walked | Scanned) & { readonly position: Position }> {
  const { resource } = call;
  const index = entryIndexOf(resource, query.shape);
  if (index === undefined && query.residual.length > 0) {
    const { value, position } = await scan(store, call, query, request);
    return { ...value, position };
  }
  const { value: found, position, brokenOffAt } = index === undefined
    ? { ...(await store.list(resource, request, readOptions(call))), brokenOffAt: undefined }
    : await findByEntries(store, { resource, index, query, request }, readOptions(call));
  return { found, position, brokenOffAt };
}

/** What the query finds of what the caller sees. */
export function toFound({ resource, principal, rights }: Asked, query: ListQuery): CountRequest {
  mustReadable(resource, principal, query);
  const { equal, range, sort } = query;
  return { equal, range, sort, where: rights.readable };
}

/** Everything of the query but where it continues, and the rights under which it was asked. */
export function cursorBinding({ resource, principal }: Asked, query: ListQuery): string {
  const anyPage = { after: undefined, limit: 0, fields: undefined, count: false, estimated: false, fromEnd: false, format: undefined };
  const text = formatQuery({ ...query, ...anyPage });
  return `${resource.name} ${scopeOf(resource, principal)} ${text}`;
}

export interface PageRows<Each = Row> extends NonNullable<Answer['pages']> {
  readonly rows: readonly Each[];
}

/** One row more than asked was read: it tells whether the reader's direction goes on, and is not shown. */
function toPage<Each extends Pick<Row, 'keys'>>(
  { found, brokenOffAt }: Walked<Each>, query: ListQuery, cursor: Cursor | undefined, sign: (cursor: Cursor) => string,
): PageRows<Each> {
  const goesOn = found.length > query.limit || brokenOffAt !== undefined;
  const shown = found.slice(0, query.limit);
  const rows = cursor?.backwards === true ? shown.toReversed() : shown;
  const first = rows[0];
  const last = rows.at(-1);
  const isBackwards = cursor?.backwards === true;
  const hasBefore = hasPagesBefore(cursor);
  const hasNext = isBackwards ? hasBefore : goesOn;
  const hasPrev = isBackwards ? goesOn : hasBefore;
  const nextKeys = isBackwards ? (last?.keys ?? brokenOffAt) : (brokenOffAt ?? last?.keys);
  const prevKeys = isBackwards ? (brokenOffAt ?? first?.keys) : (first?.keys ?? brokenOffAt);
  return {
    rows,
    next: hasNext ? sign({ keys: nextKeys ?? [], backwards: false }) : undefined,
    prev: hasPrev ? sign({ keys: prevKeys ?? [], backwards: true }) : undefined,
  };
}
