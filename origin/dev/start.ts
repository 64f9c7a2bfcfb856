/**
 * `npm start`: edge and origin on one machine, as one process that owns workerd.
 *
 *   settings ─▶ ports free? ─▶ orphans ended ─▶ bundle ─▶ edge ─▶ origin ─▶ sample ─▶ ready ─▶ signal ─▶ stopped
 *
 * TERM, INT and Ctrl-C finish what runs and leave no process; a second one does not wait. After `kill -9` the
 * next start ends the workerd that was left, and everything that was acknowledged is there.
 */
import { join } from 'node:path';
import { SettingsError } from '../../shared/settings/reader.ts';
import { isMistake, toExitCode, toWords } from '../cannot-start.ts';
import { givenVariables } from '../given.ts';
import { StopWish } from '../stop-wish.ts';
import { Development } from './run-development.ts';

// What workerd keeps beside the data (`edge-state`) is for its owner's eyes alone, whoever made the directory.
process.umask(0o077);

/** What a stop may take at most; what is not done by then is cut. */
const stopMsMax = 9_000;

const development = new Development(join(import.meta.dir, '../..'));
const wish = new StopWish();
development.onStopAsked((signal) => void wish.make(() => close(signal)));

async function close(signal: string): Promise<void> {
  setTimeout(() => process.exit(1), stopMsMax).unref();
  process.stdout.write(`tombolo stops (${signal})\n`);
  await development.close();
}

try {
  const [option] = process.argv.slice(2);
  if (option !== undefined) throw new SettingsError([`${option}: there are no options; npm run settings prints what can be set`]);
  await development.start(givenVariables(), (line) => process.stdout.write(`${line}\n`));
} catch (cause) {
  if (!wish.isMade) {
    const why = isMistake(cause) ? toWords(cause) : cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    process.stderr.write(`tombolo cannot start: ${why}\n`);
    await development.close();
    process.exit(isMistake(cause) ? toExitCode(cause) : 1);
  }
}
