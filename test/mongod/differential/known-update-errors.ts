import { isDocument } from '../specs/kinds.ts';
import type { Answer } from './answers.ts';
import type { KnownError } from './known-errors.ts';
import { conditionsOf, filtersOf, hasAnyKey, hasKey, isEmptyDocument, someValue, sortKeys, withoutTypes } from './inspect.ts';
import type { Question } from './questions.ts';

/** mongo-java-server's known errors in updates; see README.md. */
export const knownUpdateErrors: readonly KnownError[] = [
  { name: 'order of fields after a replacement', applies: ({ question, ours, theirs }) => isReplacement(question) && sortKeys(ours.text) === sortKeys(theirs.text) },
  { name: 'order of new fields', applies: ({ question, ours, theirs }) => updatedPaths(question).length > 1 && sortKeys(ours.text) === sortKeys(theirs.text) },
  { name: 'null as if missing', applies: ({ question, ours, theirs }) => question.writes && theirs.error === undefined && /(type '?null|\$pull to a non-array value)/.test(ours.error ?? '') },
  { name: 'conflict not seen without a match', applies: ({ ours, theirs }) => theirs.error === undefined && /would create a conflict/.test(ours.error ?? '') },
  { name: '$addToSet and equal numbers of two types', applies: ({ question, ours, theirs }) => hasKey(question.command, '$addToSet') && ours.error === undefined && theirs.error === undefined && ours.text.length < theirs.text.length },
  { name: '$unset of a null item', applies: ({ question, ours, theirs }) => hasKey(updateOf(question), '$unset') && stateOf(ours) === stateOf(theirs) },
  { name: '$pullAll among empty documents and documents of null', applies: ({ question }) => hasKey(question.command, '$pullAll') && someValue(question.documents, value => isEmptyDocument(value) || isDocumentOfNull(value)) },
  { name: 'only the type changes', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, ['$inc', '$mul', '$set', '$min', '$max']) && withoutTypes(stateOf(ours)) === withoutTypes(stateOf(theirs)) },
  { name: 'upsert from $all, $in of one or $eq among others', applies: ({ question }) => isUpsert(question) && hasAnyKey(filtersOf(question.command), ['$all', '$in', '$eq']) },
  { name: 'order of items in one array', applies: ({ question }) => updatedPaths(question).filter(path => path.startsWith('list.')).length > 1 },
  { name: 'upsert from a pattern', applies: ({ question }) => isUpsert(question) && conditionsOf(filtersOf(question.command)).some(({ equals }) => isPattern(equals)) },
  { name: '$push sorts NaN first', applies: ({ question }) => hasKey(question.command, '$push') && someValue(question, value => String(value) === 'NaN') },
];

const isUpsert = ({ command }: Question) => someValue(command, value => isDocument(value) && value['upsert'] === true);

/** The documents afterwards, the second line of an answer. */
const stateOf = ({ text }: Answer) => text.split('\n')[1] ?? '';

const isDocumentOfNull = (value: unknown) => isDocument(value) && Object.values(value).includes(null);

const isPattern = (value: unknown) => typeof value === 'object' && value !== null && 'pattern' in value;

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
