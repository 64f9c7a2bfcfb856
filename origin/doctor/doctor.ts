/**
 * `npm run doctor`: what is wrong with this host's Tombolo, why it matters, and the command that mends it. It changes nothing.
 * Exit 0: nothing is wrong; 1: something is. `-- --json` tells every check.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exitUsage } from '../exit-codes.ts';
import { withEnvironmentFiles } from '../given.ts';
import { answerHelp, whyWrong } from '../usage.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';

answerHelp('npm run doctor -- [--json]: what is wrong here, why it matters and what mends it; it changes nothing');

const isJson = parsed();

function parsed(): boolean {
  try {
    return parseArgs({ options: { json: { type: 'boolean', default: false } } }).values.json;
  } catch (cause) {
    process.stderr.write(`tombolo doctor: ${whyWrong(cause)}; after doctor may stand: -- --json\n`);
    return process.exit(exitUsage);
  }
}

const marks = { right: 'ok   ', skipped: '-    ', wrong: 'WRONG' } as const;

function toLines(finding: Finding): string {
  const line = `${marks[finding.state]} ${finding.check}: ${finding.found}\n`;
  return finding.state === 'wrong' ? `${line}      why it matters: ${finding.matters}\n      to mend it:     ${finding.mend}\n` : line;
}

const variables = withEnvironmentFiles();
const project = join(import.meta.dir, '../..');
const findings = await examine({ variables, project, clock: Date.now, which: (program) => Bun.which(program) });
const wrong = findings.filter(({ state }) => state === 'wrong').length;
if (isJson) process.stdout.write(`${JSON.stringify({ wrong, findings }, undefined, 2)}\n`);
else process.stdout.write(`${findings.map(toLines).join('')}${wrong === 0 ? 'nothing is wrong' : `wrong: ${wrong}`}\n`);
process.exit(wrong === 0 ? 0 : 1);
