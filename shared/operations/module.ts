/**
 * A module: what one thing that Tombolo can do brings to edge and origin, under one name. Routing, `Allow`, costs, the
 * handlers that the compiler asks for and what a store holds are read from the list of modules (`shared/modules.ts`).
 * What everything else stands on lists names itself: reasons of refusals are lines of `wire/fault.ts`, and segments below
 * a collection of `contract/reserved-names.ts`.
 */
import { Mistakes, type Refuse, refuseUnknown } from '../contract/mistakes.ts';
import type { Resource } from '../contract/resource.ts';
import { isOfOne, isOwnPlace, type Operation } from './operation.ts';

export interface Module {
  /** Made by `operations()`. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** Internal resources: stored, and never routed or digested. */
  readonly resources?: readonly Resource[];
  /** Those among them whose changes the edge is told of, since it keeps answers of them. */
  readonly reported?: readonly Resource[];
  /** What is wrong with what it brings. */
  readonly mistakes?: readonly string[];
}

type List = Readonly<Record<string, Module>>;

export interface Modules<Named extends List = List> {
  readonly named: Named;
  /** The rows of all modules. */
  readonly rows: readonly Operation[];
  readonly resources: readonly Resource[];
  readonly reported: readonly Resource[];
  /** If there are any, nothing starts. */
  readonly mistakes: readonly string[];
}

export function moduleList<const Named extends List>(named: Named): Modules<Named> {
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
  return {
    named,
    rows: all.flatMap(([, { operations }]) => Object.values(operations)),
    resources: all.flatMap(([, { resources = [] }]) => resources),
    reported: all.flatMap(([, { reported = [] }]) => reported),
    mistakes: [...mistakes.found, ...all.flatMap(([, { mistakes: own = [] }]) => own)],
  };
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

/** Every row of a list by its name. */
export type RowsOf<Made extends Modules> = Together<Made['named'][keyof Made['named']]['operations']>;

/** What is all of several things that a union has one of. */
type Together<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;
