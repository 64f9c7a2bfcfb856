/** `npm run plan -- --remove NAME` prints what was added to a collection, `npm run apply -- --remove NAME` takes it out. */
import { leftBehind } from '../store/mongo/install/left-behind.ts';
import type { Target } from '../store/mongo/install/install.ts';
import { collectionNamed, remove, removalOf } from '../store/mongo/install/plan.ts';
import { survey } from '../store/mongo/install/survey.ts';
import { filledIn, undoFill } from '../store/mongo/write/undo-fill.ts';
import type { Planner } from '../store/planned.ts';
import { toCommand, toFilledInText, toLeftText } from './plan-text.ts';

interface Asked {
  readonly name: string;
  readonly isJson: boolean;
  readonly isApplied: boolean;
}

type Say = (line: string) => void;

export async function removing(target: Target, { name: given, isJson, isApplied }: Asked, say: Say): Promise<void> {
  const { database } = target;
  const name = await collectionNamed(target, given);
  const commands = await removalOf(database, name);
  const there = await survey(database, target.resources);
  const isOwned = there.list?.owned?.includes(name) === true;
  const left = leftBehind({ ...target, there, isAsked: (collection) => collection === name && !isOwned });
  const isAsked = (collection: string) => collection === name;
  // The list keeps what was added to a collection that is away, and notes what was filled in: it may come back.
  const isThere = there.found.has(name);
  const tell = isJson ? () => undefined : say;
  for (const command of commands ?? []) tell(toCommand(command));
  const filled = !isThere ? [] : await (isApplied ? undoFill(database, isAsked) : filledIn(database, isAsked));
  if (isApplied && commands !== undefined && commands.length > 0) await remove(database, name, commands);
  if (isJson) return say(JSON.stringify({ commands: commands ?? [], filled, left }, undefined, 2));
  const isGone = commands !== undefined && commands.length === 0;
  for (const line of filled.map(toFilledInText)) say(line);
  if (filled.length === 0 && (commands ?? []).length === 0) {
    say(isGone ? `of what was added to ${name} nothing is there any more` : `nothing was added to ${name}`);
  }
  for (const line of left.map(toLeftText)) say(line);
}

/** Of the embedded SQLite, which is Tombolo's own but for what is in its documents. */
export async function removingFilled(planner: Planner, { name, isJson, isApplied }: Asked, say: Say): Promise<void> {
  const filled = isApplied ? await planner.undoFill(name) : await planner.filledIn(name);
  if (isJson) return say(JSON.stringify({ commands: [], filled, left: [] }, undefined, 2));
  for (const line of filled.length === 0 ? [`nothing was added to ${name}`] : filled.map(toFilledInText)) say(line);
}
