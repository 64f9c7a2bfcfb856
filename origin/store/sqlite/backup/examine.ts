/** Reads all of a copy, to tell whether it is whole and what is in it. */
import { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { quote } from '../install/ddl.ts';
import { type Manifest, type PeopleManifest, UnsoundBackup } from './manifest.ts';
import { messageOf } from '../../../../shared/message-of.ts';

/** Of a database that nobody writes to. Throws an `UnsoundBackup` that says what is wrong with it. */
export async function mustExamine(path: string, takenAt: Date): Promise<Manifest> {
  const held = readWhole(path, (database) => {
    const end = database.query<{ epoch: string | null; sequence: number | null }, []>(
      `SELECT (SELECT value FROM _meta WHERE key = 'epoch') AS epoch, (SELECT max(seq) FROM _log) AS sequence`,
    ).get();
    if (end?.epoch == null || end.sequence === null) throw new UnsoundBackup(path, 'has no history: it is no database of Tombolo\'s');
    return { epoch: end.epoch, sequence: end.sequence, documents: documentsIn(database) };
  });
  return { format: 1, takenAt: takenAt.toISOString(), ...await fileAt(path), ...held };
}

/** Of a people's file that nobody writes to. Throws an `UnsoundBackup` that says what is wrong with it. */
export async function mustExaminePeople(path: string): Promise<PeopleManifest> {
  const accounts = readWhole(path, (database) => {
    const isInstalled = database.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'user'`).get() !== null;
    return isInstalled ? database.query<{ count: number }, []>('SELECT count(*) AS count FROM user').get()?.count ?? 0 : 0;
  });
  return { ...await fileAt(path), accounts };
}

export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest('hex');
}

async function fileAt(path: string): Promise<Pick<Manifest, 'bytes' | 'sha256'>> {
  return { bytes: statSync(path).size, sha256: await sha256Of(path) };
}

function readWhole<Held>(path: string, read: (database: Database) => Held): Held {
  const database = new Database(path, { readonly: true });
  try {
    const found = database.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all();
    if (found[0]?.integrity_check !== 'ok') throw new UnsoundBackup(path, `is damaged: ${found[0]?.integrity_check ?? 'no answer'}`);
    return read(database);
  } catch (cause) {
    if (cause instanceof UnsoundBackup) throw cause;
    throw new UnsoundBackup(path, `cannot be read: ${messageOf(cause)}`, { cause });
  } finally {
    database.close();
  }
}

/** Tables of documents are those with `id` and `doc`, declared today or not; Tombolo's own begin with `_`. */
function documentsIn(database: Database): Record<string, number> {
  const tables = database.query<{ name: string }, []>(
    `SELECT name FROM sqlite_master AS t WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND
     (SELECT count(*) FROM pragma_table_info(t.name) WHERE name IN ('id', 'doc')) = 2 ORDER BY name`,
  ).all();
  return Object.fromEntries(tables.map(({ name }) => {
    const counted = database.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${quote(name)}`).get();
    return [name, counted?.count ?? 0];
  }));
}
