/** A process that erases until it is killed. Prints a line for each change that it hears of. */
import { openNotes } from './declared.ts';

const { feed } = await openNotes(process.argv[2] ?? '', { erases: true });
process.stdout.write('begun\n');
for await (const step of feed.follow(feed.through, new AbortController().signal)) {
  if (step.kind === 'changes' && step.changes.length > 0) process.stdout.write('erased\n');
}
