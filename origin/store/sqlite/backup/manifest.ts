/** What stands beside a backup: what it was when it was taken, so that a restore can tell whether it still is. */
import { Database } from 'bun:sqlite';
import { existsSync, readFileSync, statSync } from 'node:fs';
import * as z from 'zod';
import { quote } from '../install/ddl.ts';

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** RFC 3339. */
  takenAt: z.iso.datetime(),
  bytes: z.int().nonnegative(),
  /** In hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the last change in it. */
  epoch: z.string(),
  sequence: z.int(),
  /** By table: a resource's `collection`. */
  documents: z.record(z.string(), z.int().nonnegative()),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** A copy that is not what it should be, or no copy of a database of Tombolo's: nothing is done with it. */
export class UnsoundBackup extends Error {
  constructor(path: string, detail: string, options?: ErrorOptions) {
    super(`${path} ${detail}`, options);
    this.name = 'UnsoundBackup';
  }
}

export const manifestPath = (path: string): string => `${path}.json`;

/** Throws an `UnsoundBackup` where there is none that can be read. */
export function mustManifest(path: string): Manifest {
  const beside = manifestPath(path);
  if (!existsSync(beside)) throw new UnsoundBackup(path, `has no manifest beside it (${beside})`);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(beside, 'utf8')));
  } catch (cause) {
    throw new UnsoundBackup(beside, 'is no manifest of a backup', { cause });
  }
}

/** Reads all of a database that nobody writes to. Throws an `UnsoundBackup` that says what is wrong with it. */
export async function mustExamine(path: string, takenAt: Date): Promise<Manifest> {
  const held = readWhole(path);
  return { format: 1, takenAt: takenAt.toISOString(), bytes: statSync(path).size, sha256: await sha256Of(path), ...held };
}

export async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest('hex');
}

function readWhole(path: string): Pick<Manifest, 'epoch' | 'sequence' | 'documents'> {
  const database = new Database(path, { readonly: true });
  try {
    const found = database.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all();
    if (found[0]?.integrity_check !== 'ok') throw new UnsoundBackup(path, `is damaged: ${found[0]?.integrity_check ?? 'no answer'}`);
    const end = database.query<{ epoch: string | null; sequence: number | null }, []>(
      `SELECT (SELECT value FROM _meta WHERE key = 'epoch') AS epoch, (SELECT max(seq) FROM _log) AS sequence`,
    ).get();
    if (end?.epoch == null || end.sequence === null) throw new UnsoundBackup(path, 'has no history: it is no database of Tombolo\'s');
    return { epoch: end.epoch, sequence: end.sequence, documents: documentsIn(database) };
  } catch (cause) {
    if (cause instanceof UnsoundBackup) throw cause;
    throw new UnsoundBackup(path, `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
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
