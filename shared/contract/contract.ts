/** All resources together: what edge and origin are built from. */
import { modules } from '../modules.ts';
import { digest64 } from '../wire/hash.ts';
import { noVersions, type Versions } from '../versions/versions.ts';
import { linked } from './relations.ts';
import type { Resource } from './resource.ts';
import { besideEntries } from './entry-index.ts';

export interface Contract {
  /** What is served, by name: routes, live streams and the digest know these alone. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** What the edge keeps answers of, and is told the changes of: the served, and the few internal ones that say so. */
  readonly reported: ReadonlyMap<string, Resource>;
  /** What a store holds: the served and the internal ones. */
  readonly stored: readonly Resource[];
  readonly versions: Versions;
  /** What a team gave, which `shared/checks` looks at before anything starts, and the entries of its shapes. */
  readonly declared: readonly Resource[];
  readonly entries: readonly Resource[];
  /** Names the whole contract, for logs and health. */
  readonly digest: string;
}

/** Of what a team declares; the internal resources of modules are stored beside it. Without versions there is `v1` alone. */
export function contract(...given: (Resource | Versions)[]): Contract {
  const declared = given.filter((each): each is Resource => !isVersions(each));
  const [versions = noVersions] = given.filter(isVersions);
  const served = declared.filter(({ internal }) => !internal);
  const entries = toEntries(declared);
  const resources = linked(served);
  return {
    resources: new Map(resources.map((resource) => [resource.name, resource])),
    reported: new Map([...resources, ...modules.reported].map((resource) => [resource.name, resource])),
    stored: [...resources, ...declared.filter(({ internal }) => internal), ...entries, ...modules.resources],
    versions, declared, entries,
    digest: digest64(served.map(({ digest }) => digest).join()),
  };
}

/** None where a mistake in what is declared keeps them from being made; nothing starts with it. */
function toEntries(declared: readonly Resource[]): readonly Resource[] {
  try {
    return besideEntries(declared);
  } catch {
    return [];
  }
}

function isVersions(given: Resource | Versions): given is Versions {
  return 'kind' in given;
}
