/** Backups and restores where the disk is full or read-only: said in words, nothing half written, done once there is room. */
import { afterEach, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openSqliteStore } from '../../origin/store/sqlite/sqlite-store.ts';
import { inTime, put, textOf } from '../suites/store/harness.ts';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { open as things } from '../suites/store/things.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { testThat } from '../support/needs.ts';
import { Program } from '../support/program.ts';
import { fill, makeReadOnly, makeWritable, mayMount, openSmallDisk } from '../support/small-disk.ts';

const project = join(import.meta.dir, '../..');
const mountTest = testThat(mayMount);
const disposals = disposedAfterEach();

let dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  dirs = [];
});

function newDir(): string {
  const dir = makeTempDir();
  dirs.push(dir);
  return dir;
}

async function run(command: 'backup' | 'restore', dataDir: string, ...options: readonly string[]) {
  const env = { ...process.env, MONGODB_URI: '', TOMBOLO_DATA_DIR: dataDir };
  const program = new Program([process.execPath, `origin/database/${command}.ts`, ...options], { cwd: project, env });
  const { code } = await program.ended(60_000);
  return { code, text: program.output };
}

async function write(dataDir: string, text: string): Promise<void> {
  const store = await openSqliteStore({ dataDir, resources: [things] });
  await store.write([put(things, 'a', { text }), put(things, 'b', { text: 'x'.repeat(1_000_000) })], inTime());
  await store.close();
}

async function written(dataDir: string): Promise<string | undefined> {
  const store = await openSqliteStore({ dataDir, resources: [things] });
  try {
    return await textOf(store, things, 'a');
  } finally {
    await store.close();
  }
}

const here = (dataDir: string): readonly string[] =>
  readdirSync(dataDir).filter((name) => !/-(wal|shm|journal)$/.test(name)).sort();

mountTest('a backup has no room, or may not write, and leaves nothing; with room it is taken', async () => {
  const dataDir = newDir();
  const disk = openSmallDisk(8);
  disposals.push(disk.remove);
  const into = join(disk.dir, 'backups');
  mkdirSync(into);
  await write(dataDir, 'here');
  const filling = fill(disk.dir, 200_000);
  expect(await run('backup', dataDir, into)).toEqual({ code: 1, text: 'tombolo backup: database or disk is full\n' });
  expect(readdirSync(into)).toEqual([]);
  rmSync(filling);
  makeReadOnly(disk.dir);
  expect(await run('backup', dataDir, into)).toMatchObject({ code: 1, text: expect.stringMatching(/^tombolo backup: EROFS.*\n$/) });
  makeWritable(disk.dir);
  expect((await run('backup', dataDir, into)).code).toBe(0);
  expect(readdirSync(into)).toHaveLength(2);
});

mountTest('a restore has no room, or may not write, and changes nothing; with room it is done', async () => {
  const disk = openSmallDisk(16);
  disposals.push(disk.remove);
  const [dataDir, into] = [join(disk.dir, 'data'), newDir()];
  await write(dataDir, 'old');
  expect((await run('backup', dataDir, into)).code).toBe(0);
  await write(dataDir, 'new');
  for (const bytesLeft of [0, 500_000]) {
    const filling = fill(disk.dir, bytesLeft);
    const { code, text } = await run('restore', dataDir, into);
    expect([code === 69 || code === 78, text]).toEqual([true, expect.stringMatching(/(the disk is full|ENOSPC)[^]*Nothing was done\n$/)]);
    expect(here(dataDir)).toEqual(['tombolo.sqlite', 'writer.lock']);
    rmSync(filling);
  }
  makeReadOnly(disk.dir);
  expect(await run('restore', dataDir, into)).toMatchObject({ code: 78, text: expect.stringMatching(/EROFS.*Nothing was done\n$/) });
  makeWritable(disk.dir);
  expect(await written(dataDir)).toContain('new');
  expect((await run('restore', dataDir, into)).code).toBe(0);
  expect(await written(dataDir)).toContain('old');
});

mountTest('a store that stops on a full disk has lost nothing that it said was written', async () => {
  const disk = openSmallDisk(16);
  disposals.push(disk.remove);
  const dataDir = join(disk.dir, 'data');
  const store = await openSqliteStore({ dataDir, resources: [things] });
  await store.write([put(things, 'a', { text: 'written' }), put(things, 'b', { text: 'x'.repeat(2_000_000) })], inTime());
  const filling = fill(disk.dir);
  await store.close();
  rmSync(filling);
  expect(await written(dataDir)).toContain('written');
});

test('a damaged backup on a host of its own leaves nothing there that a start would stumble over', async () => {
  const [dataDir, into, fresh] = [newDir(), newDir(), newDir()];
  await write(dataDir, 'old');
  expect((await run('backup', dataDir, into)).code).toBe(0);
  const [name = ''] = readdirSync(into).filter((each) => each.endsWith('.sqlite'));
  const path = join(into, basename(name));
  writeFileSync(path, new Uint8Array(statSync(path).size));
  expect(await run('restore', fresh, path)).toMatchObject({ code: 65, text: expect.stringContaining('SHA-256 differs') });
  expect(here(fresh)).toEqual(['writer.lock']);
  expect(await written(fresh)).toBeUndefined();
});
