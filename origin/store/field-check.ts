/**
 * The types of declared fields, checked where a store writes itself: what the database checks of others' writes
 * (sqlite/install/document-checks.ts), in a tenth of the time. zod said more before; this holds for code that did not ask it.
 */
import type { FieldError } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import type { Field, FieldKind } from '../../shared/contract/fields.ts';
import { isWithin, valueAt } from '../../shared/contract/path.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { caseErrors } from '../../shared/contract/unique.ts';
import { toDecimalText, toLong } from '../../shared/wire/shown-numbers.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import type { StoredDocument } from './stored-document.ts';

export type FieldCheck = (document: JsonObject, before: StoredDocument | undefined) => readonly FieldError[];

/**
 * Unless the resource is strict, a field that was already wrong and stays as it was is let through, so that old documents
 * of other programs stay editable.
 */
export function toFieldCheck(resource: Resource): FieldCheck {
  const fields = checkedFields(resource).filter(({ kind }) => kind !== 'mixed');
  const isStrict = resource.validation.level === 'strict';
  return (document, before) => {
    const wrong = fields.filter((field) => isWrong(field, valueAt(document, field.name)));
    const isNew = ({ name }: Field) => before === undefined || !isSame(valueAt(document, name), valueAt(before.value, name));
    const errors = wrong.filter((field) => isStrict || isNew(field)).map(toError);
    return resource.unique.length === 0 ? errors : [...errors, ...caseErrors(resource, document)];
  };
}

/**
 * What is checked of a document: its own fields, and the places in them that an index walks by value, with what they stand
 * in. What stands in elements of arrays, or in some branches of a union alone, zod checks.
 */
export function checkedFields({ fields, indexes }: Pick<Resource, 'fields' | 'indexes'>): readonly Field[] {
  const walked = indexes.flatMap(({ equal, sort }) => [...equal, ...sort.map((key) => key.field)]);
  const isWalked = ({ name }: Field) => !name.includes('.') || walked.some((path) => isWithin(path, name));
  return [...fields.values()].filter((field) => field.isInArray !== true && field.isOfBranches !== true && isWalked(field));
}

export function describeField({ kind, nullable }: Field): string {
  const what = `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
  return nullable ? `${what} or null` : what;
}

function toError(field: Field): FieldError {
  return { at: toPointer(field.name.split('.')), in: 'body', detail: `must be ${describeField(field)}` };
}

function isWrong({ kind, optional, nullable }: Field, value: Json | undefined): boolean {
  if (value === undefined) return !optional;
  // JSON has no NaN and no infinity: they are stored as null.
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return !nullable;
  return !isOfKind(value, kind);
}

function isOfKind(value: Json, kind: FieldKind): boolean {
  switch (kind) {
    case 'string':
    case 'uuid':
    case 'instant':
    case 'objectId':
    case 'binary':
      return typeof value === 'string';
    case 'decimal':
      return typeof value === 'string' && toDecimalText(value) !== undefined;
    case 'long':
      return toLong(value) === value;
    case 'number':
      return typeof value === 'number';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isJsonObject(value);
    case 'mixed':
      return true;
  }
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
