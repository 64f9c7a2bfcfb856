/** What is wrong with all that is declared together: resources by themselves and beside one another, versions, and modules. */
import type { Contract } from '../contract/contract.ts';
import { placeOf, type Resource } from '../contract/resource.ts';
import { modules } from '../modules.ts';
import { Mistakes } from './mistakes.ts';
import { moduleMistakes, refuseBeside } from './module-mistakes.ts';
import { checkTargets } from './relation-checks.ts';
import { resourceMistakes } from './resource-mistakes.ts';
import { versionMistakes } from './version-mistakes.ts';

export function contractMistakes({ declared, entries, versions }: Contract): readonly string[] {
  const served = declared.filter(({ internal }) => !internal);
  const stored = [...declared, ...entries, ...modules.resources];
  return [
    ...moduleMistakes(modules), ...stored.flatMap(resourceMistakes), ...declared.flatMap(besideModules),
    ...sharedNames(stored), ...targetMistakes(served), ...versionMistakes(versions, served.filter(isSound), modules.rows),
  ];
}

function isSound(resource: Resource): boolean {
  return resourceMistakes(resource).length === 0;
}

function besideModules(resource: Resource): readonly string[] {
  const mistakes = new Mistakes(placeOf(resource));
  refuseBeside(modules, resource, mistakes.at(''));
  return mistakes.found;
}

function sharedNames(stored: readonly Resource[]): readonly string[] {
  const byName = Map.groupBy(stored, ({ name }) => name);
  const byCollection = Map.groupBy([...byName].flatMap(([, [first]]) => first ?? []), ({ collection }) => collection);
  return [
    ...[...byName].filter(([, same]) => same.length > 1)
      .map(([name, same]) => `shared/resources/all.ts: resource "${name}": name: ${same.length} resources have it`),
    ...[...byCollection].filter(([, same]) => same.length > 1)
      .map(([name, same]) => `shared/resources/all.ts: collection "${name}": is that of ${same.map((each) => each.name).join(' and ')}`),
  ];
}

function targetMistakes(served: readonly Resource[]): readonly string[] {
  const byName = new Map(served.map((resource) => [resource.name, resource]));
  return served.filter(isSound).flatMap((resource) => {
    const mistakes = new Mistakes(placeOf(resource));
    checkTargets(resource, byName, isSound, mistakes.at(''));
    return mistakes.found;
  });
}
