/**
 * Asks both servers and prints each difference, for a person to look into:
 *
 *   bun test/mongod/differential/explore.ts [--seed N] [--count N] [--show N]
 */
import { parseArgs } from 'node:util';
import { startTestServer } from '../specs/start-server.ts';
import { toText } from './answers.ts';
import { compare } from './compare.ts';
import { secondOpinionAbsent, startSecondOpinion } from './second-opinion.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '10000' }, show: { type: 'string', default: '20' } },
});

const absent = secondOpinionAbsent();
if (absent !== undefined) {
  console.error(absent);
  process.exit(2);
}

const theirs = await startSecondOpinion();
const ours = await startTestServer({ members: 1 });
const { asked, refused, known, unknown } = await compare({ ours: ours.uri, theirs: theirs.uri, seed: Number(values.seed), count: Number(values.count) });
for (const { question, ours: mine, theirs: other } of unknown.slice(0, Number(values.show))) {
  console.log(`seed ${question.seed}: ${toText(question.command)}`);
  console.log(`  over   ${toText(question.documents)}`);
  console.log(`  ours   ${mine.text} ${mine.error ?? ''}`);
  console.log(`  theirs ${other.text} ${other.error ?? ''}`);
}
for (const [name, count] of known) console.log(`known  ${String(count).padStart(5)}  ${name}`);
console.log(`asked ${asked}, refused by both ${refused}, different in an unknown way ${unknown.length}`);
await Promise.all([ours.close(), theirs.close()]);
