/** Dates of years that RFC 3339 has no text for: other programs can write them, and lists page over them in their place. */
import { expect, test } from 'bun:test';
import type { ListRequest } from '../../../origin/store/store.ts';
import { reversed } from '../../../shared/contract/shapes.ts';
import { readAll } from './list-suite.ts';
import { openMongoPlace } from './mongo-place.ts';
import { open as things } from './things.ts';

test('a list of several branches has them where MongoDB has them, forwards and backwards', async () => {
  const place = await openMongoPlace({ resources: [things] });
  try {
    const times = [
      '-271820-01-01T00:00:00.000Z', '-000001-01-01T00:00:00.000Z', '0000-06-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z',
      '+010000-01-01T00:00:00.000Z', '+275760-01-01T00:00:00.000Z',
    ];
    await place.foreign
      .collection<{ _id: string }>(things.name)
      .insertMany(
        times.map((time, index) => ({ _id: `n${index}`, text: index % 2 === 0 ? 'a' : 'ab', tags: ['x'], time: new Date(time) })),
      );
    const shape = things.shapes.find(({ name }) => name === 'ofTagAndText');
    const sort = shape?.sorts[0] ?? [];
    const request: ListRequest = {
      equal: { tags: ['x'], text: ['a', 'ab'] },
      range: undefined, sort, where: true, after: undefined, limit: 1,
    };
    const idsOf = async (asked: ListRequest) => (await readAll(place.store, things, asked)).map(({ document }) => document.id);
    expect(await idsOf(request)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']);
    expect(await idsOf({ ...request, sort: reversed(sort) })).toEqual(['n5', 'n4', 'n3', 'n2', 'n1', 'n0']);
  } finally {
    await place.remove();
  }
});
