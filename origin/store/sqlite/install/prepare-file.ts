/** The file made fit for this contract, and its history: when it goes on, and when a new epoch begins. */
import { eq } from 'drizzle-orm';
import type { Position } from '../../../../shared/wire/position.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { type Connection, databaseName } from '../connection/database.ts';
import { install, type Installed } from './install.ts';
import { ChangeLog } from '../feed/log.ts';
import { meta } from './system-records.ts';

export interface History {
  readonly writer: Connection;
  readonly clock: () => number;
  /** That many random bytes, in hex. */
  readonly random: (bytes: number) => string;
}

/** Throws a `StoreNotReady`, and changes nothing, where that would change what others who share the file have declared. */
export function prepareFile(history: History, resources: readonly Resource[], { isAlone }: { readonly isAlone: boolean }): Installed {
  const { database } = history.writer;
  database.run('BEGIN IMMEDIATE');
  try {
    const installed = mendFile(history, resources);
    if (installed.changed && !isAlone) throw new StoreNotReady(databaseName, [othersDeclare], { isOthers: true });
    database.run('COMMIT');
    return installed;
  } catch (error) {
    if (database.inTransaction) database.run('ROLLBACK');
    throw error;
  }
}

const othersDeclare = 'processes that declare other fields, shapes or keys serve from it; this one begins once they have ended';

interface Warned {
  onWarning(message: string, facts: Readonly<Record<string, unknown>>): void;
}

/** Mends the file inside a write transaction. `head` is the last position known: a log without it is not ours any more. */
export function mendFile(history: History, resources: readonly Resource[], head?: Position): Installed {
  const { writer } = history;
  const installed = install(writer.database, resources);
  const known = writer.queries.select().from(meta).where(eq(meta.key, 'epoch')).get();
  const intact = known !== undefined && installed.holes.length === 0 && new ChangeLog(writer).continues(head);
  if (!intact) beginEpoch(history, installed.holes);
  return installed;
}

/** Begins an epoch inside a write transaction. */
export function beginEpoch({ writer, clock, random }: History, holes: readonly string[] = []): void {
  const epoch = random(8);
  writer.queries.insert(meta).values({ key: 'epoch', value: epoch }).onConflictDoUpdate({ target: meta.key, set: { value: epoch } }).run();
  const log = new ChangeLog(writer);
  log.mark('start', '', clock());
  for (const resource of holes) log.mark('resource', resource, clock());
}

export function warnOfKeys({ foreignKeys }: Installed, { onWarning }: Warned): void {
  if (foreignKeys.length > 0) {
    onWarning('others made unique indexes; rows that INSERT OR REPLACE displaces through them go unseen', { indexes: foreignKeys });
  }
}
