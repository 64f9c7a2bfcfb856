/** Documents between the names of the database and those of the wire (shared/contract/stored-names.ts); most have one and the same. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { StoredNames } from '../../../../shared/contract/stored-names.ts';
import { type BsonDocument, isPlainObject } from './bson-values.ts';

type Way = 'toWire' | 'toStored';

/** A document as it lies in its collection, or as an event has it, by the names of the wire. */
export function toWireNames({ names }: Pick<Resource, 'names'>, document: BsonDocument): BsonDocument {
  return names === undefined ? document : besideId(document, names, 'toWire');
}

/** The way back, for a document that is stored as a whole. */
export function toStoredNames({ names }: Pick<Resource, 'names'>, document: BsonDocument): BsonDocument {
  return names === undefined ? document : besideId(document, names, 'toStored');
}

/** The same for what is stored at a place. */
export function inStoredNames(value: unknown, names: StoredNames | undefined): unknown {
  return renamed(value, names, 'toStored');
}

/** The key of a document is no member that a schema could name. */
function besideId({ _id, ...members }: BsonDocument, names: StoredNames, way: Way): BsonDocument {
  return { _id, ...renamedMembers(members, names, way) };
}

function renamed(value: unknown, names: StoredNames | undefined, way: Way): unknown {
  if (names === undefined) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => renamed(each, names, way));
  return isPlainObject(value) ? renamedMembers(value, names, way) : value;
}

function renamedMembers(members: BsonDocument, names: StoredNames, way: Way): BsonDocument {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      const other = names[way](name);
      return [other, renamed(value, names.below(way === 'toWire' ? other : name), way)];
    }),
  );
}
