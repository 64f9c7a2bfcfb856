/** Accounts that were deleted since a backup, as later files of people tell (`origin/people/departed.ts`): what is put back tells too. */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { rememberedMs } from '../../../people/departed.ts';
import { UnsoundBackup } from './manifest.ts';

interface Departed {
  readonly id: string;
  readonly subject: string;
  readonly expiresAt: string | number;
}

interface List {
  /** The table as it was made. */
  readonly table: string;
  readonly rows: readonly Departed[];
}

interface Keeping {
  readonly copy: string;
  /** Files that come after it and tell, if they can be read. */
  readonly known: readonly string[];
  /** Files that must tell. */
  readonly named: readonly string[];
  /** Where documents are of this moment, and so may be of accounts that were deleted between it and the copy. */
  readonly since: Date | undefined;
}

/**
 * Adds to a copy of people whom later files name. Returns how many accounts of the copy were deleted since, and end at the next start.
 * Throws an `UnsoundBackup` where a named file tells of none.
 */
export function keepDeparted({ copy, known, named, since }: Keeping): number {
  const lists = [...known.filter((path) => existsSync(path)).map(listIfAny), ...named.map(mustList)].filter((list) => list !== undefined);
  const database = new Database(copy, { readwrite: true });
  try {
    for (const { table, rows } of lists) {
      if (!hasList(database)) database.run(table);
      const add = database.query('INSERT OR IGNORE INTO departed (id, subject, expiresAt) VALUES (?, ?, ?)');
      database.run('BEGIN');
      for (const { id, subject, expiresAt } of rows) add.run(id, subject, expiresAt);
      database.run('COMMIT');
    }
    if (!hasList(database)) return 0;
    if (since !== undefined) bringBack(database, since);
    const back = 'SELECT count(*) AS count FROM user WHERE id IN (SELECT subject FROM departed)';
    return database.query<{ count: number }, []>(back).get()?.count ?? 0;
  } finally {
    database.close();
  }
}

/** Accounts without anything but their ids, whose documents are back: they end with these as any that is on the list. */
function bringBack(database: Database, since: Date): void {
  const add = database.query(
    `INSERT OR IGNORE INTO user (id, name, email, emailVerified, createdAt, updatedAt)
     VALUES (?1, '', ?1 || '@departed.invalid', 0, ?2, ?2)`,
  );
  const departed = database.query<Departed, []>('SELECT id, subject, expiresAt FROM departed').all();
  for (const { subject, expiresAt } of departed) {
    if (new Date(expiresAt).getTime() - rememberedMs > since.getTime()) add.run(subject, since.toISOString());
  }
}

/** A file that is damaged is a reason to restore, and no reason not to. */
function listIfAny(path: string): List | undefined {
  try {
    return readList(path);
  } catch {
    return undefined;
  }
}

function mustList(path: string): List {
  if (!existsSync(path)) throw new UnsoundBackup(path, 'is not there');
  try {
    const list = readList(path);
    if (list !== undefined) return list;
  } catch (cause) {
    throw new UnsoundBackup(path, 'cannot be read', { cause });
  }
  throw new UnsoundBackup(path, 'does not tell of deleted accounts');
}

function readList(path: string): List | undefined {
  const database = new Database(path, { readonly: true });
  try {
    const made = database.query<{ sql: string }, []>(`SELECT sql FROM sqlite_master WHERE name = 'departed'`).get();
    if (made === null) return undefined;
    return { table: made.sql, rows: database.query<Departed, []>('SELECT id, subject, expiresAt FROM departed').all() };
  } finally {
    database.close();
  }
}

function hasList(database: Database): boolean {
  return database.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'departed'`).get() !== null;
}
