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

/** Runs a start; one that fails for a mistake ends the process with it in one line, or in a line for each of several. */
export async function orCannotStart({ name, portVariable }: Program, start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const isPort = (thrown as { code?: string }).code === 'EADDRINUSE';
    const mistake = isPort ? new SettingsError([`the port of ${portVariable} is in use by another program`]) : thrown;
    if (!isMistake(mistake)) throw thrown;
    process.stderr.write(`${name} cannot start: ${toWords(mistake)}\n`);
    process.exit(toExitCode(mistake));
  }
}

export type Mistake = DeclarationError | SettingsError | StoreNotReady;

/** Whether what a start threw is for whoever operates this to mend, and no error of the program's. */
export function isMistake(thrown: unknown): thrown is Mistake {
  return thrown instanceof DeclarationError || thrown instanceof SettingsError || thrown instanceof StoreNotReady;
}

/** What is wrong with several settings is a line each. */
export function toWords(mistake: Mistake): string {
  if (!(mistake instanceof SettingsError) || mistake.wrong.length < 2) return mistake.message;
  return `${mistake.wrong.length} mistakes in the settings:\n${mistake.wrong.map((each) => `  ${each}`).join('\n')}`;
}

/** Files that others have are free when those end; all else stays as it is until somebody mends it. */
export function toExitCode(mistake: Mistake): number {
  return mistake instanceof StoreNotReady && mistake.isOthers ? exitOthers : exitConfiguration;
}
