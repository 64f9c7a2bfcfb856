/** Documents that share a unique key, counted by the server: what keeps the key's index from being built. */
import type { Db, Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Unique } from '../../../../shared/contract/unique.ts';
import { storeLimits } from '../../limits.ts';
import { type SharedKeys, toSharedKeys } from '../../shared-keys.ts';
import { toPath } from './keyset.ts';
import { idFormOf } from './stored-ids.ts';
import { toHeldFilter, toOrder } from './unique-keys.ts';

/** An id is of any type in a collection of others. */
interface Double {
  readonly count: number;
  readonly first: unknown;
  readonly last: unknown;
}

export async function sharedKeysIn(database: Db, resource: Resource, unique: Unique, isFull: boolean): Promise<SharedKeys> {
  const collection = database.collection(resource.collection, { readConcern: { level: 'majority' } });
  const isWhole = isFull || (await collection.estimatedDocumentCount()) <= storeLimits.keysComparedMax;
  if (!isWhole) return toSharedKeys(resource, unique, undefined);
  const toText = (id: unknown) => idFormOf(resource).fromStored(id) ?? String(id);
  const found = collection.aggregate<Double>(toDoubles(resource, unique), { allowDiskUse: true, ...toOrder(unique) });
  return toSharedKeys(resource, unique, found.map(({ count, first, last }) => ({ count, examples: [toText(first), toText(last)] })));
}

function toDoubles(resource: Resource, unique: Unique): Document[] {
  const key = Object.fromEntries(unique.fields.map((path, index) => [`k${index}`, `$${toPath(resource, path)}`]));
  return [
    { $match: toHeldFilter(resource, unique) },
    { $group: { _id: key, count: { $sum: 1 }, first: { $min: '$_id' }, last: { $max: '$_id' } } },
    { $match: { count: { $gt: 1 } } },
    { $project: { _id: 0 } },
  ];
}
