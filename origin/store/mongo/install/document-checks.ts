/** The field table of a resource as a `$jsonSchema`: what the database refuses, whoever writes (SEMANTICS §4). */
import type { Document } from 'mongodb';
import type { Field, FieldKind } from '../../../../shared/contract/fields.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';

const bsonTypes: Readonly<Record<Exclude<FieldKind, 'mixed'>, readonly string[]>> = {
  string: ['string'], uuid: ['string'], instant: ['date'], objectId: ['objectId'], binary: ['binData'],
  number: ['double', 'int', 'long', 'decimal'], integer: ['int', 'long', 'double'], decimal: ['decimal'], long: ['int', 'long', 'double'],
  boolean: ['bool'], array: ['array'], object: ['object'],
};

/** As `create` and `collMod` take it, and `listCollections` gives it back. */
export function toValidation(resource: Resource): Document {
  const { level, action } = resource.validation;
  return { validator: { $jsonSchema: toSchema(resource) }, validationLevel: level, validationAction: action };
}

function toSchema(resource: Resource): Document {
  const fields = [...resource.fields.values()];
  const required = fields.filter(({ optional }) => !optional).map(({ name }) => name);
  return {
    bsonType: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: {
      _id: { bsonType: resource.id === 'objectId' ? 'objectId' : 'string' },
      ...Object.fromEntries(fields.flatMap(toProperty)),
    },
  };
}

function toProperty(field: Field): readonly (readonly [string, Document])[] {
  const { name, kind, nullable, element } = field;
  if (kind === 'mixed') return [];
  const types = [...bsonTypes[kind], ...(nullable ? ['null'] : [])];
  const items = element === undefined || element === 'mixed' ? {} : { items: { bsonType: bsonTypes[element] } };
  const isWhole = kind === 'integer' || kind === 'long';
  return [[name, { bsonType: types, ...(isWhole ? { multipleOf: 1 } : {}), ...(kind === 'array' ? items : {}) }]];
}
