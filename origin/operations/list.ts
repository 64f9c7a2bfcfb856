import { limits } from '../../shared/wire/limits.ts';
import { formatQuery, type ListQuery } from '../../shared/contract/query.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import { reversed } from '../../shared/contract/shapes.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustReadable, piecesPresenter } from '../documents/present.ts';
import { mustBeServable } from '../documents/servable.ts';
import type { ListRequest, Row } from '../store/store.ts';
import { type Cursor, mustCursor, signCursor } from '../tokens.ts';
import { conditional, readOptions } from '../documents/representation.ts';

/** `{data, page:{limit, next, prev, total?}}`; by keyset alone, so that page 10 000 costs what page 1 costs. */
export async function list(context: Context, call: Call<typeof documents.list>): Promise<Answer> {
  const { resource, principal, rights, input: query } = call;
  mustReadable(resource, principal, query);
  const boundTo = cursorBinding(call);
  const cursor = query.after === undefined ? undefined : mustCursor(query.after, boundTo, context.settings.keys);
  const request: ListRequest = {
    equal: query.equal,
    range: query.range,
    where: rights.readable,
    sort: cursor?.backwards === true ? reversed(query.sort) : query.sort,
    after: cursor?.keys,
    limit: query.limit + 1,
  };
  const { value: rows, position } = await context.store.list(resource, request, readOptions(call));
  const page = toPage(rows, query, cursor, (next) => signCursor(next, boundTo, call.tokenKey));
  const total = query.count ? await countOf(context, call, request) : '';
  for (const { document } of page.rows) mustBeServable(resource, document);
  const present = piecesPresenter(resource, principal, query.fields);
  const data = page.rows.flatMap((row, index) => (index === 0 ? present(row.document) : [',', ...present(row.document)]));
  const body = ['{"data":[', ...data, `],"page":{"limit":${query.limit},"next":${quoted(page.next)},"prev":${quoted(page.prev)}${total}}}`];
  return { ...conditional(call, body), pages: { next: page.next, prev: page.prev }, readAt: position };
}

/** Everything of the query but where it continues, and the rights under which it was asked. */
function cursorBinding({ resource, principal, input }: Call<typeof documents.list>): string {
  const query = formatQuery({ ...input, after: undefined, limit: 0, fields: undefined, count: false });
  return `${resource.name} ${scopeOf(resource, principal)} ${query}`;
}

interface Page {
  readonly rows: readonly Row[];
  readonly next: string | undefined;
  readonly prev: string | undefined;
}

/** One row more than asked was read: it tells whether the reader's direction goes on, and is not shown. */
function toPage(found: readonly Row[], query: ListQuery, cursor: Cursor | undefined, sign: (cursor: Cursor) => string): Page {
  const goesOn = found.length > query.limit;
  const shown = found.slice(0, query.limit);
  const rows = cursor?.backwards === true ? shown.toReversed() : shown;
  const first = rows[0];
  const last = rows.at(-1);
  const hasNext = cursor?.backwards === true || goesOn;
  const hasPrev = cursor?.backwards === true ? goesOn : cursor !== undefined;
  return {
    rows,
    next: hasNext && last !== undefined ? sign({ keys: last.keys, backwards: false }) : undefined,
    prev: hasPrev && first !== undefined ? sign({ keys: first.keys, backwards: true }) : undefined,
  };
}

/** `total`, exact up to the ceiling; past it `totalIsMinimum` says that there are more. */
async function countOf(context: Context, call: Call<typeof documents.list>, { equal, range, where, sort }: ListRequest): Promise<string> {
  const { value } = await context.store.count(call.resource, { equal, range, where, sort }, limits.countMax + 1, readOptions(call));
  return value > limits.countMax ? `,"total":${limits.countMax},"totalIsMinimum":true` : `,"total":${value}`;
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'null' : JSON.stringify(text);
}
