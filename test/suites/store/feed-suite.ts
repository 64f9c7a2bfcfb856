/** What the change feed promises, on any engine. */
import { describe, expect, test } from 'bun:test';
import type { Change } from '../../../shared/contract/change.ts';
import { reaches } from '../../../shared/wire/position.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import { BlockPlace } from './block-place.ts';
import { type OpenPlace, put, remove } from './harness.ts';
import { batchesTo, changesTo, image, read } from './read-changes.ts';
import { open as things } from './things.ts';

export function feedSuite(open: OpenPlace): void {
  describe('the change feed', () => {
    const place = new BlockPlace(open, [things]);
    const { write } = place;

    test('gives every change once, in order, with both images', async () => {
      const from = await place.store.head();
      await write(put(things, 'a', { size: 1 }));
      await write(put(things, 'a', { size: 2 }), put(things, 'b', {}), remove(things, 'a'));
      const { position } = await write(put(things, 'c', { text: 'c' }));
      expect((await changesTo(place.store, from, position)).map(image)).toEqual([
        ['a', null, { id: 'a', size: 1 }],
        ['a', { id: 'a', size: 1 }, { id: 'a', size: 2 }],
        ['b', null, { id: 'b' }],
        ['a', { id: 'a', size: 2 }, null],
        ['c', null, { id: 'c', text: 'c' }],
      ]);
    });

    test('resumes after any change', async () => {
      const from = await place.store.head();
      const { position } = await write(...Array.from({ length: 9 }, (_, index) => put(things, `r${index}`, {})));
      const all = await changesTo(place.store, from, position);
      for (const [index, change] of all.entries())
        expect((await changesTo(place.store, change.position, position)).map(image)).toEqual(all.slice(index + 1).map(image));
    });

    test('gives bounded batches, and positions that grow', async () => {
      const from = await place.store.head();
      for (let round = 0; round < 8; round++) {
        await write(...Array.from({ length: 200 }, (_, index) => put(things, `b${index}`, { size: round })));
      }
      const { position } = await write(put(things, 'last', {}));
      const batches = await batchesTo(place.store, from, position);
      const orders = batches.flatMap(({ changes }) => changes.map((change) => change.position.order));
      expect(orders).toHaveLength(1601);
      expect(orders).toEqual([...orders].sort());
      expect(Math.max(...batches.map(({ changes }) => changes.length))).toBeLessThanOrEqual(500);
      for (const { changes, through } of batches) expect(through.order >= (changes.at(-1)?.position.order ?? '')).toBeTrue();
    });

    test('gives a change to a waiting reader at once', async () => {
      const reader = read(place.store, await place.store.head());
      await reader.next();
      const waits: number[] = [];
      for (let round = 0; round < 5; round++) {
        const waiting = reader.nextChanges();
        const { position } = await write(put(things, 'now', { size: round }));
        const started = performance.now();
        const batch = await waiting;
        waits.push(performance.now() - started);
        expect(batch).toMatchObject({ changes: [{ id: 'now' }] });
        expect(reaches(batch.through, position)).toBeTrue();
      }
      // A reader that is not woken waits for the whole watermark interval: half of it shows that one was.
      expect(Math.min(...waits)).toBeLessThan(storeLimits.watermarkMs / 2);
      await reader.stop();
    });

    test('keeps its watermark moving when nothing happens', async () => {
      const reader = read(place.store, await place.store.head());
      await reader.next();
      const waits: number[] = [];
      for (let count = 0; count < 5; count++) {
        // Others may write beside us in the same deployment, and move its time.
        const known = await place.store.head();
        const started = performance.now();
        const batch = await reader.nextThrough(known);
        waits.push(performance.now() - started);
        expect(batch.changes).toEqual([]);
        expect(reaches(await place.store.head(), batch.through)).toBeTrue();
      }
      expect(Math.min(...waits)).toBeLessThan(3 * storeLimits.watermarkMs);
      await reader.stop();
    });

    test('gives a reader that was away all that it missed, and each reader everything', async () => {
      const from = await place.store.head();
      const readers = [read(place.store, from), read(place.store, from)];
      await readers[0]?.next();
      for (let count = 0; count < 20; count++) await write(put(things, 'away', { size: count }));
      const { position } = await write(put(things, 'back', {}));
      for (const reader of readers) {
        const seen: Change[] = [];
        for (let batch = await reader.next(); batch !== undefined && !('lost' in batch); batch = await reader.next()) {
          seen.push(...batch.changes);
          if (batch.through.order >= position.order) break;
        }
        expect(seen.map(({ position: { order } }) => order)).toHaveLength(21);
        await reader.stop();
      }
    });

    test('tells of lost history before anything else', async () => {
      const { epoch, order } = await place.store.head();
      for (const lost of [
        { epoch: 'f'.repeat(16), order },
        { epoch, order: order.replace(/.{8}$/, (token) => (token === '00000000' ? '00000001' : '00000000')) },
        { epoch, order: '00000000' },
        { epoch, order: order.replace(/^./, 'f') },
      ]) {
        const reader = read(place.store, lost);
        const told = await reader.next();
        expect(told).toMatchObject({ lost: true, head: { epoch } });
        expect(told !== undefined && 'lost' in told && reaches(told.head, { epoch, order })).toBeTrue();
        expect(await reader.next()).toBeUndefined();
      }
    });

    test('tells a reader that is up to date when the epoch is renewed', async () => {
      const reader = read(place.store, await place.store.head());
      await reader.next();
      const waiting = reader.nextLost();
      const renewed = await place.store.renewEpoch();
      expect(await waiting).toEqual({ lost: true, head: renewed });
      expect(await reader.next()).toBeUndefined();
      const next = read(place.store, renewed);
      const { position } = await write(put(things, 'after', {}));
      expect(position.epoch).toBe(renewed.epoch);
      const batch = await next.nextChanges();
      expect(batch).toMatchObject({ changes: [{ id: 'after' }] });
      expect(reaches(batch.through, position)).toBeTrue();
      await next.stop();
    });

    test('ends when its reader goes and when the store closes', async () => {
      const gone = new AbortController();
      const batches = place.store.watch(await place.store.head(), gone.signal)[Symbol.asyncIterator]();
      await batches.next();
      setTimeout(() => gone.abort(), 10);
      expect((await batches.next()).done === true || (await batches.next()).done === true).toBeTrue();
      const reader = read(place.store, await place.store.head());
      await reader.next();
      const waiting = reader.next();
      await place.reopen();
      await waiting;
      expect(await reader.next()).toBeUndefined();
    });

    test('goes on where it was when the store is opened again', async () => {
      const from = await place.store.head();
      await write(put(things, 'before', {}));
      await place.reopen();
      const { position } = await write(put(things, 'behind', {}));
      expect((await changesTo(place.store, from, position)).map((change) => image(change)[0])).toEqual(['before', 'behind']);
    });
  });
}
