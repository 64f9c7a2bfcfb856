/** All resources together: what edge and origin are built from. */
import { digest64 } from './hash.ts';
import type { Resource } from './resource.ts';

export interface Contract {
  readonly resources: ReadonlyMap<string, Resource>;
  /** Names the whole contract, for logs and health. */
  readonly digest: string;
}

export function contract(...resources: Resource[]): Contract {
  const byName = new Map(resources.map((resource) => [resource.name, resource]));
  if (byName.size !== resources.length) throw new Error('shared/resources/all.ts: two resources have the same name');
  return { resources: byName, digest: digest64(resources.map((resource) => resource.digest).join()) };
}
