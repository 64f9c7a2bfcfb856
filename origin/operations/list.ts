import { limits } from '../../shared/wire/limits.ts';
import { csvColumnsOf, csvColumnsWithin } from '../../shared/contract/csv-columns.ts';
import type { ListQuery } from '../../shared/contract/query.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { formats } from '../../shared/operations/formats.ts';
import { toRowForm } from '../../shared/operations/row-form.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Answer, Call, StateAnswer } from '../call.ts';

export function list(access: ReadAccess, { input, resource }: Call<typeof documents.list>): Promise<StateAnswer> {
  return pageOf(access, input, resource);
}

/** `{data, page:{limit, next, prev, total?}}`; with `distinct`, `data` holds values. Or the documents as a CSV. */
export async function pageOf(access: ReadAccess, query: ListQuery, resource: Resource): Promise<StateAnswer> {
  if (query.distinct !== undefined) return listValues(access, query, query.distinct);
  const { shown, pages, position, made } = await access.page(query);
  if (query.format !== undefined) {
    const form = toRowForm(query.format, () => csvColumnsWithin(csvColumnsOf(resource), query.fields));
    const rows = shown.map((document, index) => form.row(document.join(''), index === 0));
    return access.represent([form.begin, ...rows], { pages, readAt: position, mediaType: formats[query.format] });
  }
  const total = query.count || query.estimated ? await totalOf(access, query) : '';
  const data = shown.flatMap((document, index) => (index === 0 ? document : [',', ...document]));
  return access.represent(['{"data":[', ...data, `],"page":${toText(query, pages, total)}}`], { pages, readAt: position, ...made });
}

async function listValues(access: ReadAccess, query: ListQuery, field: string): Promise<StateAnswer> {
  const { values, pages, position } = await access.values(query, field);
  const text = `{"data":${JSON.stringify(values)},"page":${toText(query, pages)}}`;
  return access.represent([text], { pages, readAt: position });
}

function toText({ limit }: ListQuery, { next, prev }: NonNullable<Answer['pages']>, total = ''): string {
  return `{"limit":${limit},"next":${quoted(next)},"prev":${quoted(prev)}${total}}`;
}

/** `total`, exact up to the ceiling; past it, or past what a shape looks into, `totalIsMinimum` says that there may be more. */
async function totalOf(access: ReadAccess, query: ListQuery): Promise<string> {
  const { value: { count, isMinimum } } = query.estimated ? await access.estimate(query) : await access.count(query, limits.countMax);
  return `,"total":${count}${isMinimum ? ',"totalIsMinimum":true' : ''}${query.estimated ? ',"totalIsEstimate":true' : ''}`;
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'null' : JSON.stringify(text);
}
