/** Whether a restore was cut short at the one moment at which no database has its name. */
import { existsSync } from 'node:fs';
import { StoreNotReady } from '../../not-ready.ts';

/** What is being put in the place of a file. */
export const restoredOf = (path: string): string => `${path}.restored`;

/** Throws a `StoreNotReady`: a start would make an empty database where one was to come back. */
export function mustBeWhole(path: string): void {
  if (existsSync(path) || !existsSync(restoredOf(path))) return;
  throw new StoreNotReady(path, ['a restore was cut short; begin it again: npm run restore -- FILE']);
}
