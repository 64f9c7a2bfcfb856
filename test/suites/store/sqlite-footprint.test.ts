/** What a store that nobody has asked for much keeps in memory: SQLite's schema is there once for each connection. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { readdirSync, readlinkSync } from 'node:fs';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { StoreDatabase } from '../../../origin/store/sqlite/connection/database.ts';
import type { TallyRequest } from '../../../origin/store/store.ts';
import { inTime, put } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';

const named = (name: string) => resource({
  name,
  id: { kind: 'string', format: z.string() },
  schema: z.object({ town: z.string() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
  aggregates: { byTown: { group: ['town'] } },
});
const [shops, towns] = [named('shops'), named('towns')];
const request: TallyRequest = {
  equal: {}, range: undefined, where: true, fields: ['town'], each: undefined, max: 10, sort: shops.aggregates[0]?.shape.sorts[0] ?? [],
};

let place: SqlitePlace;
const prepared = spyOn(StoreDatabase.prototype, 'prepare');
beforeAll(async () => {
  place = await openSqlitePlace({ resources: [shops, towns] });
});
afterAll(async () => {
  prepared.mockRestore();
  await place.remove();
});

/** Linux alone tells which files a process has open. */
function connections(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === place.path;
    } catch {
      return false;
    }
  }).length;
}

function writesPreparedOf(table: string): number {
  return prepared.mock.calls.filter(([sql]) => new RegExp(`^(insert into|update|delete from) "${table}" `).test(sql)).length;
}

describe('a store of its own file', () => {
  test('prepares what writes to a table when somebody does', async () => {
    expect([writesPreparedOf('shops'), writesPreparedOf('towns')]).toEqual([0, 0]);
    await place.store.write([put(shops, 's1', { town: 'Basel' })], inTime());
    expect([writesPreparedOf('shops'), writesPreparedOf('towns')]).toEqual([3, 0]);
  });

  test.skipIf(process.platform !== 'linux')('has two connections, and a third one once somebody asks for an aggregate', async () => {
    expect(connections()).toBe(2);
    const { value } = await place.store.tally(shops, request, inTime());
    expect(value?.map(({ count }) => count)).toEqual([1]);
    expect(connections()).toBe(3);
  });
});
