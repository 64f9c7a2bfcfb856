/** How many processes were asked for: `--processes N`. */
import { parseArgs } from 'node:util';
import { SettingsError } from '../../shared/settings/reader.ts';
import type { Settings } from '../settings.ts';
import { whyWrong } from '../usage.ts';

/** Each has connections to the database, and threads, of its own. */
const processesMax = 64;

/** `undefined`: the option is not there. Throws a `SettingsError` at what cannot be. */
export function mustCount(given: readonly string[], { originPort }: Settings): number | undefined {
  const text = parsed(given);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!/^\d{1,2}$/.test(text) || count < 1 || count > processesMax) {
    throw new SettingsError([`--processes: must be a whole number from 1 to ${processesMax}`]);
  }
  if (originPort === 0) throw new SettingsError(['TOMBOLO_ORIGIN_PORT: is 0; several processes share a port that is named']);
  return count;
}

function parsed(given: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...given], options: { processes: { type: 'string' } } }).values.processes;
  } catch (cause) {
    throw new SettingsError([`${whyWrong(cause)}; there is --processes N`]);
  }
}
