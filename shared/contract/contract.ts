/** All resources together: what edge and origin are built from. */
import { digest64 } from './hash.ts';
import type { Resource } from './resource.ts';

export interface Contract {
  readonly resources: ReadonlyMap<string, Resource>;
  /** Of all resources, and of them together. */
  readonly mistakes: readonly string[];
  /** Names the whole contract, for logs and health. */
  readonly digest: string;
}

export function contract(...resources: Resource[]): Contract {
  const byName = Map.groupBy(resources, ({ name }) => name);
  const doubled = [...byName].filter(([, same]) => same.length > 1).map(([name, same]) => `shared/resources/all.ts: resource "${name}": name: ${same.length} resources have it`);
  return {
    resources: new Map(resources.map((resource) => [resource.name, resource])),
    mistakes: [...resources.flatMap(({ mistakes }) => mistakes), ...doubled],
    digest: digest64(resources.map(({ digest }) => digest).join()),
  };
}
