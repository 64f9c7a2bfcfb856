/** How a command is used: told to whoever asks with `--help`, and to whoever gives it what it does not know. */
import { messageOf } from '../shared/message-of.ts';


/** Ends the process with the usage where `--help` is among what it was given. */
export function answerHelp(usage: string): void {
  if (!process.argv.slice(2).some((given) => given === '--help' || given === '-h')) return;
  process.stdout.write(`usage: ${usage}\n`);
  process.exit(0);
}

/** Why something given is wrong, in the first sentence of `parseArgs`: what follows there is about its own ways out. */
export function whyWrong(cause: unknown): string {
  const said = messageOf(cause);
  return said.replace(/\. (?:To specify|This command) .*$/s, '');
}
