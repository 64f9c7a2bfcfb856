/** Texts that processes on one database change by turns. */
import { expect, test } from 'bun:test';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import type { SharedTexts } from '../../../origin/store/store.ts';
import { fillShop, wholeOf } from '../../support/foreign-shop.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { openMongoPlace } from './mongo-place.ts';
import { open as things } from './things.ts';

const expiresAt = Date.now() + 60_000;

function mustShared(shared: SharedTexts | undefined): SharedTexts {
  if (shared === undefined) throw new Error('nothing is shared');
  return shared;
}

test('one of two who change the same version is refused, and changes nothing', async () => {
  const place = await openMongoPlace({ resources: [things] });
  try {
    const shared = mustShared(place.store.shared);
    const put = (text: string, version: string | undefined) => shared.put('a', { text, expiresAt }, version);
    expect(await shared.find('a')).toBeUndefined();
    expect((await Promise.all([put('1', undefined), put('1', undefined)])).sort()).toEqual([false, true]);
    const first = await shared.find('a');
    expect([first?.text, await put('2', first?.version), await put('3', first?.version), await put('3', undefined)]).toEqual([
      '1', true, false, false,
    ]);
    expect((await shared.find('a'))?.text).toBe('2');
    // What expired and was taken away is not put back under its old version.
    await place.foreign.collection<{ _id: string }>('tombolo_once').deleteOne({ _id: 'shared:a' });
    expect([await put('4', (await shared.find('a'))?.version), await put('5', first?.version)]).toEqual([true, false]);
  } finally {
    await place.remove();
  }
});

test('two processes that add by turns lose nothing', async () => {
  const place = await openMongoPlace({ resources: [things] });
  const other = await openMongoStore({ uri: place.uri, resources: [things] });
  try {
    const add = async (shared: SharedTexts) => {
      for (let done = false; !done; ) {
        const found = await shared.find('sum');
        done = await shared.put('sum', { text: String(Number(found?.text ?? 0) + 1), expiresAt }, found?.version);
      }
    };
    const both = [mustShared(place.store.shared), mustShared(other.shared)];
    await Promise.all(both.map(async (shared) => {
      for (let turn = 0; turn < 30; turn++) await add(shared);
    }));
    expect((await both[0]?.find('sum'))?.text).toBe('60');
  } finally {
    await other.close();
    await place.remove();
  }
});

test('in a database of others nothing is shared, and nothing is made for it', async () => {
  const database = await openControlledDatabase();
  try {
    await fillShop(database.foreign);
    const before = await wholeOf(database.foreign);
    const store = await openMongoStore({ uri: database.uri, resources: [things], onWarning: () => undefined });
    expect(store.shared).toBeUndefined();
    await store.close();
    expect(await wholeOf(database.foreign)).toEqual(before);
  } finally {
    await database.remove();
  }
});
