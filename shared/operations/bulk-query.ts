/** Which documents a change or a removal of several is of: those that it names, or the first that a filter finds. */
import { isNameable, idForm, toCanonicalId } from '../contract/ids.ts';
import { type ListQuery, parseListQuery } from '../contract/query.ts';
import { controls } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import { limits } from '../wire/limits.ts';
import { mustKnowOnly, parametersRefused, severalOf, toParameters } from '../wire/parameters.ts';

/** How several writes of one request go together. */
export interface Together {
  /** All or nothing. */
  readonly atomic: boolean;
}

interface Tried extends Together {
  /** Says what would become of each, and changes nothing. */
  readonly dryRun: boolean;
}

export type Removing = Tried & ({ readonly ids: readonly string[] } | { readonly query: ListQuery });

/** Without a query the body names the documents. */
export type Changing = Tried & { readonly query: ListQuery | undefined };

const idNames = ['id', 'id[in]'];
const switches = ['atomic', 'dryRun'];
/** Of a list's controls those that say which of its pages is shown, and how: what is found to be written has no pages. */
export const controlsOfPages = [...controls].filter((name) => name !== 'sort' && name !== 'limit');

export function parseChanging(resource: Resource, query: string): Changing {
  const parameters = toParameters(query);
  const how = howOf(parameters);
  const asked = [...parameters.keys()].find((name) => !switches.includes(name));
  if (asked === undefined) return { ...how, query: undefined };
  return { ...how, query: mustFind(resource, parameters, [asked, 'a change of what is found is by a filter of a shape']) };
}

export function parseRemoving(resource: Resource, query: string): Removing {
  const parameters = toParameters(query);
  const how = howOf(parameters);
  if (idNames.some((name) => parameters.has(name))) {
    mustKnowOnly(parameters, [...idNames, ...switches], 'unknown parameter; documents are named by their ids or by a filter');
    return { ...how, ids: mustIds(resource, parameters) };
  }
  return { ...how, query: mustFind(resource, parameters, whyNothing) };
}

function howOf(parameters: URLSearchParams): Tried {
  return { atomic: isOn(parameters, 'atomic'), dryRun: isOn(parameters, 'dryRun') };
}

const whyNothing = ['id[in]', 'name the documents to remove, by their ids or by a filter of a shape'] as const;

/** `why` is said where no filter is given. */
function mustFind(resource: Resource, parameters: URLSearchParams, why: readonly [name: string, detail: string]): ListQuery {
  const wrong = controlsOfPages.filter((name) => parameters.has(name));
  if (wrong.length > 0) throw parametersRefused(wrong.map((name) => [name, 'is for lists']));
  for (const name of switches) parameters.delete(name);
  const found = parseListQuery(resource, parameters.size === 0 ? '' : `?${parameters}`);
  if (Object.keys(found.equal).length === 0 && found.range === undefined && found.area === undefined) throw parametersRefused([why]);
  return found;
}

function mustIds(resource: Resource, parameters: URLSearchParams): readonly string[] {
  const given = [...parameters.getAll('id'), ...severalOf(parameters, 'id[in]')];
  const ids = [...new Set(given.map((id) => (isNameable(id) ? toCanonicalId(resource, id) : id)))];
  if (ids.length > limits.writesTogetherMax) throw parametersRefused([['id[in]', `more than ${limits.writesTogetherMax} ids`]]);
  if (!ids.every(isNameable)) throw parametersRefused([['id[in]', `each has ${idForm}`]]);
  return ids;
}

function isOn(parameters: URLSearchParams, name: string): boolean {
  const text = parameters.get(name) ?? 'false';
  if (text !== 'true' && text !== 'false') throw parametersRefused([[name, 'must be true or false']]);
  return text === 'true';
}
