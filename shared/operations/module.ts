/**
 * A module: what one thing that Tombolo can do brings to edge and origin, under one name. Routing, `Allow`, costs, the
 * handlers that the compiler asks for and what a store holds are read from the list of modules (`shared/modules.ts`).
 * What everything else stands on lists names itself: reasons of refusals are lines of `wire/fault.ts`, and segments below
 * a collection of `contract/reserved-names.ts`.
 */
import type { Resource } from '../contract/resource.ts';
import type { Endpoint } from './endpoint.ts';
import type { Operation } from './operation.ts';

export interface Module {
  /** Made by `operations()`. */
  readonly operations: Readonly<Record<string, Operation>>;
  /** Internal resources: stored, and never routed or digested. */
  readonly resources?: readonly Resource[];
  /** Those among them whose changes the edge is told of, since it keeps answers of them. */
  readonly reported?: readonly Resource[];
  /** A team's own, as they are declared. */
  readonly endpoints?: readonly Endpoint[];
}

type List = Readonly<Record<string, Module>>;

export interface Modules<Named extends List = List> {
  readonly named: Named;
  /** The rows of all modules. */
  readonly rows: readonly Operation[];
  readonly resources: readonly Resource[];
  readonly reported: readonly Resource[];
}

export function moduleList<const Named extends List>(named: Named): Modules<Named> {
  const all = Object.entries<Module>(named);
  return {
    named,
    rows: all.flatMap(([, { operations }]) => Object.values(operations)),
    resources: all.flatMap(([, { resources = [] }]) => resources),
    reported: all.flatMap(([, { reported = [] }]) => reported),
  };
}

/** Every row of a list by its name. */
export type RowsOf<Made extends Modules> = Together<Made['named'][keyof Made['named']]['operations']>;

/** What is all of several things that a union has one of. */
type Together<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;
