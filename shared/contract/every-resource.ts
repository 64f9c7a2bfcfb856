/**
 * What stands for a resource where an operation is about every one of a contract: stored nowhere and open to all, since the
 * rules of each hold for what is done to it. Its scope is that of all of them together.
 */
import * as z from 'zod';
import { type Resource, resource } from './resource.ts';
import { anyone, nobody, type Mentions } from './rules.ts';

/** A contract, of which no more is asked here. */
interface Serving {
  readonly resources: ReadonlyMap<string, Resource>;
}

/** No resource has such a name. */
export const everyResource = 'every resource';

const made = new WeakMap<Serving, Resource>();
const served = new WeakMap<Resource, Serving['resources']>();

export function everyResourceOf(contract: Serving): Resource {
  const known = made.get(contract);
  if (known !== undefined) return known;
  const declared = resource({ name: 'every', internal: true, schema: z.object({ none: z.string().optional() }), shapes: {} });
  const rules = { read: anyone, create: anyone, update: anyone, remove: anyone, restore: nobody, history: nobody };
  const every: Resource = { ...declared, name: everyResource, rules, mentions: allOf([...contract.resources.values()]) };
  made.set(contract, every);
  served.set(every, contract.resources);
  return every;
}

/** The resources that it stands for. */
export function resourcesOf(every: Resource): Serving['resources'] {
  const resources = served.get(every);
  if (resources === undefined) throw new Error(`"${every.name}" is a resource of its own`);
  return resources;
}

function allOf(resources: readonly Resource[]): Mentions {
  const of = (part: 'fields' | 'claims' | 'roles') => new Set(resources.flatMap(({ mentions }) => [...mentions[part]]));
  return { fields: of('fields'), claims: of('claims'), roles: of('roles'), signedIn: resources.some(({ mentions }) => mentions.signedIn) };
}
