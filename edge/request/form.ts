/**
 * The form in which an answer is given, of those that an operation gives: what `format` names, or what `Accept` weighs most.
 * It is asked of the origin by `format`, so that one name says it in links, in the cache and over the hop.
 */
import { type Format, formatOf } from '../../shared/operations/formats.ts';
import { toParameters } from '../../shared/wire/parameters.ts';
import { mustPreferred } from './negotiate.ts';
import type { ForOrigin } from './request.ts';
import type { Target } from './target.ts';

export interface Formed {
  /** With the form in its query, where that is not the preferred one. */
  readonly query: string;
  readonly target: Target;
  /** What the edge makes of the origin's preferred form: an older version has documents in other words. */
  readonly form: Format | undefined;
}

export function toFormed({ target, route: { operation }, dialect }: ForOrigin, accept: string | null): Formed {
  const named = target.query.includes('format=') ? toParameters(target.query).get('format') : null;
  const format = named ?? formatOf(mustPreferred(accept, operation));
  const isPreferred = format === formatOf(operation.gives[0]);
  const query = named === null && !isPreferred ? withFormat(target.query, String(format)) : target.query;
  if (dialect?.output === undefined || isPreferred) {
    return { query, target: query === target.query ? target : { path: target.path, query }, form: undefined };
  }
  const form = operation.gives.map(formatOf).find((each) => each === format);
  return { query, target: { path: target.path, query: withoutFormat(query) }, form };
}

function withFormat(query: string, format: string): string {
  return `${query === '' ? '?' : `${query}&`}format=${format}`;
}

function withoutFormat(query: string): string {
  const parameters = toParameters(query);
  parameters.delete('format');
  return parameters.size === 0 ? '' : `?${parameters}`;
}
