/** `npm run plan -- --remove NAME` prints what was added to a collection, `npm run apply -- --remove NAME` takes it out. */
import { leftBehind } from '../store/mongo/install/left-behind.ts';
import type { Target } from '../store/mongo/install/install.ts';
import { collectionNamed, remove, removalOf } from '../store/mongo/install/plan.ts';
import { survey } from '../store/mongo/install/survey.ts';
import { filledIn, undoFill } from '../store/mongo/write/undo-fill.ts';
import type { Planner } from '../store/planned.ts';
import { toCommand, toFilledInText, toLeftText, toStaying } from './plan-text.ts';

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
  const left = await leftBehind({ ...target, there, isAsked: (collection) => collection === name && !isOwned });
  const filled = there.found.has(name) ? await filledIn(database, (collection) => collection === name) : [];
  const lines = [...(commands ?? []).map(toCommand), ...filled.map(toFilledInText)];
  const isGone = commands !== undefined && commands.length === 0;
  if (lines.length === 0) lines.push(isGone ? `of what was added to ${name} nothing is there any more` : `nothing was added to ${name}`);
  if (!isJson) for (const line of [...lines, ...left.map(toLeftText)]) say(line);
  const staying = isApplied && filled.length > 0 ? await undone() : [];
  // The list keeps what was added to a collection that is away: it may come back.
  if (isApplied && commands !== undefined && commands.length > 0) await remove(database, name, commands);
  if (isJson) say(JSON.stringify({ commands: commands ?? [], filled, left: [...left, ...staying] }, undefined, 2));
  else for (const each of staying) say(toLeftText(each));

  async function undone() {
    await undoFill(database, name);
    return (await filledIn(database, (collection) => collection === name)).map(toStaying);
  }
}

/** Of the embedded SQLite, which is Tombolo's own but for what is in its documents. */
export async function removingFilled(planner: Planner, { name, isJson, isApplied }: Asked, say: Say): Promise<void> {
  const filled = await planner.filledIn(name);
  if (!isJson) for (const line of filled.length === 0 ? [`nothing was added to ${name}`] : filled.map(toFilledInText)) say(line);
  if (isApplied) await planner.undoFill(name);
  const left = isApplied ? (await planner.filledIn(name)).map(toStaying) : [];
  if (isJson) say(JSON.stringify({ commands: [], filled, left }, undefined, 2));
  else for (const each of left) say(toLeftText(each));
}
