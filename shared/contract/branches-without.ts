/**
 * The branches of a union that do not name a path which others name. What stands there in a document of such a branch is not
 * declared, and so no filter finds it (SEMANTICS §16). In elements of arrays the schema is not asked.
 */
import { valueAt } from './path.ts';
import type { Resource } from './resource.ts';
import { definitionOf, innerTypeOf, isClosedObject } from './schema-places.ts';
import type { Type } from './schema-tree.ts';
import type { JsonObject, Scalar } from '../wire/values.ts';

/** A branch by what makes a document one of it: the values that each discriminator may have, by path. */
export type Branch = ReadonlyMap<string, readonly Scalar[]>;

export function branchesWithout(resource: Resource, fields: Iterable<string>): readonly Branch[] {
  if (resource.extra === 'serve') return [];
  return [...fields]
    .filter((field) => resource.fields.get(field)?.isOfBranches === true)
    .flatMap((field) => without(resource.schema, field.split('.'), []));
}

export function isOf(document: JsonObject, branch: Branch): boolean {
  return [...branch].every(([path, values]) => values.some((value) => valueAt(document, path) === value));
}

function without(type: Type, [step = '', ...rest]: readonly string[], above: readonly string[]): readonly Branch[] {
  const definition = definitionOf(type);
  if (definition.type === 'union' && 'discriminator' in definition) {
    const discriminator = String(definition.discriminator);
    return definition.options.flatMap((option) => {
      const values = [...(option._zod.propValues?.[discriminator] ?? [])].filter(isScalar);
      return without(option, [step, ...rest], above).map((branch) => new Map([...branch, [[...above, discriminator].join('.'), values]]));
    });
  }
  if (definition.type === 'object') {
    const member = definition.shape[step];
    if (member === undefined) return isClosedObject(definition) ? [new Map()] : [];
    return rest.length === 0 ? [] : without(member, rest, [...above, step]);
  }
  const inner = innerTypeOf(type);
  return inner === undefined ? [] : without(inner, [step, ...rest], above);
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
