/** Pages of Tombolo's own resources: `limit`, `after` and `state`. What is wrong with one of them is `query_invalid`. */
import { limits } from './limits.ts';
import { parametersRefused } from './parameters.ts';

export function limitIn(parameters: URLSearchParams): number {
  const limit = parameters.get('limit') ?? String(limits.pageDocumentsDefault);
  if (/^[1-9]\d{0,5}$/.test(limit) && Number(limit) <= limits.pageDocumentsMax) return Number(limit);
  throw parametersRefused([['limit', `must be a whole number from 1 to ${limits.pageDocumentsMax}`]]);
}

/** Where the page before ended, in the order of a moment and an id; `form` has a group for each. */
export function placeIn(parameters: URLSearchParams, form: RegExp): readonly [moment: string, id: string] | undefined {
  const after = parameters.get('after') ?? undefined;
  if (after === undefined) return undefined;
  const [, moment, id] = form.exec(after) ?? [];
  if (moment !== undefined && id !== undefined && !Number.isNaN(Date.parse(moment))) return [moment, id];
  throw parametersRefused([['after', 'must be the `next` of a page before']]);
}

export function stateIn<State extends string>(parameters: URLSearchParams, states: readonly State[]): State | undefined {
  const asked = parameters.get('state') ?? undefined;
  const state = states.find((each) => each === asked);
  if (asked !== undefined && state === undefined) throw parametersRefused([['state', `must be one of ${states.join(', ')}`]]);
  return state;
}
