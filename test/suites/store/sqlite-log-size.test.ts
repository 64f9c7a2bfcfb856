/** The size of history: the change log is bounded in bytes, and a reader whose position was dropped is told. */
import { describe, expect, test } from 'bun:test';
import { beginEpoch } from '../../../origin/store/sqlite/install/prepare-file.ts';
import { type Connection, openWriter } from '../../../origin/store/sqlite/connection/database.ts';
import { ChangeLog } from '../../../origin/store/sqlite/feed/log.ts';
import { LogSize } from '../../../origin/store/sqlite/feed/log-size.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import type { Store } from '../../../origin/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import { changesTo, image, read } from './read-changes.ts';
import { inTime, put } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

const resources = [things];
const longText = (round: number, length = 1_000) => String(round).padStart(6, '0') + 'x'.repeat(length);

/** What the images alone take, added up the slow way. */
function imageBytesOf(place: SqlitePlace): number {
  return (
    place
      .foreign()
      .prepare<{ bytes: number }, []>('SELECT sum(ifnull(length(before), 0) + ifnull(length(after), 0)) AS bytes FROM _log')
      .get()?.bytes ?? 0
  );
}

async function change(store: Store, from: number, to: number): Promise<void> {
  const rounds = Array.from({ length: to - from }, (_, index) => put(things, 'a', { text: longText(from + index) }));
  for (let at = 0; at < rounds.length; at += 100) await store.write(rounds.slice(at, at + 100), inTime());
}

describe('the change log', () => {
  const logBytesMax = 200_000;

  test('keeps to its bytes, the newest changes first, and tells whoever stands before them', async () => {
    const place = await openSqlitePlace({ resources, logBytesMax });
    const old = await place.store.head();
    await change(place.store, 0, 300);
    const recent = await place.store.head();
    await change(place.store, 300, 330);
    const idle = await place.store.head();
    const store = await place.reopen();
    const left = await eventually('a trimmed log', () => {
      const bytes = imageBytesOf(place);
      return bytes <= logBytesMax && bytes;
    });
    // 2.1 KB a change: no more than what was too much has gone.
    expect(left).toBeGreaterThan(logBytesMax - 20_000);
    await change(store, 330, 331);
    const position = await store.head();
    expect(
      (await changesTo(store, recent, position)).map((change) => String((image(change)[2] as { text: string }).text.slice(0, 6))),
    ).toEqual(Array.from({ length: 31 }, (_, index) => longText(300 + index, 0)));
    expect(await changesTo(store, idle, position)).toHaveLength(1);
    const reader = read(store, old);
    expect(await reader.next()).toEqual({ lost: true, head: position });
    await reader.stop();
    await place.remove();
  });

  test('keeps the last change, however long it is', async () => {
    const place = await openSqlitePlace({ resources, logBytesMax: 1_000 });
    await place.store.write([put(things, 'a', { text: 'x'.repeat(300_000) })], inTime());
    const idle = await place.store.head();
    const store = await place.reopen();
    await eventually(
      'one entry',
      () => place.foreign().prepare<{ rows: number }, []>('SELECT count(*) AS rows FROM _log').get()?.rows === 1,
    );
    await change(store, 0, 1);
    expect(await changesTo(store, idle, await store.head())).toHaveLength(1);
    await place.remove();
  });

  test('lets its file be filled again instead of growing on', async () => {
    const place = await openSqlitePlace({ resources, logBytesMax });
    const pages: number[] = [];
    for (let round = 0; round < 6; round++) {
      await change(place.store, 0, 200);
      await place.reopen();
      await eventually('a trimmed log', () => imageBytesOf(place) <= logBytesMax);
      pages.push(place.foreign().prepare<{ page_count: number }, []>('PRAGMA page_count').get()?.page_count ?? 0);
    }
    expect(pages.at(-1)).toBeLessThanOrEqual((pages[1] ?? 0) * 1.1);
    await place.remove();
  });
});

describe('a round of trimming', () => {
  async function withLog(fill: (store: Store) => Promise<void>, look: (writer: Connection, log: ChangeLog) => void): Promise<void> {
    const place = await openSqlitePlace({ resources });
    await fill(place.store);
    const writer = openWriter(place.path);
    try {
      look(writer, new ChangeLog(writer));
    } finally {
      writer.database.close();
      await place.remove();
    }
  }

  test('drops no more bytes and entries than one may, so that writes go on', async () => {
    const fill = async (store: Store) => {
      for (let round = 0; round < 20; round++) await store.write([put(things, 'large', { text: longText(round, 900_000) })], inTime());
      await store.write(Array.from({ length: 1_500 }, (_, index) => put(things, `small${index}`, {})), inTime());
    };
    await withLog(fill, (_writer, log) => {
      let rounds = 0;
      const long = 2 * 901_000;
      for (
        let trimmed = log.trim({ before: 0, excessBytes: 1e12 });
        trimmed !== undefined;
        trimmed = log.trim({ before: 0, excessBytes: 1e12 })
      ) {
        expect(trimmed.bytes).toBeLessThan(storeLimits.tidyBytesMax + long);
        rounds++;
        if (!trimmed.more) break;
      }
      expect(rounds).toBeGreaterThan(7);
      expect(log.trim({ before: 0, excessBytes: 1e12 })).toBeUndefined();
    });
    // What is too old goes in rounds as well: a day's long images do not go at once.
    await withLog(fill, (_writer, log) => expect(log.trim({ before: Date.now() + 60_000, excessBytes: 0 })).toMatchObject({ more: true }));
  });

  test('drops nothing that is neither old nor too much', async () => {
    await withLog((store) => change(store, 0, 10), (writer, log) => {
      const size = new LogSize(writer);
      while (size.countOn());
      expect(log.trim({ before: 0, excessBytes: 0 })).toBeUndefined();
      expect(log.trim({ before: 0, excessBytes: -size.bytes })).toBeUndefined();
    });
  });

  test('leaves a size that is the one of what is left, also where others delete or begin anew', async () => {
    await withLog((store) => change(store, 0, 2_500), (writer, log) => {
      const sizeOf = (counted: LogSize) => {
        while (counted.countOn());
        return counted.bytes;
      };
      const size = new LogSize(writer);
      const whole = sizeOf(size);
      expect(whole).toBeGreaterThan(2_500 * 2_000);
      const trimmed = log.trim({ before: 0, excessBytes: 1_000_000 });
      size.trimmed(trimmed?.first ?? 0, trimmed?.bytes ?? 0);
      expect([sizeOf(size), sizeOf(size) < whole]).toEqual([sizeOf(new LogSize(writer)), true]);
      writer.database.run('DELETE FROM _log WHERE seq < (SELECT max(seq) - 100 FROM _log)');
      expect(sizeOf(size)).toBe(sizeOf(new LogSize(writer)));
      writer.database.run('DELETE FROM _log');
      beginEpoch({ writer, clock: Date.now, random: (bytes) => 'a'.repeat(bytes * 2) });
      expect(sizeOf(size)).toBe(sizeOf(new LogSize(writer)));
    });
  });
});

describe('records of idempotency', () => {
  const answer = 'x'.repeat(5_000);
  const keyed = (store: Store, key: string, at: number) =>
    store.write([put(things, key, {})], { deadline: at + 5_000, once: { key, fingerprint: 'f', answer: () => answer } });
  const recordsOf = (place: SqlitePlace) => place.foreign().prepare<{ rows: number }, []>('SELECT count(*) AS rows FROM _once').get()?.rows;

  test('are kept for a day, and forgotten then', async () => {
    let now = Date.now();
    const place = await openSqlitePlace({ resources, clock: () => now });
    await keyed(place.store, 'k', now);
    now += storeLimits.onceMs - 60_000;
    expect((await keyed(await place.reopen(), 'k', now)).replayed).toBe(answer);
    now += 120_000;
    const store = await place.reopen();
    await eventually('no record', () => recordsOf(place) === 0);
    expect((await keyed(store, 'k', now)).replayed).toBeUndefined();
    await place.remove();
  });

  test('take no more room than they may but for those of the last hour, and whose day is cut short is warned of', async () => {
    let now = Date.now();
    const warnings: unknown[] = [];
    const place = await openSqlitePlace({
      resources,
      clock: () => now,
      logBytesMax: 100_000,
      onWarning: (message, { records }) => warnings.push([message, records]),
    });
    for (let round = 0; round < 250; round++) await keyed(place.store, `k${round}`, now);
    place.foreign().run('UPDATE _once SET at = at - ?', [storeLimits.onceMsMin - 60_000]);
    await keyed(await place.reopen(), 'young', now);
    now += 120_000;
    const store = await place.reopen();
    await eventually('fewer records', () => recordsOf(place) === 19);
    expect((await keyed(store, 'k249', now)).replayed).toBe(answer);
    expect((await keyed(store, 'young', now)).replayed).toBe(answer);
    expect((await keyed(store, 'k200', now)).replayed).toBeUndefined();
    await eventually('a warning', () => warnings.length > 0);
    expect(warnings).toEqual([['idempotency records were forgotten before their day was over: they take too much room', 232]]);
    await place.remove();
  });
});
