/**
 * A copy taken back to an earlier moment: the changes that its log has of after it are undone, the last one first. What a
 * transaction of Tombolo's changed has one moment and is undone whole or not at all; what another program changed has that of
 * each of its statements. Consumers' cursors stay, and are of the epoch before; people are in another file.
 */
import type { Database } from 'bun:sqlite';
import type { LogEntry } from '../feed/log.ts';
import { quote } from '../install/ddl.ts';
import { openWriter } from '../connection/database.ts';
import { UnsoundBackup } from './manifest.ts';

export interface Rewinding {
  /** The copy, which nobody else has open. */
  readonly path: string;
  /** What it is called in a refusal. */
  readonly told: string;
  readonly to: Date;
  /** Tables of the resources, by name. */
  readonly tables: ReadonlyMap<string, string>;
}

/** How many changes were undone. Throws an `UnsoundBackup` where the log does not lead back to that moment; the copy is of no use then. */
export function rewind(rewinding: Rewinding): number {
  const { database } = openWriter(rewinding.path);
  try {
    database.run('BEGIN IMMEDIATE');
    const undone = rewindIn(database, rewinding);
    database.run('COMMIT');
    return undone;
  } finally {
    // The last connection to close leaves one file.
    database.close();
  }
}

function rewindIn(database: Database, { told, to, tables }: Rewinding): number {
  const first = database.query<Pick<LogEntry, 'at'>, []>('SELECT at FROM _log ORDER BY seq LIMIT 1').get();
  if (first === null || first.at > to.getTime()) {
    const since = first === null ? 'empty' : `kept since ${new Date(first.at).toISOString()}`;
    throw new UnsoundBackup(told, `leads no further back than its change log, which is ${since}`);
  }
  forgetWhatRan(database, to);
  const after = database.query<{ cut: number | null; end: number }, [number]>(
    'SELECT (SELECT min(seq) FROM _log WHERE at > ?) AS cut, (SELECT max(seq) FROM _log) AS end',
  ).get(to.getTime());
  if (after?.cut == null) return 0;
  const { cut, end } = after;
  // As in a transaction of Tombolo's own: documents of before are what they were, also where they would be refused today.
  database.run('INSERT INTO _own DEFAULT VALUES');
  const entries = database.prepare<LogEntry, [number, number]>('SELECT * FROM _log WHERE seq BETWEEN ? AND ? ORDER BY seq DESC');
  for (const entry of entries.iterate(cut, end)) undo(database, entry, mustTable(entry, { told, tables }), told);
  database.run('DELETE FROM _own');
  // Triggers have logged what was undone, too.
  database.run('DELETE FROM _log WHERE seq >= ?', [cut]);
  return end - cut + 1;
}

function mustTable({ kind, resource, at }: LogEntry, { told, tables }: Pick<Rewinding, 'told' | 'tables'>): string {
  const when = new Date(at).toISOString();
  if (kind === 'start') throw new UnsoundBackup(told, `leads no further back than ${when}, where its history begins anew`);
  if (kind === 'resource') throw new UnsoundBackup(told, `does not tell what became of all ${resource} at ${when}`);
  const table = tables.get(resource);
  if (table === undefined) throw new UnsoundBackup(told, `has changes of ${resource} at ${when}, which is not declared any more`);
  return table;
}

function undo(database: Database, { id, before, after, at }: LogEntry, table: string, told: string): void {
  const found = database.query<{ doc: string }, [string]>(`SELECT doc FROM ${quote(table)} WHERE id = ?`).get(id);
  if ((found?.doc ?? null) !== after) {
    throw new UnsoundBackup(told, `has another ${table} ${JSON.stringify(id)} than its change log says of ${new Date(at).toISOString()}`);
  }
  if (before === null) database.query(`DELETE FROM ${quote(table)} WHERE id = ?`).run(id);
  else if (found === null) database.query(`INSERT INTO ${quote(table)} (id, doc) VALUES (?, ?)`).run(id, before);
  else database.query(`UPDATE ${quote(table)} SET doc = ? WHERE id = ?`).run(before, id);
}

/** Answers to requests that are undone, and notes of defaults that were filled in since. */
function forgetWhatRan(database: Database, to: Date): void {
  for (const table of ['_once', '_filled']) {
    if (database.query('SELECT 1 FROM sqlite_master WHERE name = ?').get(table) === null) continue;
    database.run(`DELETE FROM ${table} WHERE at > ?`, [to.getTime()]);
  }
}
