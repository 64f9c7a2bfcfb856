/** A backup has the people's file too, in an order that leaves nobody half gone, and a restore puts both files back or neither. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peopleFileName } from '../../../origin/people/file.ts';
import { pruneBackups, takeBackup } from '../../../origin/store/sqlite/backup/take.ts';
import { putBack } from '../../../origin/store/sqlite/backup/put-back.ts';
import { asideOf, setAside } from '../../../origin/store/sqlite/backup/set-aside.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { inTime, put, textOf } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

let place: SqlitePlace;
let into: string;
let people: string;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: [things] });
  [into, people] = [join(place.dataDir, 'backups'), join(place.dataDir, peopleFileName)];
});
afterEach(() => place.remove());

const take = (now = new Date()) => takeBackup({ dataDir: place.dataDir, into, now });

/** Whoever has an account, in a file in WAL mode, as the origin keeps it. */
function writeAccounts(ids: readonly string[]): void {
  using file = new Database(people, { create: true });
  file.run('PRAGMA journal_mode = WAL');
  file.run('CREATE TABLE IF NOT EXISTS user (id TEXT PRIMARY KEY)');
  file.run('DELETE FROM user');
  file.transaction(() => ids.forEach((id) => file.run('INSERT INTO user VALUES (?)', [id])))();
}

function accountsIn(path: string): string[] {
  using file = new Database(path, { readonly: true });
  return file.query<{ id: string }, []>('SELECT id FROM user ORDER BY id').all().map(({ id }) => id);
}

/** Who was deleted, in a table as better-auth makes it. */
function writeDeparted(path: string, subjects: readonly string[]): void {
  using file = new Database(path);
  file.run('CREATE TABLE IF NOT EXISTS "departed" ("id" text PRIMARY KEY, "subject" text NOT NULL UNIQUE, "expiresAt" date NOT NULL)');
  for (const subject of subjects) file.run('INSERT INTO departed VALUES (?, ?, ?)', [`of-${subject}`, subject, '2099-01-01T00:00:00.000Z']);
}

function departedIn(path: string): string[] {
  using file = new Database(path, { readonly: true });
  return file.query<{ subject: string }, []>('SELECT subject FROM departed ORDER BY subject').all().map(({ subject }) => subject);
}

/** Stops the store meanwhile, as a restore demands. */
async function restored(from: string, needsNoManifest = false, departed: readonly string[] = []) {
  await place.store.close();
  try {
    return await putBack({ dataDir: place.dataDir, from, now: new Date(), needsNoManifest, departed });
  } finally {
    await place.reopen();
  }
}

/** The state of then in a backup, and another state since. */
async function takeAndGoOn(): Promise<string> {
  writeAccounts(['ada', 'ben']);
  await place.store.write([put(things, 'a', { text: 'old' })], inTime());
  const { path } = await take();
  writeAccounts(['ben', 'eve']);
  await place.store.write([put(things, 'a', { text: 'new' })], inTime());
  return path;
}

describe('a backup with people', () => {
  test('taken while accounts end has the job of each that is gone', async () => {
    const script = `
      const { Database } = await import('bun:sqlite');
      const { openSqliteStore } = await import(${JSON.stringify(join(import.meta.dir, '../../../origin/store/sqlite/sqlite-store.ts'))});
      const { open } = await import(${JSON.stringify(join(import.meta.dir, 'things.ts'))});
      const store = await openSqliteStore({ dataDir: ${JSON.stringify(place.dataDir)}, resources: [open] });
      const people = new Database(${JSON.stringify(people)});
      people.run('PRAGMA busy_timeout = 5000');
      for (let n = 0; ; n++) {
        const job = { resource: open, id: 'id' + n, decide: () => ({ kind: 'put', document: {} }) };
        await store.write([job], { deadline: Date.now() + 30_000 });
        people.run('DELETE FROM user WHERE id = ?', ['id' + n]);
        if (n === 20) console.log('ending');
      }`;
    writeAccounts(Array.from({ length: 20_000 }, (_, index) => `id${index}`));
    await place.store.close();
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
    try {
      await child.stdout.getReader().read();
      for (let round = 0; round < 4; round++) {
        const { path, manifest } = await take();
        const left = accountsIn(`${path}.people`).length;
        expect(manifest.people?.accounts).toBe(left);
        // One is under way: its job is there, and the account not yet gone.
        expect(left).toBeLessThan(20_000);
        expect(manifest.documents[things.collection]).toBeGreaterThanOrEqual(20_000 - left);
      }
      expect(child.exitCode).toBeNull();
    } finally {
      child.kill('SIGKILL');
      await child.exited;
      await place.reopen();
    }
  });

  test('is for its owner alone, says so in its manifest, and goes as one', async () => {
    writeAccounts(['ada']);
    const { path, manifest } = await take(new Date(1));
    expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toEqual(manifest);
    const copy = readFileSync(`${path}.people`);
    const sha256 = new Bun.CryptoHasher('sha256').update(copy).digest('hex');
    expect(manifest.people).toEqual({ accounts: 1, bytes: copy.byteLength, sha256 });
    expect(readdirSync(into)).toHaveLength(3);
    for (const name of readdirSync(into)) expect(statSync(join(into, name)).mode & 0o077).toBe(0);
    await take(new Date(2));
    expect(pruneBackups(into, 1)).toEqual([path]);
    expect(readdirSync(into)).toHaveLength(3);
    expect(existsSync(`${path}.people`)).toBe(false);
  });

  test('of a damaged people\'s file is none', async () => {
    writeFileSync(people, 'not a database, and longer than the header of one: '.repeat(100));
    await expect(take()).rejects.toThrow(/not a database|malformed/);
    expect(readdirSync(into)).toEqual([]);
  });
});

describe('a restore with people', () => {
  test('brings back both, and keeps both aside', async () => {
    const { aside, accounts } = await restored(await takeAndGoOn());
    expect([accounts, accountsIn(people)]).toEqual([2, ['ada', 'ben']]);
    expect(await textOf(place.store, things, 'a')).toContain('old');
    expect(statSync(people).mode & 0o077).toBe(0);
    expect(accountsIn(join(aside ?? '', peopleFileName))).toEqual(['ben', 'eve']);
    const kept = await openSqliteStore({ dataDir: aside ?? '', resources: [things] });
    expect(await textOf(kept, things, 'a')).toContain('new');
    await kept.close();
  });

  test.each([
    ['changed', /SHA-256 differs/, (path: string) => {
      const bytes = readFileSync(path);
      bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }],
    ['another backup\'s', /SHA-256 differs/, (path: string) => {
      writeAccounts(['mallory']);
      using file = new Database(people, { readonly: true });
      rmSync(path);
      file.prepare('VACUUM INTO ?').run(path);
      writeAccounts(['ben', 'eve']);
    }],
    ['gone', /\.people is not there/, (path: string) => rmSync(path)],
  ])('whose copy is %s changes neither', async (_title, said, spoil) => {
    const path = await takeAndGoOn();
    spoil(`${path}.people`);
    await expect(restored(path)).rejects.toThrow(said);
    expect([accountsIn(people), await textOf(place.store, things, 'a')]).toEqual([['ben', 'eve'], expect.stringContaining('new')]);
    expect(readdirSync(place.dataDir).filter((name) => /restore/.test(name))).toEqual([]);
  });

  test('is refused while another program has the people\'s file open', async () => {
    const path = await takeAndGoOn();
    const other = new Database(people, { readwrite: true });
    other.query('SELECT count(*) FROM user').get();
    await expect(restored(path)).rejects.toThrow('another program has it open');
    other.close();
    expect([accountsIn(people), await textOf(place.store, things, 'a')]).toEqual([['ben', 'eve'], expect.stringContaining('new')]);
    expect(readdirSync(place.dataDir).filter((name) => /restore/.test(name))).toEqual([]);
  });

  test('cut short between the two files is no pair of two times at the next start, and is done again', async () => {
    const path = await takeAndGoOn();
    await place.store.close();
    // As it stands where the database is set aside, and the people of then have their name.
    renameSync(place.path, `${place.path}.restored`);
    rmSync(people);
    writeFileSync(people, readFileSync(`${path}.people`));
    await expect(openSqliteStore({ dataDir: place.dataDir, resources: [things] })).rejects.toThrow('a restore was cut short');
    await restored(path);
    expect([accountsIn(people), await textOf(place.store, things, 'a')]).toEqual([['ada', 'ben'], expect.stringContaining('old')]);
  });

  test('of a time before there were people sets those aside who are here now', async () => {
    const { path, manifest } = await take();
    expect(manifest.people).toBeNull();
    writeAccounts(['eve']);
    const { aside, accounts } = await restored(path);
    expect([accounts, existsSync(people), accountsIn(join(aside ?? '', peopleFileName))]).toEqual([0, false, ['eve']]);
  });

  test.each([
    ['an older backup, whose manifest does not tell of people,', (path: string) => {
      const { people: _, ...older } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Record<string, unknown>;
      writeFileSync(`${path}.json`, JSON.stringify(older));
      rmSync(`${path}.people`);
    }, false],
    ['a copy of another program', (path: string) => rmSync(`${path}.json`), true],
  ] as const)('of %s leaves people as they are', async (_title, spoil, needsNoManifest) => {
    const path = await takeAndGoOn();
    spoil(path);
    const { accounts } = await restored(path, needsNoManifest);
    expect([accounts, accountsIn(people)]).toEqual([undefined, ['ben', 'eve']]);
    expect(await textOf(place.store, things, 'a')).toContain('old');
  });

  test('remembers who was deleted since, as the people in its place and later backups tell', async () => {
    const path = await takeAndGoOn();
    writeDeparted(people, ['ada']);
    writeDeparted(join(place.dataDir, 'later.people'), ['ada', 'ben', 'zoe']);
    expect(await restored(path)).toMatchObject({ accounts: 2, departing: 1 });
    expect([accountsIn(people), departedIn(people)]).toEqual([['ada', 'ben'], ['ada']]);
    expect(await restored(path, false, [join(place.dataDir, 'later.people')])).toMatchObject({ accounts: 2, departing: 2 });
    expect(departedIn(people)).toEqual(['ada', 'ben', 'zoe']);
  });

  /** As it stands where a restore ends before any file has its new name. */
  async function cutShort(path: string): Promise<void> {
    await place.store.close();
    setAside([place.path, people], asideOf(place.dataDir, new Date(1)));
    for (const [from, to] of [[path, place.path], [`${path}.people`, people]] as const) linkSync(from, `${to}.restored`);
  }

  test('cut short with the people set aside and begun again remembers whom those tell of as deleted', async () => {
    const path = await takeAndGoOn();
    writeDeparted(people, ['ada']);
    await cutShort(path);
    expect(await restored(path)).toMatchObject({ accounts: 2, departing: 1 });
    expect([accountsIn(people), departedIn(people)]).toEqual([['ada', 'ben'], ['ada']]);
  });

  test('cut short and begun again in vain lets no origin start', async () => {
    const path = await takeAndGoOn();
    await cutShort(path);
    const again = putBack({ dataDir: place.dataDir, from: `${path}.people`, now: new Date(), needsNoManifest: false });
    await expect(again).rejects.toThrow('has no manifest');
    await expect(openSqliteStore({ dataDir: place.dataDir, resources: [things] })).rejects.toThrow('a restore was cut short');
    await restored(path);
    expect(await textOf(place.store, things, 'a')).toContain('old');
  });

  test('of a time with people remembers whom those tell of whom a restore before it set aside', async () => {
    const { path: before } = await take(new Date(1));
    const path = await takeAndGoOn();
    writeDeparted(people, ['ada']);
    await restored(before);
    expect(existsSync(people)).toBe(false);
    expect(await restored(path)).toMatchObject({ accounts: 2, departing: 1 });
  });

  test('knows of nobody where the people in its place are damaged, and is refused where a file that is named is', async () => {
    const path = await takeAndGoOn();
    for (const [name, said] of [['gone.people', 'is not there'], ['damaged.people', 'cannot be read'], ['older.people', 'does not tell']]) {
      if (name === 'damaged.people') writeFileSync(join(place.dataDir, 'damaged.people'), 'no database, but as long as one has to be');
      if (name === 'older.people') writeFileSync(join(place.dataDir, 'older.people'), readFileSync(`${path}.people`));
      await expect(restored(path, false, [join(place.dataDir, name ?? '')])).rejects.toThrow(said);
      expect([accountsIn(people), await textOf(place.store, things, 'a')]).toEqual([['ben', 'eve'], expect.stringContaining('new')]);
    }
    rmSync(`${people}-wal`, { force: true });
    rmSync(`${people}-shm`, { force: true });
    writeFileSync(people, Buffer.alloc(8_192, 0x5a));
    expect(await restored(path)).toMatchObject({ accounts: 2, departing: 0 });
    expect(accountsIn(people)).toEqual(['ada', 'ben']);
  });
});
