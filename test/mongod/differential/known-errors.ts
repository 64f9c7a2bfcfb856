import { isDocument } from '../specs/kinds.ts';
import type { Answer } from './answers.ts';
import { knownPipelineErrors } from './known-pipeline-errors.ts';
import { knownUpdateErrors } from './known-update-errors.ts';
import type { Question } from './questions.ts';
import { conditionsOf, filtersOf, hasAnyKey, hasKey, someValue, sortKeys, sortPathsOf } from './inspect.ts';

/**
 * Where mongo-java-server is known to be wrong, each by a predicate as narrow as the error. What is said of each,
 * and what MongoDB documents instead, stands in README.md under the same name.
 */
export type Difference = { readonly question: Question; readonly ours: Answer; readonly theirs: Answer };

export type KnownError = { readonly name: string; readonly applies: (difference: Difference) => boolean };

const comparisons = ['$gt', '$gte', '$lt', '$lte'];

const knownErrors: readonly KnownError[] = [
  { name: 'closes the connection', applies: ({ theirs }) => theirs.text === 'closed the connection' },
  { name: 'internal error', applies: ({ theirs }) => /^(Unknown error|PlanExecutor error during aggregation :: caused by :: Unknown error)/.test(theirs.error ?? '') },
  { name: '$all with nothing', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => isEmptyList(operators['$all'])) },
  {
    name: '$nin beside another operator over an array of documents',
    applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ path, operators }) => isInDocs(path) && hasKey(operators, '$nin') && Object.keys(operators).length > 1),
  },
  { name: '$gte or $lte null', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => operators['$gte'] === null || operators['$lte'] === null) },
  { name: 'comparison with NaN', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => comparisons.some(name => String(operators[name]) === 'NaN')) },
  { name: '$mod of what is not finite', applies: ({ question }) => hasKey(question.command, '$mod') && someValue(question.documents, value => /^(NaN|-?Infinity)$/.test(String(value))) },
  { name: 'a pattern against MinKey or MaxKey', applies: ({ question }) => someValue(filtersOf(question.command), isPattern) && someValue(question.documents, value => /^(MinKey|MaxKey)$/.test(tagOf(value))) },
  { name: '$nin within nested arrays', applies: ({ question }) => hasAnyKey(filtersOf(question.command), ['$nin', '$in']) && question.documents.some(document => Object.values(document).some(value => Array.isArray(value) && value.some(Array.isArray))) },
  { name: '$regex beside another operator', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => '$regex' in operators && Object.keys(operators).length > 2) },
  { name: '$all over a scalar', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ path, operators }) => '$all' in operators && !isArrayIn(question, path, 'everywhere')) },
  { name: 'equality with a document of null', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ equals }) => isDocument(equals) && Object.values(equals).includes(null)) },
  { name: '$all for null', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => Array.isArray(operators['$all']) && operators['$all'].includes(null)) },
  { name: 'equality with an empty document or array', applies: ({ question }) => hasEmptyEquality(question.command) },
  {
    name: 'two conditions met by two items of an array',
    applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ path, operators }) => Object.keys(operators).length > 1 && !hasKey(operators, '$options') && isArrayIn(question, path)),
  },
  { name: 'position in an empty array', applies: ({ question }) => question.documents.some(({ list }) => isEmptyList(list)) && conditionsOf(filtersOf(question.command)).some(({ path }) => path === 'list.0') },
  { name: 'sort by a position', applies: ({ question }) => sortPathsOf(question.command).some(path => /\.\d/.test(path)) },
  { name: 'comparison with an array', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => comparisons.some(name => Array.isArray(operators[name]))) },
  { name: 'position inside an array of documents', applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ path }) => path === 'docs.0.x') },
  {
    name: 'negation over an array of documents',
    applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ path, operators }) => isInDocs(path) && (hasKey(operators, '$not') || operators['$exists'] === false)),
  },
  {
    name: '$elemMatch for null among scalars',
    applies: ({ question }) => conditionsOf(filtersOf(question.command)).some(({ operators }) => isDocument(operators['$elemMatch']) && Object.values(operators['$elemMatch']).includes(null)),
  },
  { name: 'order of projected fields', applies: ({ question, ours, theirs }) => hasInclusion(question.command) && sortKeys(ours.text) === sortKeys(theirs.text) },
  { name: '$slice as an inclusion', applies: ({ question }) => isDocument(question.command['projection']) && hasKey(question.command['projection'], '$slice') },
  { name: 'sort by an empty or nested array', applies: ({ question }) => sortsByOddArray(question) },
];

export const knownErrorOf = (difference: Difference) => [...knownErrors, ...knownUpdateErrors, ...knownPipelineErrors].find(({ applies }) => applies(difference))?.name;

const hasInclusion = ({ find, projection, pipeline }: Question['command']) => (find !== undefined && projection !== undefined) || hasKey(pipeline, '$project');

const isPattern = (value: unknown) => tagOf(value) === 'BSONRegExp' || (isDocument(value) && '$regex' in value);

const tagOf = (value: unknown) => (typeof value === 'object' && value !== null && '_bsontype' in value ? String(value._bsontype) : '');

const isInDocs = (path: string) => /^docs\.[xy]$/.test(path);

function hasEmptyEquality(command: unknown): boolean {
  const isEmptyIn = (list: unknown) => Array.isArray(list) && list.some(isEmpty);
  return conditionsOf(filtersOf(command)).some(({ equals, operators: { $eq, $ne, $in, $nin } }) => [equals, $eq, $ne].some(isEmpty) || [$in, $nin].some(isEmptyIn));
}

const isEmpty = (value: unknown) => isEmptyList(value) || (isDocument(value) && Object.keys(value).length === 0);

/** Whether the path's first field holds an array in some document, or in every one that has it. */
function isArrayIn({ documents }: Question, path: string, extent: 'somewhere' | 'everywhere' = 'somewhere'): boolean {
  const held = documents.map(document => document[path.split('.')[0] as string]).filter(value => value !== undefined);
  return extent === 'somewhere' ? held.some(Array.isArray) : path !== 'list.0' && held.every(Array.isArray);
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;

function sortsByOddArray({ command, documents }: Question): boolean {
  const roots = new Set(sortPathsOf(command).map(path => path.split('.')[0] as string));
  const isOdd = (value: unknown) => Array.isArray(value) && (value.length === 0 || value.some(Array.isArray));
  return documents.some(document => [...roots].some(root => isOdd(document[root]) || someValue(document[root], isEmptyList)));
}
