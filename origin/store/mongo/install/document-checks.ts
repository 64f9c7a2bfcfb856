/** The field table of a resource as a `$jsonSchema`: what the database refuses, whoever writes (SEMANTICS §4). */
import type { Document } from 'mongodb';
import type { Field, FieldKind } from '../../../../shared/contract/fields.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { checkedFields } from '../../field-check.ts';
import { idFormOf } from '../read/stored-ids.ts';
import { sealed } from './validator-seal.ts';

/** As which a value of each kind may be stored, by MongoDB's names. */
export const bsonTypes: Readonly<Record<Exclude<FieldKind, 'mixed'>, readonly string[]>> = {
  string: ['string'], uuid: ['string'], instant: ['date'], objectId: ['objectId'], binary: ['binData'],
  number: ['double', 'int', 'long', 'decimal'], integer: ['int', 'long', 'double'], decimal: ['decimal'], long: ['int', 'long', 'double'],
  boolean: ['bool'], array: ['array'], object: ['object'],
};

/** As `create` and `collMod` take it, and `listCollections` gives it back. */
export function toValidation(resource: Resource): Document {
  const { level, action } = resource.validation;
  return sealed({ validator: { $jsonSchema: toSchema(resource) }, validationLevel: level, validationAction: action });
}

function toSchema(resource: Resource): Document {
  const { required, properties } = toMembers(resource, checkedFields(resource), '');
  return {
    bsonType: 'object',
    ...(required === undefined ? {} : { required }),
    properties: { _id: idFormOf(resource).schema, ...properties },
  };
}

/** The members of what stands at a path that ends in a dot; of the document itself, of none. */
function toMembers(resource: Resource, fields: readonly Field[], path: string): Document {
  const members = fields.filter(({ name }) => name.startsWith(path) && !name.includes('.', path.length));
  if (members.length === 0) return {};
  const nameOf = ({ name }: Field) => toStoredPath(resource, name).split('.').at(-1) ?? name;
  const required = members.filter(({ optional }) => !optional).map(nameOf);
  return {
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(members.filter(isTyped).map((field) => [nameOf(field), toProperty(resource, fields, field)])),
  };
}

type TypedField = Field & { readonly kind: Exclude<FieldKind, 'mixed'> };

function isTyped(field: Field): field is TypedField {
  return field.kind !== 'mixed';
}

function toProperty(resource: Resource, fields: readonly Field[], { name, kind, nullable, element = 'mixed' }: TypedField): Document {
  const bsonType = [...bsonTypes[kind], ...(nullable ? ['null'] : [])];
  switch (kind) {
    case 'integer':
    case 'long':
      return { bsonType, multipleOf: 1 };
    case 'array':
      return { bsonType, ...(element === 'mixed' ? {} : { items: { bsonType: bsonTypes[element] } }) };
    case 'object':
      return { bsonType, ...toMembers(resource, fields, `${name}.`) };
    default:
      return { bsonType };
  }
}
