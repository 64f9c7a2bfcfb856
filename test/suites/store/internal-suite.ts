/** Internal resources: what Tombolo itself keeps beside a team's resources is stored, indexed and told of like theirs. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { ListRequest } from '../../../origin/store/store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { BlockPlace } from './block-place.ts';
import { inTime, type OpenPlace, put, reasonOf, textOf } from './harness.ts';
import { changesTo } from './read-changes.ts';
import { open as things } from './things.ts';

const jobs = resource({
  name: 'tombolo_test_jobs', internal: true, id: { kind: 'string', format: z.string() },
  schema: z.object({ queue: z.string(), due: z.int(), rank: z.int().optional() }),
  shapes: {
    all: {}, ofQueue: { equal: ['queue'], range: 'due', sort: ['due'] },
    ranked: { equal: ['queue'], sort: ['rank'], only: { queue: 'first' } },
  },
});

const dueOf = (queue: string): ListRequest => ({
  equal: { queue: [queue] },
  range: undefined,
  sort: [
    { field: 'due', descending: false },
    { field: 'id', descending: false },
  ],
  where: true,
  after: undefined,
  limit: 10,
});

export function internalSuite(open: OpenPlace): void {
  describe('an internal resource', () => {
    const place = new BlockPlace(open, [things, jobs]);
    const list = async (request: ListRequest) => (await place.store.list(jobs, request, inTime())).value.map(({ document }) => document.id);

    test('is read by its shapes, each with its index, though nobody may ask for it', async () => {
      await place.store.write(
        [put(jobs, 'j1', { queue: 'a', due: 3 }), put(jobs, 'j2', { queue: 'b', due: 1 }), put(jobs, 'j3', { queue: 'a', due: 2 })],
        inTime(),
      );
      expect(await list(dueOf('a'))).toEqual(['j3', 'j1']);
      expect(
        await reasonOf(
          list({
            ...dueOf('a'),
            sort: [
              { field: 'queue', descending: false },
              { field: 'id', descending: false },
            ],
            equal: {},
          }),
        ),
      ).toBe('query_not_served');
    });

    test('is read by a shape that it is asked by for one value alone', async () => {
      const job = (id: string, queue: string, rank: number) => put(jobs, id, { queue, due: 7, rank });
      const sort = [{ field: 'rank', descending: false }, { field: 'id', descending: false }];
      const ranked = (queue: string) => list({ ...dueOf(queue), sort });
      await place.store.write([job('f1', 'first', 2), job('f2', 'late', 1), job('f3', 'first', 1)], inTime());
      expect(await ranked('first')).toEqual(['f3', 'f1']);
      await place.store.write([job('f1', 'late', 2), job('f2', 'first', 1)], inTime());
      expect(await ranked('first')).toEqual(['f2', 'f3']);
      expect(await reasonOf(ranked('late'))).toBe('query_not_served');
    });

    test('is checked by the database as it is declared', async () => {
      const { outcomes } = await place.store.write([put(jobs, 'j4', { queue: 'a', due: 'soon' })], inTime());
      expect([outcomes[0]?.kind, await textOf(place.store, jobs, 'j4')]).toEqual(['refused', undefined]);
    });

    test('is written with the write that causes it, or neither is, and the feed tells of both', async () => {
      const from = await place.store.head();
      const causing = (id: string, due: unknown) => ({
        resource: things,
        id,
        decide: () => ({ kind: 'put' as const, document: {}, also: [put(jobs, `of-${id}`, { queue: 'c', due: due as number })] }),
      });
      const { outcomes, position } = await place.store.write([causing('t1', 1), causing('t2', 'soon')], inTime());
      expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'refused']);
      expect(await list(dueOf('c'))).toEqual(['of-t1']);
      expect(
        (await changesTo(place.store, from, position)).map(({ resource: of, ...change }) => [of, change.kind === 'document' && change.id]),
      ).toEqual([
        [things.name, 't1'],
        [jobs.name, 'of-t1'],
      ]);
    });

    test('is there after a restart, and its changes are in the history', async () => {
      const from = await place.store.head();
      await place.store.write([put(jobs, 'j5', { queue: 'd', due: 1 })], inTime());
      await place.reopen();
      expect(await list(dueOf('d'))).toEqual(['j5']);
      expect((await changesTo(place.store, from, await place.store.head())).map(({ resource: of }) => of)).toEqual([jobs.name]);
    });
  });
}
