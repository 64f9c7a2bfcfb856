/**
 * Documents found by text and by folded values, in an ordered walk of the entries that have the rarest of the words, or by
 * place, in a walk over the map (map-walk.ts): each entry is held against its document as it is now. What another program has
 * changed since, and whose entry is not yet made anew, is left out until it is. A search looks at so many entries and no more
 * (`limits.textExaminedMax`, `limits.placesExaminedMax`); where it breaks off, it says where.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import { meets } from '../../shared/contract/residual.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { satisfies } from '../../shared/contract/rules.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { cellIn, entryValuesOf, fillings, type EntryIndex, wordsOf } from '../../shared/contract/entry-index.ts';
import { hasAll, tokenOf } from '../../shared/text/words.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { EntryReader, EntryWalk, lookedAtOnce } from './entry-walk.ts';
import { MapWalk } from './map-walk.ts';
import type { CountRequest, ListRequest, Read, ReadOptions, Row, Store } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

type ReadStore = Pick<Store, 'get' | 'many' | 'list' | 'count'>;

export interface Found extends Read<readonly Row[]> {
  /** The sort values of the last entry that was looked at, where there are more and the page is not full. */
  readonly brokenOffAt: Row['keys'] | undefined;
}

export interface Counted extends Read<number> {
  /** There may be more behind what was looked at. */
  readonly isMinimum?: true;
}

interface Asked<Request extends CountRequest> {
  /** As its collection has it. */
  readonly resource: Resource;
  readonly index: EntryIndex;
  readonly query: Pick<ListQuery, 'shape' | 'words' | 'area' | 'residual'>;
  readonly request: Request;
}

/** A word that more entries have is as common as any other. */
const commonCount = 1_000;

export async function findByEntries(store: ReadStore, asked: Asked<ListRequest>, options: ReadOptions): Promise<Found> {
  const { index: { entries, derived }, request, query: { area, residual, shape } } = asked;
  const reader = new EntryReader(store, entries, options);
  const walked = await toEntriesWalk(store, asked, options);
  const walk = area === undefined ? new EntryWalk(reader, walked) : new MapWalk(reader, { request, derived, area });
  const rows: Row[] = [];
  // What is asked beside the entry has a budget of its own.
  for (let left = residual.length === 0 ? Number.POSITIVE_INFINITY : shape.examined; ; ) {
    const found = await walk.next(Math.min(reader.examined === 0 ? request.limit : lookedAtOnce, lookedAtOnce, left));
    const position = reader.readAt;
    left -= found.entries.length;
    rows.push(...(await documentsOf(store, asked, found.entries, { ...options, atLeast: position })));
    const isFull = rows.length >= request.limit;
    if (isFull || found.isLast) return { value: rows.slice(0, request.limit), position, brokenOffAt: undefined };
    if (left === 0) return { value: rows, position, brokenOffAt: found.entries.at(-1)?.keys };
    if (found.brokenOffAt !== undefined) {
      if (walk instanceof MapWalk) walk.mustBeBehind(found.brokenOffAt);
      return { value: rows, position, brokenOffAt: found.brokenOffAt };
    }
  }
}

/** Counts what is found of the entries that one search looks at. */
export async function countByEntries(store: ReadStore, asked: Asked<CountRequest>, options: ReadOptions): Promise<Counted> {
  const limit = asked.query.area === undefined ? limits.textExaminedMax : limits.placesExaminedMax;
  const request = { ...asked.request, after: undefined, limit };
  const { value, position, brokenOffAt } = await findByEntries(store, { ...asked, request }, options);
  const isWhole = brokenOffAt === undefined && value.length < request.limit;
  return { value: value.length, position, ...(isWhole ? {} : { isMinimum: true }) };
}

/** The request as one of entries, those that have the token of the rarest word. Throws while entries are being made. */
export async function toEntriesWalk<Request extends CountRequest>(
  store: ReadStore, asked: Asked<Request>, options: ReadOptions,
): Promise<Request> {
  await mustBeFilled(store, asked, options);
  const { index, query: { words = [] }, request } = asked;
  const tokens = [...new Set(words.map(tokenOf))];
  const by = (token: string): Request => ({ ...request, equal: { ...request.equal, [index.derived]: [token] } });
  if (tokens.length === 0) return request;
  const [only = ''] = tokens;
  if (tokens.length === 1) return by(only);
  const counted = await Promise.all(tokens.map(async (token) => {
    const { value } = await store.count(index.entries, by(token), commonCount, options);
    return { token, count: value };
  }));
  const rarest = counted.reduce((best, each) => (each.count < best.count || isLonger(each, best) ? each : best));
  return by(rarest.token);
}

async function mustBeFilled(store: ReadStore, { resource, index }: Asked<CountRequest>, options: ReadOptions): Promise<void> {
  const { value } = await store.get(fillings, index.entries.name, options);
  if (value?.value['stage'] === 'complete') return;
  throw new Fault('shape_not_ready', {
    detail: `what ${resource.name} serves by its shape ${index.shape.name} is being made of the documents that are there`,
    headers: { 'retry-after': '5' },
  });
}

function isLonger(each: { readonly token: string; readonly count: number }, best: { readonly token: string; readonly count: number }) {
  return each.count === best.count && each.token.length > best.token.length;
}

/** What is asked for of the documents that these entries are of, with the keys of the entries. */
export async function documentsOf(
  store: Pick<Store, 'many'>, asked: Asked<CountRequest>, entries: readonly Row[], options: ReadOptions,
): Promise<readonly Row[]> {
  if (entries.length === 0) return [];
  const { value } = await store.many(asked.resource, entries.map(({ document }) => document.id), options);
  const documents = new Map(value.map((document) => [document.id, document]));
  return entries.flatMap(({ document: entry, keys }) => {
    const document = documents.get(entry.id);
    return document !== undefined && isFound(asked, entry, document) ? [{ document, keys }] : [];
  });
}

/** Whether the entry says where the document stands now, and it is what was asked for. */
function isFound({ resource, index, query, request }: Asked<CountRequest>, entry: StoredDocument, { value }: StoredDocument): boolean {
  const { id: _id, [index.derived]: derived, ...values } = entry.value;
  const { words = [], area, residual } = query;
  return isSameJson(values as JsonObject, entryValuesOf(index, value)) && satisfies(value, request.where) &&
    meets(resource, value, residual) && (words.length === 0 || hasAll(wordsOf(index, value), words)) &&
    (area === undefined || cellIn(index, value) === derived);
}
