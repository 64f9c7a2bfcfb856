/** The directory in which a program keeps what it must not lose. */
import { mkdirSync } from 'node:fs';
import { SettingsError } from '../shared/settings/reader.ts';
import { messageOf } from '../shared/message-of.ts';

/** For its owner alone; throws a `SettingsError` where it is not there and cannot be made. */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SettingsError([`TOMBOLO_DATA_DIR: ${dataDir} cannot be made: ${messageOf(cause)}`]);
  }
}
