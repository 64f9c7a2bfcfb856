/** What modules bring alike, what is wrong with their endpoints, and with resources beside them. */
import type { Resource } from '../contract/resource.ts';
import type { Endpoint } from '../operations/endpoint.ts';
import type { Module, Modules } from '../operations/module.ts';
import { isOfOne, isOwnPlace } from '../operations/operation.ts';
import { endpointMistakes } from './endpoint-mistakes.ts';
import { Mistakes, type Refuse, refuseUnknown } from './mistakes.ts';

export function moduleMistakes({ named }: Pick<Modules, 'named'>): readonly string[] {
  const all = Object.entries<Module>(named);
  const mistakes = new Mistakes('shared/modules.ts');
  for (const [what, same] of Map.groupBy(all.flatMap(broughtBy), (each) => each.what)) {
    if (same.length > 1) mistakes.add(what, `is brought by ${same.map(({ module }) => module).join(' and ')}`);
  }
  const placed = all.flatMap(([, { operations }]) => Object.values(operations));
  for (const { name, method, at } of placed) {
    if (!isOfOne(at)) continue;
    const common = placed.find((row) => row.at === at.at && row.method === method);
    if (common !== undefined) mistakes.add(`operation "${name}"`, `${method} of "${at.at}" is that of "${common.name}" for every resource`);
  }
  const ofEndpoints = all.flatMap(([, { endpoints = [] }]) => [...endpoints.flatMap(endpointMistakes), ...doubledNames(endpoints)]);
  return [...mistakes.found, ...ofEndpoints];
}

function doubledNames(declared: readonly Endpoint[]): readonly string[] {
  const doubled = [...Map.groupBy(declared, ({ name }) => name)].filter(([, same]) => same.length > 1);
  return doubled.map(([name, same]) => `shared/endpoints/all.ts: endpoint "${name}": name: ${same.length} endpoints have it`);
}

/** Whatever nobody else may bring. */
function broughtBy([module, { operations, resources = [] }]: readonly [string, Module]): { module: string; what: string }[] {
  const rows = Object.values(operations);
  const paths = rows.flatMap(({ at }) => (isOwnPlace(at) ? [at.path] : []));
  return [
    ...rows.map(({ name }) => `operation "${name}"`),
    ...rows.flatMap(({ method, at }) => (isOwnPlace(at) ? [] : [`${method} of "${isOfOne(at) ? `/${at.of}${at.at}` : at}"`])),
    ...new Set(paths.map((path) => `path "${path}"`)),
    ...resources.map(({ name }) => `internal resource "${name}"`),
  ].map((what) => ({ module, what }));
}

/** What is wrong with a resource beside these modules: costs of what nobody can ask, and a name that leads elsewhere. */
export function refuseBeside({ rows }: Modules, { name, limits }: Pick<Resource, 'name' | 'limits'>, refuse: Refuse): void {
  refuseUnknown(limits.cost, rows.map((row) => row.name), (key, detail) => refuse(`limits.cost.${key}`, detail));
  const own = rows.find(({ at }) => isOwnPlace(at) && at.path.split('/')[1] === name);
  if (own !== undefined) refuse('name', `"/${name}" is a path of the operation "${own.name}"; choose another`);
}
