/** Events of the database as changes of resources. Images are those of the moment, or unknown: never looked up later. */
import type { Document } from 'mongodb';
import type { Change } from '../../../../shared/contract/change.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Json, JsonObject } from '../../../../shared/wire/values.ts';
import { type BsonDocument } from '../read/bson-values.ts';
import { toValue } from '../read/documents.ts';
import { toWireNames } from '../read/member-names.ts';
import { idFormOf } from '../read/stored-ids.ts';
import { metaName } from '../install/system-records.ts';

export type Event =
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly touchesSchema: boolean }
  /** A new epoch began here. */
  | { readonly kind: 'epoch'; readonly epoch: string }
  /** The epoch itself is gone, and with it the database or all that Tombolo knew of it. */
  | { readonly kind: 'reset' };

export function toPipeline(resources: Iterable<Resource>): readonly Document[] {
  const names = [metaName, ...[...resources].map(({ collection }) => collection)];
  const ofAll = { operationType: { $in: ['dropDatabase', 'invalidate'] } };
  return [{ $match: { $or: [{ 'ns.coll': { $in: names } }, { 'to.coll': { $in: names } }, ofAll] } }];
}

/** `resources`: by the names of their collections. */
export function toEvent(resources: ReadonlyMap<string, Resource>, document: Document, position: Position): Event {
  const name: unknown = document['ns']?.coll;
  switch (document['operationType']) {
    case 'insert':
    case 'replace':
    case 'update':
    case 'delete':
      return name === metaName
        ? toEpoch(document)
        : { kind: 'changes', changes: toDocumentChange(resources, document, position), touchesSchema: false };
    case 'drop':
    case 'rename':
      return name === metaName
        ? { kind: 'reset' }
        : {
            kind: 'changes',
            changes: [name, document['to']?.coll].flatMap((touched) => toResourceChange(resources, touched, position)),
            touchesSchema: true,
          };
    case 'dropDatabase':
    case 'invalidate':
      return { kind: 'reset' };
    default:
      return { kind: 'changes', changes: [], touchesSchema: false };
  }
}

function toEpoch(document: Document): Event {
  // What was added to a collection of others is taken out of the list when it has been taken out of the collection.
  const takenOut: unknown = document['updateDescription']?.removedFields;
  const isTakenOut = Array.isArray(takenOut) && takenOut.length > 0;
  if (document['documentKey']?._id !== 'epoch') return { kind: 'changes', changes: [], touchesSchema: isTakenOut };
  const epoch: unknown = document['fullDocument']?.value;
  return typeof epoch === 'string' ? { kind: 'epoch', epoch } : { kind: 'reset' };
}

function toResourceChange(resources: ReadonlyMap<string, Resource>, name: unknown, position: Position): readonly Change[] {
  const resource = typeof name === 'string' ? resources.get(name) : undefined;
  return resource === undefined ? [] : [{ kind: 'resource', resource: resource.name, position }];
}

function toDocumentChange(resources: ReadonlyMap<string, Resource>, document: Document, position: Position): readonly Change[] {
  const resource = resources.get(document['ns'].coll);
  const id = resource === undefined ? undefined : idFormOf(resource).fromStored(document['documentKey']?._id);
  if (resource === undefined || id === undefined) return [];
  const type: unknown = document['operationType'];
  const before = type === 'insert' ? null : toImage(resource, id, document['fullDocumentBeforeChange']);
  const after = type === 'delete' ? null : toImage(resource, id, document['fullDocument']);
  const characters = charactersOf(before ?? null) + charactersOf(after ?? null);
  return [{ kind: 'document', resource: resource.name, id, position, before, after, characters }];
}

/** As JSON text, roughly. */
function charactersOf(value: Json): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 4;
  return Object.entries(value).reduce((sum, [name, inner]: [string, Json]) => sum + name.length + charactersOf(inner), 0);
}

/**
 * An image; one that was not kept, or has expired, comes as null or not at all. One that cannot be converted is unknown as well:
 * the event comes again to every reader, and one that threw would end the feed for good.
 */
function toImage(resource: Resource, id: string, image: BsonDocument | null | undefined): JsonObject | undefined {
  if (image === null || image === undefined) return undefined;
  try {
    return toValue(resource, id, toWireNames(resource, image));
  } catch {
    return undefined;
  }
}
