import { limits } from '../../shared/wire/limits.ts';
import type { ListQuery } from '../../shared/contract/query.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

/** `{data, page:{limit, next, prev, total?}}`. */
export async function list(access: ReadAccess, { input: query }: Call<typeof documents.list>): Promise<StateAnswer> {
  const { shown, pages, position } = await access.page(query);
  const total = query.count || query.estimated ? await totalOf(access, query) : '';
  const data = shown.flatMap((document, index) => (index === 0 ? document : [',', ...document]));
  const page = `{"limit":${query.limit},"next":${quoted(pages.next)},"prev":${quoted(pages.prev)}${total}}`;
  return access.represent(['{"data":[', ...data, `],"page":${page}}`], { pages, readAt: position });
}

/** `total`, exact up to the ceiling; past it, or past what a shape looks into, `totalIsMinimum` says that there may be more. */
async function totalOf(access: ReadAccess, query: ListQuery): Promise<string> {
  const { value: { count, isMinimum } } = query.estimated ? await access.estimate(query) : await access.count(query, limits.countMax);
  return `,"total":${count}${isMinimum ? ',"totalIsMinimum":true' : ''}${query.estimated ? ',"totalIsEstimate":true' : ''}`;
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'null' : JSON.stringify(text);
}
