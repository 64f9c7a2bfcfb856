/** A backup is one committed state, whole, whatever is written meanwhile; a restore takes no other, and can be cut short anywhere. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pruneBackups, takeBackup } from '../../../origin/store/sqlite/backup/take.ts';
import { putBack } from '../../../origin/store/sqlite/backup/put-back.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { inTime, put, remove, textOf } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

let place: SqlitePlace;
let into: string;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: [things] });
  into = join(place.dataDir, 'backups');
});
afterEach(() => place.remove());

const take = (now = new Date()) => takeBackup({ dataDir: place.dataDir, into, now });
const putBackFrom = (from: string, needsNoManifest = false) =>
  putBack({ dataDir: place.dataDir, from, now: new Date(), needsNoManifest });

/** Stops the store meanwhile, as a restore demands. */
async function restored(from: string, needsNoManifest = false) {
  await place.store.close();
  try {
    return await putBackFrom(from, needsNoManifest);
  } finally {
    await place.reopen();
  }
}

describe('a backup', () => {
  test('taken while another process writes pairs, one transaction each, has both of each pair or neither', async () => {
    const script = `
      const { openSqliteStore } = await import(${JSON.stringify(join(import.meta.dir, '../../../origin/store/sqlite/sqlite-store.ts'))});
      const { open } = await import(${JSON.stringify(join(import.meta.dir, 'things.ts'))});
      const store = await openSqliteStore({ dataDir: ${JSON.stringify(place.dataDir)}, resources: [open] });
      const put = (id) => ({ resource: open, id, decide: () => ({ kind: 'put', document: { text: 'x'.repeat(2000) } }) });
      for (let n = 0; ; n++) {
        await store.write([put('a' + n), put('b' + n)], { deadline: Date.now() + 30_000, atomic: true });
        if (n === 50) console.log('writing');
      }`;
    await place.store.close();
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
    try {
      await child.stdout.getReader().read();
      const counts: number[] = [];
      for (let round = 0; round < 5; round++) {
        const { path, manifest } = await take();
        const copy = new Database(path, { readonly: true });
        const unpaired = copy.query(
          `SELECT count(*) AS n FROM "${things.collection}" AS t WHERE NOT EXISTS (SELECT 1 FROM "${things.collection}" AS o
           WHERE o.id = iif(substr(t.id, 1, 1) = 'a', 'b', 'a') || substr(t.id, 2))`,
        ).get();
        copy.close();
        expect(unpaired).toEqual({ n: 0 });
        counts.push(manifest.documents[things.collection] ?? 0);
      }
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts[4]).toBeGreaterThan(counts[0] ?? 0);
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill('SIGKILL');
      await child.exited;
      await place.reopen();
    }
  });

  test('is for its owner alone, says what is in it, and leaves nothing half beside it', async () => {
    await place.store.write([put(things, 'a', { text: 'one' })], inTime());
    const { path, manifest } = await take();
    expect(manifest.documents).toEqual({ [things.collection]: 1 });
    expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toEqual(manifest);
    expect(readdirSync(into)).toHaveLength(2);
    for (const name of readdirSync(into)) expect(statSync(join(into, name)).mode & 0o077).toBe(0);
  });

  test('of a damaged database is none', async () => {
    for (let n = 0; n < 200; n++) await place.store.write([put(things, `id${n}`, { text: 'x'.repeat(1_000) })], inTime());
    await place.store.close();
    const bytes = readFileSync(place.path);
    // The middle of the file: pages of documents.
    bytes.fill(0x5a, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 8_192);
    const whole = readFileSync(place.path);
    writeFileSync(place.path, bytes);
    await expect(take()).rejects.toThrow(/damaged|malformed|cannot be read/);
    expect(readdirSync(into)).toEqual([]);
    writeFileSync(place.path, whole);
    await place.reopen();
  });

  test('goes when newer ones are enough; one that is not whole is not counted', async () => {
    const taken = [await take(new Date(1)), await take(new Date(2)), await take(new Date(3))].map(({ path }) => path);
    rmSync(`${taken[2]}.json`);
    expect(pruneBackups(into, 1)).toEqual([taken[0] ?? '']);
    expect([existsSync(taken[1] ?? ''), existsSync(taken[2] ?? '')]).toEqual([true, true]);
  });
});

describe('a restore', () => {
  test('brings back what was, in a new epoch, and keeps aside what was there', async () => {
    const { position } = await place.store.write([put(things, 'a', { text: 'old' })], inTime());
    const { path } = await take();
    await place.store.write([put(things, 'a', { text: 'new' }), put(things, 'b', {})], inTime());
    const { aside, documents } = await restored(path);
    expect(documents).toEqual({ [things.collection]: 1 });
    expect(await textOf(place.store, things, 'a')).toContain('old');
    expect(await textOf(place.store, things, 'b')).toBeUndefined();
    expect((await place.store.head()).epoch).not.toBe(position.epoch);
    const kept = await openSqliteStore({ dataDir: aside ?? '', resources: [things] });
    expect(await textOf(kept, things, 'a')).toContain('new');
    await kept.close();
  });

  test('is refused while an origin runs on the file, and while another program has it open', async () => {
    const { path } = await take();
    await expect(putBackFrom(path)).rejects.toThrow('an origin runs on it; stop that first');
    await place.store.close();
    const other = new Database(place.path, { readwrite: true });
    other.query(`SELECT count(*) FROM "${things.collection}"`).get();
    await expect(putBackFrom(path)).rejects.toThrow('another program has it open');
    other.close();
    await place.reopen();
  });

  test.each([
    ['changed', /SHA-256 differs/, (path: string) => {
      const bytes = readFileSync(path);
      bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }],
    ['cut', /SHA-256 differs/, (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 8_192))],
    ['without a manifest', /has no manifest/, (path: string) => rmSync(`${path}.json`)],
    ['beside another manifest', /is no manifest/, (path: string) => writeFileSync(`${path}.json`, '{"format":2}')],
    ['gone', /is not there/, (path: string) => rmSync(path)],
  ])('of a backup that is %s changes nothing', async (_title, said, spoil) => {
    await place.store.write([put(things, 'a', { text: 'old' })], inTime());
    const { path } = await take();
    await place.store.write([put(things, 'a', { text: 'new' })], inTime());
    const { epoch } = await place.store.head();
    spoil(path);
    await expect(restored(path)).rejects.toThrow(said);
    expect(await textOf(place.store, things, 'a')).toContain('new');
    expect((await place.store.head()).epoch).toBe(epoch);
    expect(readdirSync(place.dataDir).filter((name) => /restore/.test(name))).toEqual([]);
  });

  test('takes a copy of another program where that is said, and no database of others', async () => {
    await place.store.write([put(things, 'a', { text: 'old' })], inTime());
    const copy = join(place.dataDir, 'copy.sqlite');
    const program = new Database(place.path, { readonly: true });
    program.prepare('VACUUM INTO ?').run(copy);
    program.close(true);
    await place.store.write([remove(things, 'a')], inTime());
    const strange = join(place.dataDir, 'strange.sqlite');
    const other = new Database(strange, { create: true });
    other.run('CREATE TABLE t (x)');
    other.close();
    await expect(restored(strange, true)).rejects.toThrow(/no database of Tombolo's|cannot be read/);
    expect(await textOf(place.store, things, 'a')).toBeUndefined();
    await restored(copy, true);
    expect(await textOf(place.store, things, 'a')).toContain('old');
  });

  test('cut short when the old name is gone, is no empty database at the next start, and is done again', async () => {
    await place.store.write([put(things, 'a', { text: 'old' })], inTime());
    const { path } = await take();
    await place.store.close();
    rmSync(place.path);
    writeFileSync(join(place.dataDir, 'tombolo.sqlite.restored'), 'half');
    await expect(openSqliteStore({ dataDir: place.dataDir, resources: [things] })).rejects.toThrow('a restore was cut short');
    expect(existsSync(join(place.dataDir, databaseName))).toBe(false);
    await putBackFrom(path);
    await place.reopen();
    expect(await textOf(place.store, things, 'a')).toContain('old');
  });
});
