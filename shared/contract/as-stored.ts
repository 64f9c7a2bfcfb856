/** A resource as its collection has it: one that others made has of what Tombolo keeps only what is asked for (SEMANTICS §15). */
import type { Resource } from './resource.ts';

const madeAdopted = new WeakMap<Resource, Resource>();

/** The resource as its collection has it; `adopted`: the collections that others made. */
export function asStored(resource: Resource, adopted: ReadonlySet<string>): Resource {
  return adopted.has(resource.collection) ? asAdopted(resource) : resource;
}

/** What names it on the wire stays the same. */
function asAdopted(resource: Resource): Resource {
  const { system, adoptedSystem, fields } = resource;
  if (Object.keys(adoptedSystem).length === Object.keys(system).length) return resource;
  const left = new Set(Object.values(system).filter((name) => !Object.values(adoptedSystem).includes(name)));
  const made = madeAdopted.get(resource) ?? {
    ...resource, system: adoptedSystem, fields: new Map([...fields].filter(([name]) => !left.has(name))),
  };
  madeAdopted.set(resource, made);
  return made;
}
