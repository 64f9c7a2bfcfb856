/** Whether a restore was cut short at the one moment at which no database has its name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StoreNotReady } from '../../not-ready.ts';

/** What is being put in the place of the database. */
export const restoredName = 'tombolo.sqlite.restored';

/** Throws a `StoreNotReady`: a start would make an empty database where one was to come back. */
export function mustBeWhole(dataDir: string, path: string): void {
  if (existsSync(path) || !existsSync(join(dataDir, restoredName))) return;
  throw new StoreNotReady(path, ['a restore was cut short; begin it again: npm run restore -- FILE']);
}
