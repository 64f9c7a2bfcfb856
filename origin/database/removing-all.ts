/** `npm run plan -- --remove-all` prints what takes Tombolo out of the database, `npm run apply -- --remove-all` does it. */
import { removeAll, type WholeRemoval, wholeRemovalOf } from '../store/mongo/install/remove-all.ts';
import type { Target } from '../store/mongo/install/install.ts';
import { toCommand, toFilledInText, toLeftText } from './plan-text.ts';

interface Asked {
  readonly isApplied: boolean;
  readonly isJson: boolean;
  /** Whether the collections that Tombolo owns go too, with their documents. */
  readonly withData: boolean;
}

export async function removingAll(target: Target, asked: Asked, say: (line: string) => void): Promise<void> {
  const removal = await wholeRemovalOf({ ...target, withData: asked.withData });
  const tell = asked.isJson ? () => undefined : say;
  for (const line of toLines(target.database.databaseName, removal)) tell(line);
  const filled = asked.isApplied ? await removeAll(target.database, removal) : removal.filled;
  const { kept, left } = removal;
  if (asked.isJson) return say(JSON.stringify({ commands: toCommands(removal), filled, kept, left }, undefined, 2));
  for (const line of [...filled.map(toFilledInText), ...left.map(toLeftText)]) say(line);
}

function toCommands({ added, drops }: WholeRemoval): readonly object[] {
  return [...[...added.values()].flat(), ...drops];
}

/** What follows two slashes mongosh passes over. */
function toLines(name: string, removal: WholeRemoval): readonly string[] {
  const commands = toCommands(removal);
  if (commands.length === 0) return [`nothing of Tombolo's is in the database "${name}"`];
  const kept = removal.kept.length === 0
    ? []
    : [`// kept, being Tombolo's own with all that is in them: ${removal.kept.join(', ')}; -- --remove-all --with-data drops them`];
  return ['// an origin that runs puts back what is its own: stop every one before', ...commands.map(toCommand), ...kept];
}
