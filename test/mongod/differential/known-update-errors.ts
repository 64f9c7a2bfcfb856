import { isDocument } from '../specs/kinds.ts';
import type { KnownError } from './known-errors.ts';
import { hasKey, sortKeys } from './inspect.ts';
import type { Question } from './questions.ts';

/** mongo-java-server's known errors in updates; see README.md. */
export const knownUpdateErrors: readonly KnownError[] = [
  { name: 'order of fields after a replacement', applies: ({ question, ours, theirs }) => isReplacement(question) && sortKeys(ours.text) === sortKeys(theirs.text) },
  { name: 'order of new fields', applies: ({ question, ours, theirs }) => updatedPaths(question).length > 1 && sortKeys(ours.text) === sortKeys(theirs.text) },
  { name: 'null as if missing', applies: ({ question, ours, theirs }) => question.writes && theirs.error === undefined && /(type '?null|\$pull to a non-array value)/.test(ours.error ?? '') },
  { name: 'conflict not seen without a match', applies: ({ ours, theirs }) => theirs.error === undefined && /would create a conflict/.test(ours.error ?? '') },
  { name: '$addToSet and equal numbers of two types', applies: ({ question, ours, theirs }) => hasKey(question.command, '$addToSet') && ours.error === undefined && theirs.error === undefined && ours.text.length < theirs.text.length },
  { name: '$unset of a null item', applies: ({ question, ours, theirs }) => hasKey(updateOf(question), '$unset') && ours.text.split('\n')[1] === theirs.text.split('\n')[1] },
  { name: '$pullAll of null among documents', applies: ({ question }) => hasKey(question.command, '$pullAll') && JSON.stringify(updateOf(question)).includes('null') },
];

function updateOf({ command }: Question): unknown {
  const { updates, update } = command;
  return Array.isArray(updates) ? updates[0].u : update;
}

function isReplacement(question: Question): boolean {
  const update = updateOf(question);
  return isDocument(update) && !Object.keys(update).some(key => key.startsWith('$'));
}

function updatedPaths(question: Question): string[] {
  const update = updateOf(question);
  return isDocument(update) ? Object.values(update).flatMap(fields => (isDocument(fields) ? Object.entries(fields).flatMap(([path, to]) => [path, String(to)]) : [])) : [];
}
