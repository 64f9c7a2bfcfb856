/**
 * What a list asks that no index answers: it is looked at in each document of the index walk that the rest of the query has,
 * within the budget of its shape (SEMANTICS §6). Both engines' documents are judged by `meets`, so they give equal pages.
 */
import { branchesWithout, isOf } from './branches-without.ts';
import type { Filter } from './filter.ts';
import { idField } from './id-declarations.ts';
import { toIdKey } from './ids.ts';
import { valueAt, valuesAt } from './path.ts';
import type { QueryReader } from './query-reader.ts';
import type { Resource } from './resource.ts';
import { equality, satisfies } from './rules.ts';
import type { Field } from './fields.ts';
import { toldRank, withRanks } from './stored-ranks.ts';
import type { Json, JsonObject, Scalar } from '../wire/values.ts';

export type Residual =
  /** `nin`: what is equal to none of these; `contains`: what holds all of them. */
  | { readonly field: string; readonly operator: 'nin' | 'contains'; readonly values: readonly Scalar[] }
  /** False: nothing stands there, or null. */
  | { readonly field: string; readonly operator: 'exists'; readonly value: boolean };

export type ResidualOperator = 'ne' | Residual['operator'];

export function isResidualOperator(text: string): text is ResidualOperator {
  return text === 'ne' || text === 'nin' || text === 'exists' || text === 'contains';
}

/** `ne` is `nin` of one value. What is refused at the reader still gives a condition. */
export function readResidual(reader: QueryReader, name: string, { field, operator }: {
  readonly field: Field;
  readonly operator: ResidualOperator;
}): Residual {
  if (operator === 'exists') {
    const text = reader.one(name);
    if (text !== 'true' && text !== 'false') reader.refuse(name, 'true or false');
    return { field: field.name, operator, value: text === 'true' };
  }
  if (operator === 'contains' && field.kind !== 'array') reader.refuse(name, `${field.name} is not an array`);
  const values = reader.values(name, field, operator === 'ne' ? [reader.one(name)] : reader.several(name));
  return { field: field.name, operator: operator === 'ne' ? 'nin' : operator, values };
}

/** Conditions in one order, however they were written. */
export function inOrder(residual: readonly Residual[]): readonly Residual[] {
  return residual.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

/** One condition of each kind on a field: these two are of the same. */
export function keyOf({ field, operator }: Residual): string {
  return `${field} ${operator}`;
}

type Asked = Pick<Filter, 'equal' | 'residual'>;

/**
 * The ways to ask the same: an array that must contain values is one that contains the first of them, which an index may
 * find, and holds the others; the last way is the filter as it stands.
 */
export function waysToAsk({ equal, residual }: Asked): readonly Asked[] {
  const pinned = residual.flatMap((condition): readonly Asked[] => {
    const { field, operator } = condition;
    if (operator !== 'contains' || Object.hasOwn(equal, field)) return [];
    const [first, ...others] = condition.values;
    if (first === undefined) return [];
    const left = others.length === 0 ? [] : [{ ...condition, values: others }];
    return [{ equal: { ...equal, [field]: [first] }, residual: residual.flatMap((each) => (each === condition ? left : [each])) }];
  });
  return [...pinned, { equal, residual }];
}

/** Whether a document meets all conditions; `document` is the wire form of what is stored. */
export function meets(resource: Resource, document: JsonObject, residual: readonly Residual[]): boolean {
  return residual.every((condition) => {
    const field = condition.field === 'id' ? idField(resource) : resource.fields.get(condition.field);
    if (field === undefined) throw new Error(`${resource.name} has no field ${condition.field}`);
    // What stands there in a document whose branch does not name it is not declared.
    const isNamed = !branchesWithout(resource, [field.name]).some((branch) => isOf(document, branch));
    const has = (value: Scalar) => isNamed && isFound(resource, document, field, value);
    switch (condition.operator) {
      case 'nin':
        return !condition.values.some(has);
      case 'contains':
        return condition.values.every(has);
      case 'exists':
        return (isNamed && isThere(document, field)) === condition.value;
    }
  });
}

/** Whether a list by this value would find the document. */
function isFound(resource: Resource, document: JsonObject, { name, kind, element }: Field, value: Scalar): boolean {
  if (name === 'id') return toIdKey(resource, String(document['id'])).value === value;
  if (kind === 'array') {
    return valuesAt(document, name).some((each, index) => isEqual(alone(document, name, each, index), 'each', element, value));
  }
  return isEqual(document, name, kind, value);
}

/** An element by itself, stored as it is among the others. Text alone is a form of several types. */
function alone(document: JsonObject, name: string, each: Json, index: number): JsonObject {
  const rank = typeof each === 'string' ? toldRank(document, name, index) : undefined;
  return withRanks({ each }, rank === undefined ? undefined : () => rank);
}

function isEqual(document: Readonly<Record<string, Json>>, field: string, kind: string | undefined, value: Scalar): boolean {
  return satisfies(document, equality(field, value, kind));
}

/** Of a path through an array: whether one of its elements has a value there. */
function isThere(document: JsonObject, { name, isInArray }: Field): boolean {
  if (isInArray === true) return valuesAt(document, name).some((value) => value !== null);
  return (valueAt(document, name) ?? null) !== null;
}
