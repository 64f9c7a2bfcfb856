/**
 * The plan of the embedded SQLite, read and filled in beside an origin that may run. A start makes tables, indexes and checks
 * by itself, so there are no steps but those for documents.
 */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '../../../shared/contract/resource.ts';
import { defaultSteps } from '../examination/default-steps.ts';
import type { Planner } from '../planned.ts';
import { quote } from './install/ddl.ts';
import { examineTable } from './read/examined-documents.ts';
import { sharedKeysOf } from './read/shared-keys.ts';
import { databaseName } from './connection/database.ts';
import { toDefaultCommands } from './write/default-commands.ts';
import { fillDefaults } from './write/fill-defaults.ts';
import { FilledNotes } from './write/filled-notes.ts';

/** The wait for whoever else writes. */
const lockedMsMax = 10_000;

export interface FileOptions {
  readonly dataDir: string;
  /** Whether it will be written to. */
  readonly isWritten: boolean;
}

/** Says whether there is a file; a start makes it. */
export async function withFile({ dataDir, isWritten }: FileOptions, use: (planner: Planner) => Promise<void>): Promise<boolean> {
  const path = join(dataDir, databaseName);
  if (!existsSync(path)) return false;
  const database = new Database(path, isWritten ? { readwrite: true } : { readonly: true });
  try {
    database.run(`PRAGMA busy_timeout = ${lockedMsMax}`);
    await use(sqlitePlanner(path, database));
    return true;
  } finally {
    database.close();
  }
}

function sqlitePlanner(path: string, database: Database): Planner {
  /** A table that the next start makes holds nothing. */
  const isThere = ({ collection }: Resource) =>
    database.query<object, [name: string]>(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`).get(collection) !== null;
  return {
    place: `the database "${path}"`,
    steps: async () => [],
    examine: async (resource, isFull) => (isThere(resource) ? examineTable(database, resource, isFull) : undefined),
    sharedKeys: async (resource, isFull) =>
      isThere(resource) ? Promise.all(resource.unique.map((unique) => sharedKeysOf(database, resource, unique, isFull))) : [],
    async defaultSteps(resource, examination) {
      const counted = database.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${quote(resource.collection)}`).get();
      const documents = counted?.count ?? 0;
      return defaultSteps(resource, examination, { documents, commandsOf: (place) => toDefaultCommands(resource, place) });
    },
    apply: async () => undefined,
    fill: async (resource) => (isThere(resource) ? fillDefaults(database, resource) : undefined),
    filledIn: async (collection) => new FilledNotes(database).filledIn(collection),
    undoFill: async (collection) => new FilledNotes(database).undo(collection),
    isNoted: async () => true,
  };
}
