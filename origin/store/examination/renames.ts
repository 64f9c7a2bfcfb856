/**
 * Which declared members that are nowhere may be undeclared ones that are everywhere, under another name: in each object of
 * one path the one is missing and the other holds what the type takes.
 */
import * as z from 'zod';
import { kindOfType } from '../../../shared/contract/fields.ts';
import { unwrapped } from '../../../shared/contract/open-schema.ts';
import type { Type } from '../../../shared/contract/schema-tree.ts';
import type { Value, WalkedObject } from './document-walk.ts';
import type { Examination, StoredTypes } from './examination.ts';

/** Of one member: more are no help to whoever has to choose. */
const candidatesMax = 3;

export class Renames {
  readonly #types: StoredTypes;
  /** By prefix: what is missing in every object so far, each with the undeclared members that fit in every one. */
  readonly #candidates = new Map<string, Map<string, Set<string>>>();

  constructor(types: StoredTypes) {
    this.#types = types;
  }

  add({ prefix, missing, undeclared }: WalkedObject): void {
    const before = this.#candidates.get(prefix);
    const left = new Map<string, Set<string>>();
    for (const [name, type] of missing) {
      const names = before === undefined ? undeclared.keys() : (before.get(name) ?? []);
      const fitting = [...names].filter((each) => {
        const value = undeclared.get(each);
        return value !== undefined && this.#fits(type, value);
      });
      if (fitting.length > 0) left.set(name, new Set(fitting));
    }
    this.#candidates.set(prefix, left);
  }

  get found(): Examination['renames'] {
    return [...this.#candidates].flatMap(([prefix, members]) =>
      [...members].map(([name, names]) => ({ path: prefix + name, storedAs: [...names].sort().slice(0, candidatesMax) })),
    );
  }

  #fits(type: Type, { stored, json }: Value): boolean {
    const kind = kindOfType(unwrapped(type));
    const isOfKind = kind === 'mixed' || this.#types.typesOf(kind).includes(this.#types.typeOf(stored));
    return json !== null && isOfKind && z.safeParse(type, json).success;
  }
}
