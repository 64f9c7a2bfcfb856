/** All resources together: what edge and origin are built from. */
import { modules } from '../modules.ts';
import { refuseBeside } from '../operations/module.ts';
import { digest64 } from '../wire/hash.ts';
import { relationMistakes } from '../versions/expanded.ts';
import { versionMistakes } from '../versions/dialect.ts';
import { noVersions, type Versions } from '../versions/versions.ts';
import { Mistakes } from './mistakes.ts';
import { linked } from './relations.ts';
import { placeOf, type Resource } from './resource.ts';
import { besideEntries } from './entry-index.ts';

export interface Contract {
  /** What is served, by name: routes, live streams and the digest know these alone. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** What the edge keeps answers of, and is told the changes of: the served, and the few internal ones that say so. */
  readonly reported: ReadonlyMap<string, Resource>;
  /** What a store holds: the served and the internal ones. */
  readonly stored: readonly Resource[];
  readonly versions: Versions;
  /** The mistakes of each resource, and of all resources together. */
  readonly mistakes: readonly string[];
  /** Names the whole contract, for logs and health. */
  readonly digest: string;
}

/** Of what a team declares; the internal resources of modules are stored beside it. Without versions there is `v1` alone. */
export function contract(...given: (Resource | Versions)[]): Contract {
  const declared = given.filter((each): each is Resource => !isVersions(each));
  const [versions = noVersions] = given.filter(isVersions);
  const stored = [...declared, ...besideEntries(declared), ...modules.resources];
  const byName = Map.groupBy(stored, ({ name }) => name);
  const doubled = [...byName]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => `shared/resources/all.ts: resource "${name}": name: ${same.length} resources have it`);
  const shared = [...Map.groupBy([...byName].flatMap(([, [first]]) => first ?? []), ({ collection }) => collection)]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => `shared/resources/all.ts: collection "${name}": is that of ${same.map((each) => each.name).join(' and ')}`);
  const served = declared.filter(({ internal }) => !internal);
  const { resources, refused } = linked(served);
  return {
    resources: new Map(resources.map((resource) => [resource.name, resource])),
    reported: new Map([...resources, ...modules.reported].map((resource) => [resource.name, resource])),
    stored: [...resources, ...stored.filter((resource) => !served.includes(resource))],
    versions,
    mistakes: [...modules.mistakes, ...stored.flatMap(({ mistakes }) => mistakes), ...declared.flatMap(beside), ...doubled, ...shared,
      ...relationMistakes(versions, served), ...refused.map(({ resource, key, detail }) => `${placeOf(resource)}: ${key}: ${detail}`),
      ...versionMistakes(versions, served, modules.rows)],
    digest: digest64(served.map(({ digest }) => digest).join()),
  };
}

function isVersions(given: Resource | Versions): given is Versions {
  return 'kind' in given;
}

function beside(resource: Resource): readonly string[] {
  const mistakes = new Mistakes(placeOf(resource));
  refuseBeside(modules, resource, mistakes.at(''));
  return mistakes.found;
}
