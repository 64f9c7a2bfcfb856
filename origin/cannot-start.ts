/** The words and the exit code of a start that fails for what whoever operates this has to mend. */
import { DeclarationError } from '../shared/checks/mistakes.ts';
import { SettingsError } from '../shared/settings/reader.ts';
import { exitConfiguration, exitOthers } from './exit-codes.ts';
import { StoreNotReady } from './store/not-ready.ts';

interface Program {
  readonly name: string;
  /** The setting of the port that it listens on. */
  readonly portVariable: string;
}

/** Runs a start; one that fails for a mistake ends the process with it in one line. */
export async function orCannotStart({ name, portVariable }: Program, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const isMistake = thrown instanceof DeclarationError || thrown instanceof SettingsError || thrown instanceof StoreNotReady;
    const isPort = (thrown as { code?: string }).code === 'EADDRINUSE';
    if (!isMistake && !isPort) throw thrown;
    const why = isMistake ? thrown.message : `the port of ${portVariable} is in use by another program`;
    process.stderr.write(`${name} cannot start: ${why}\n`);
    process.exit(thrown instanceof StoreNotReady && thrown.isOthers ? exitOthers : exitConfiguration);
  }
}
