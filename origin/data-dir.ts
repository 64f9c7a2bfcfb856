/** The directory in which a program keeps what it must not lose. */
import { mkdirSync } from 'node:fs';
import { SettingsError } from '../shared/settings/reader.ts';

/** For its owner alone; throws a `SettingsError` where it is not there and cannot be made. */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SettingsError([`TOMBOLO_DATA_DIR: ${dataDir} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`]);
  }
}
