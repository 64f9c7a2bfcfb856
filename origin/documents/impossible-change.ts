/**
 * What a change names or brings that no document of a resource can have, whatever is stored: a change of many that does so is
 * refused as a whole, before any is read (SEMANTICS §17). What depends on the document, such as the branch of a union that a
 * value of it is of, is left to each.
 */
import * as z from 'zod';
import { operationsOf, type PatchOperation } from '../../shared/changes/json-patch.ts';
import { operandsOf } from '../../shared/changes/operators.ts';
import { stepsOf } from '../../shared/changes/spot.ts';
import { documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { typeAt } from '../../shared/contract/named-places.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { definitionOf, innerTypeOf } from '../../shared/contract/schema-places.ts';
import type { Type } from '../../shared/contract/schema-tree.ts';
import { unknownAnywhere } from '../../shared/contract/settled.ts';
import { keptNamesOf } from '../../shared/contract/system-fields.ts';
import type { Patch } from '../../shared/operations/changed-items.ts';
import type { FieldError } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';

export function mustBePossible(resource: Resource, patch: Patch): void {
  // What such a resource serves undeclared may be sent back.
  if (resource.extra === 'serve') return;
  const errors = impossibleIn(resource, patch);
  if (errors.length > 0) throw documentInvalid(errors);
}

function impossibleIn(resource: Resource, patch: Patch): readonly FieldError[] {
  switch (patch.form) {
    case 'merge':
      return inMerge(resource, patch.sent);
    case 'patch':
      return inPatch(resource, operationsOf(patch.value));
    case 'changes':
      return inChanges(resource, patch.value);
  }
}

function inMerge(resource: Resource, merge: JsonObject): readonly FieldError[] {
  const unknown = unknownAnywhere(resource.schema, merge, 'merged');
  return (unknown.length > 0 ? unknown : wrongIn(resource.schema, merge, [])).map((error) => ({ ...error, at: `/merge${error.at}` }));
}

/** Values that their types refuse, and members taken away that must be there, as far as objects of one type lead to them. */
function wrongIn(type: Type, merge: JsonObject, path: readonly string[]): readonly FieldError[] {
  const definition = definitionOf(plainly(type));
  if (definition.type !== 'object') return [];
  return Object.entries(merge).flatMap(([name, value]): readonly FieldError[] => {
    const member = Object.hasOwn(definition.shape, name) ? definition.shape[name] : undefined;
    const at = [...path, name];
    if (member === undefined) return [];
    if (isJsonObject(value)) return wrongIn(member, value, at);
    const parsed = z.safeParse(member, value ?? undefined);
    if (parsed.success || (value === null && z.safeParse(member, null).success)) return [];
    return toFieldErrors(parsed.error).map((error) => ({ ...error, at: toPointer(at) + error.at }));
  });
}

const transparent: ReadonlySet<string> = new Set(['optional', 'nullable', 'default', 'prefault', 'nonoptional', 'readonly']);

/** The type under those that say nothing of an object but whether it is there. */
function plainly(type: Type): Type {
  const inner = transparent.has(definitionOf(type).type) ? innerTypeOf(type) : undefined;
  return inner === undefined ? type : plainly(inner);
}

function inChanges(resource: Resource, changes: JsonObject): readonly FieldError[] {
  return operandsOf(changes).flatMap(({ operator, place, operand }): readonly FieldError[] => {
    const at = `/changes${toPointer([operator, place])}`;
    return inPlace(resource, { steps: stepsOf(place), at, put: operator === 'set' ? { value: operand, at } : undefined });
  });
}

function inPatch(resource: Resource, patch: readonly PatchOperation[]): readonly FieldError[] {
  return patch.flatMap((operation, index): readonly FieldError[] => {
    const others = patch.filter((other) => other !== operation && other.op !== 'test');
    return placesOf(operation).flatMap(({ steps, name }) => {
      const [first = ''] = steps;
      // What is there for a while is no matter of the document that results; what Tombolo keeps is tested and copied.
      if (keptNamesOf(resource).includes(first) || others.some((other) => isNear(other, steps))) return [];
      const put = name === 'path' && 'value' in operation && operation.op !== 'test'
        ? { value: operation.value as Json, at: `/patch/${index}/value` }
        : undefined;
      return inPlace(resource, { steps, at: `/patch/${index}/${name}`, put });
    });
  });
}

function placesOf(operation: PatchOperation): readonly { readonly steps: readonly string[]; readonly name: 'path' | 'from' }[] {
  const path = { steps: stepsOf(operation.path), name: 'path' } as const;
  return 'from' in operation ? [{ steps: stepsOf(operation.from), name: 'from' }, path] : [path];
}

/** Whether an operation is of a place, of one in it, or of one that it is in. */
function isNear(operation: PatchOperation, steps: readonly string[]): boolean {
  return placesOf(operation).some((other) => other.steps.every((step, index) => index >= steps.length || step === steps[index]));
}

interface Put {
  readonly steps: readonly string[];
  /** Where in the body the place is named. */
  readonly at: string;
  /** What is put there, and where in the body that stands. */
  readonly put: { readonly value: Json; readonly at: string } | undefined;
}

function inPlace(resource: Resource, { steps, at, put }: Put): readonly FieldError[] {
  const [first = ''] = steps;
  if (keptNamesOf(resource).includes(first)) return [{ at, in: 'body', detail: `${first} is never written` }];
  const found = typeAt(resource.schema, steps);
  if (found === 'nowhere') return [{ at, in: 'body', detail: 'unknown field' }];
  if (put === undefined || found === undefined) return [];
  return unknownAnywhere(found, put.value, 'whole').map((error) => ({ ...error, at: put.at + error.at }));
}
