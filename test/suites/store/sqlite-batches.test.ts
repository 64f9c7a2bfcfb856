/** How much one batch of the log may hold. MongoDB bounds its own pages, at 16 MB. */
import { expect, test } from 'bun:test';
import { read } from './read-changes.ts';
import { inTime, put, remove } from './harness.ts';
import { openSqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

test('large changes come in smaller batches', async () => {
  const place = await openSqlitePlace({ resources: [things] });
  const { store } = place;
  const from = await store.head();
  const text = 'x'.repeat(1_000_000);
  for (let round = 0; round < 12; round++) await store.write([put(things, 'large', { text: `${text}${round}` })], inTime());
  const { position } = await store.write([remove(things, 'large')], inTime());
  const reader = read(store, from);
  const sizes: number[] = [];
  for (let batch = await reader.next(); batch !== undefined && !('lost' in batch); batch = await reader.next()) {
    sizes.push(batch.changes.length);
    if (batch.through.order >= position.order) break;
  }
  await reader.stop();
  await place.remove();
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(13);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
});
