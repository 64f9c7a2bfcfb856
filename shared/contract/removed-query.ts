/** How removed documents are listed (SEMANTICS §17): a list of their own, over the moments at which they were removed. */
import { type ListQuery, parseListQuery } from './query.ts';
import type { Removal } from './removal.ts';
import type { Resource } from './resource.ts';

const inTrash = new WeakMap<Resource, Resource>();

/** The resource as its removed documents are listed: by themselves, without what they lead to. */
export function listingRemoved(resource: Resource, { shape }: Removal): Resource {
  const made = inTrash.get(resource) ?? { ...resource, shapes: [shape], related: new Map() };
  inTrash.set(resource, made);
  return made;
}

/** The moment before all that a removal may note; what stands in the field and is none is not listed. */
const beginning = '0001-01-01T00:00:00.000Z';

/** A list of removed documents, which takes what lists take and ranges over their moments. */
export function parseRemovedQuery(resource: Resource, query: string): ListQuery {
  const { removal } = resource;
  if (removal === undefined) throw new Error(`${resource.name} declares no removal`);
  const read = parseListQuery(listingRemoved(resource, removal), query);
  return read.range === undefined ? { ...read, range: { field: removal.at, bounds: { gte: beginning } } } : read;
}
