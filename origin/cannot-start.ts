/** The words and the exit code of a start that fails: 78 where whoever operates this has to mend something (sysexits(3)). */
import { DeclarationError } from '../shared/contract/mistakes.ts';
import { SettingsError } from '../shared/settings/reader.ts';
import { StoreNotReady } from './store/not-ready.ts';

/** sysexits(3): the configuration is wrong. */
export const exitConfiguration = 78;

/** Runs a start of `tombolo <what>`; one that fails for a mistake ends the process with it in one line. */
export async function orCannotStart(what: string, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const why = toWhy(thrown);
    if (why === undefined) throw thrown;
    process.stderr.write(`tombolo ${what} cannot start: ${why}\n`);
    process.exit(exitConfiguration);
  }
}

function toWhy(thrown: unknown): string | undefined {
  if (thrown instanceof DeclarationError || thrown instanceof SettingsError || thrown instanceof StoreNotReady) return thrown.message;
  const isTaken = (thrown as { code?: string }).code === 'EADDRINUSE';
  return isTaken ? 'the port of TOMBOLO_ORIGIN_PORT is in use by another program' : undefined;
}
