/** What a declared type says of a member that is not there, and what fills it in. */
import * as z from 'zod';
import { unwrapped } from '../../../shared/contract/open-schema.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { definitionOf } from '../../../shared/contract/schema-places.ts';
import type { Type } from '../../../shared/contract/schema-tree.ts';
import type { Json } from '../../../shared/wire/values.ts';
import { madeOnce } from '../../../shared/remember.ts';

export type Absence = 'optional' | 'default' | 'required';

export const absenceOf = madeOnce(toAbsence);

function toAbsence(type: Type): Absence {
  const { success, data } = z.safeParse(type, undefined);
  if (!success) return 'required';
  return data === undefined ? 'optional' : 'default';
}

/** A declared member that has a default, in the document or in an object that no array, record or union holds. */
export interface DefaultPlace {
  readonly path: readonly [string, ...string[]];
  /** What a document that is created without it gets, made anew each time. */
  make(): Json;
  readonly type: Type;
}

/** What holds others comes before them. */
export function defaultPlaces({ schema }: Resource): readonly DefaultPlace[] {
  return placesIn(schema, [], []);
}

/** Whether each document is given a value of its own, an id or a moment. */
export function isMadeAnew({ make }: DefaultPlace): boolean {
  return !Bun.deepEquals(make(), make());
}

function placesIn(type: Type, path: readonly string[], above: readonly Type[]): readonly DefaultPlace[] {
  const definition = definitionOf(unwrapped(type));
  if (definition.type !== 'object' || above.includes(unwrapped(type))) return [];
  return Object.entries(definition.shape).filter(([name]) => isPathPart(name)).flatMap(([name, member]): readonly DefaultPlace[] => {
    const [first, ...rest] = [...path, name];
    const at: DefaultPlace['path'] = [first ?? name, ...rest];
    const place = { path: at, type: member, make: () => z.parse(member, undefined) as Json };
    return [...(absenceOf(member) === 'default' ? [place] : []), ...placesIn(member, at, [...above, unwrapped(type)])];
  });
}

/** A name that no path can hold is filled in by nobody. */
function isPathPart(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.includes('.');
}
