/** What tells rules which texts of a document are numbers in MongoDB (SEMANTICS §3). */
import { valueIn } from '../../../../shared/contract/path.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IsNumber } from '../../../../shared/contract/stored-numbers.ts';
import { isNumeric, ranks } from '../../../../shared/wire/values.ts';
import { toSortKey } from './brackets.ts';
import { type BsonDocument, isPlainObject } from './bson-values.ts';

const ofResources = new WeakMap<Resource, boolean>();

/** `undefined`: no field of the resource is a number. `stored` is looked at only where a rule compares one with a text. */
export function numbersIn(resource: Resource, stored: () => BsonDocument): IsNumber | undefined {
  const hasNumbers = ofResources.get(resource) ?? [...resource.fields.values()].some(({ kind }) => isNumeric(kind));
  ofResources.set(resource, hasNumbers);
  return hasNumbers ? (path) => toSortKey(valueIn<unknown>(stored(), path, isPlainObject)).rank === ranks.number : undefined;
}
