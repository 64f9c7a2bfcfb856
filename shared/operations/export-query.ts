/** The parameters of an export: those of a list, but for what makes it pages, and the form. */
import { type ListQuery, parseListQuery } from '../contract/query.ts';
import type { Resource } from '../contract/resource.ts';
import { parametersRefused, toParameters } from '../wire/parameters.ts';
import type { Format } from './formats.ts';

export interface ExportQuery {
  /** What is found, in which order, behind which document and which fields of it. */
  readonly query: ListQuery;
  readonly format: Format;
}

/** The preferred one first. */
export const exportFormats = ['ndjson', 'csv', 'json'] as const satisfies readonly [Format, ...Format[]];

/** Controls of a list that an export has no use for. */
export const ofPages: readonly string[] = ['limit', 'count', 'page', 'distinct', 'expand'];

export function parseExportQuery(resource: Resource, query: string): ExportQuery {
  const parameters = toParameters(query);
  const refused = ofPages.filter((name) => parameters.has(name));
  if (refused.length > 0) throw parametersRefused(refused.map((name) => [name, 'unknown parameter; an export gives all that is found']));
  const given = parameters.get('format') ?? exportFormats[0];
  const format = exportFormats.find((each) => each === given);
  if (format === undefined) throw parametersRefused([['format', `must be ${exportFormats.join(', ')}`]]);
  parameters.delete('format');
  return { query: parseListQuery(resource, parameters.size === 0 ? '' : `?${parameters}`), format };
}
