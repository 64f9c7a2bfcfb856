/** Documents that share a unique key: they were there before it was declared, and stay. */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Unique } from '../../../../shared/contract/unique.ts';
import { storeLimits } from '../../limits.ts';
import { type SharedKeys, toSharedKeys } from '../../shared-keys.ts';
import { quote } from '../install/ddl.ts';
import { keyOf } from '../install/unique-keys.ts';

interface Double {
  readonly count: number;
  readonly first: string;
  readonly last: string;
}

export function sharedKeysOf(database: Database, resource: Resource, unique: Unique, isFull: boolean): Promise<SharedKeys> {
  const table = quote(resource.collection);
  const past = `SELECT 1 FROM ${table} LIMIT 1 OFFSET ${storeLimits.keysComparedMax}`;
  if (!isFull && database.query<object, []>(past).get() !== null) return toSharedKeys(resource, unique, undefined);
  const key = keyOf(resource, unique);
  const told = 'count(*) AS "count", CAST(min("id") AS TEXT) AS "first", CAST(max("id") AS TEXT) AS "last"';
  const held = key.map((part) => `${part} IS NOT NULL`).join(' AND ');
  const doubles = database.query<Double, []>(
    `SELECT ${told} FROM ${table} WHERE ${held} GROUP BY ${key.join(', ')} HAVING count(*) > 1`,
  );
  return toSharedKeys(resource, unique, toShares(doubles.iterate()));
}

function* toShares(doubles: Iterable<Double>) {
  for (const { count, first, last } of doubles) yield { count, examples: [first, last] };
}
