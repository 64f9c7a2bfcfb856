import { isDocument } from '../specs/kinds.ts';
import { hasAnyKey, hasKey, isEmptyDocument, someValue, sortKeys, withoutEmpty, withoutTypes } from './inspect.ts';
import { toText } from './answers.ts';
import type { Difference, KnownError } from './known-errors.ts';

/** mongo-java-server's known errors in aggregation; see README.md. */
export const knownPipelineErrors: readonly KnownError[] = [
  { name: '$expr knows few operators', applies: ({ question, theirs }) => hasKey(question.command, '$expr') && /unknown operator: \$/.test(theirs.error ?? '') },
  { name: 'every branch is evaluated', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, lazy) && ours.error === undefined && theirs.error !== undefined },
  { name: 'null before a wrong type', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, arithmetic) && /only supports numeric/.test(ours.error ?? '') && theirs.error === undefined },
  { name: 'rounding and remainders are doubles', applies: difference => hasAnyKey(difference.question.command, rounding) && sameButTypes(difference) },
  { name: 'remainder by zero', applies: ({ question, ours }) => hasKey(question.command, '$mod') && /by zero/.test(ours.error ?? '') },
  { name: 'decimals become doubles', applies: difference => isAggregate(difference) && someValue(difference.question, value => isTagged(value, 'Decimal128')) && sameButTypes(difference) },
  { name: 'case of null, a date or a timestamp', applies: ({ question, theirs }) => hasAnyKey(question.command, ['$toLower', '$toUpper']) && (theirs.error === undefined || /BSON type (date|\S+BsonTimestamp)/.test(theirs.error)) },
  { name: '$toString of a double', applies: ({ question, theirs }) => hasKey(question.command, '$toString') && /"-?\d+\.0"/.test(theirs.text) },
  { name: '$toString of a date or a boolean', applies: ({ question, theirs }) => hasKey(question.command, '$toString') && /BSON type (date|\S+Boolean)/.test(theirs.error ?? '') },
  { name: 'missing equals null in an expression', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, comparisons) && isAggregateCommand(question.command) && ours.error === theirs.error },
  { name: 'collected without null', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, ['$push', '$addToSet']) && isAggregateCommand(question.command) && ours.error === theirs.error },
  { name: 'projection of an empty array', applies: ({ question, ours, theirs }) => hasAnyKey(question.command, ['$project', '$unset']) && theirs.text.includes('":{"') && !ours.text.includes('":{"y":[]') && theirs.text.includes('":[]}') },
  { name: 'arrays as group keys', applies: ({ question }) => hasAnyKey(question.command, ['$group', '$sortByCount']) && question.documents.some(document => ['a', 'b'].some(name => Array.isArray(document[name]))) },
  { name: 'projection into a document without the field', applies: ({ question, ours, theirs }) => hasKey(question.command, '$project') && withoutEmpty(ours.text) === withoutEmpty(theirs.text) },
  { name: 'projection into an array of documents', applies: ({ question }) => isAggregateCommand(question.command) && projectsIntoDocs(question.command) && question.documents.some(({ docs }) => Array.isArray(docs)) },
  { name: 'NaN above the other numbers', applies: ({ question }) => isAggregateCommand(question.command) && hasKey(question.command, '$sort') && someValue(question.documents, value => String(value) === 'NaN') },
  { name: '$addFields of a computed document', applies: ({ question }) => hasKey(question.command, '$addFields') && hasKey(question.command, '$mergeObjects') },
  { name: 'a date plus a date', applies: ({ ours }) => /only one date/.test(ours.error ?? '') },
  { name: '$lookup by an array with null or the same twice', applies: ({ question }) => hasKey(question.command, '$lookup') && question.documents.some(({ list }) => Array.isArray(list) && (list.includes(null) || hasTwice(list))) },
  { name: '$lookup by an empty document or array', applies: ({ question }) => hasKey(question.command, '$lookup') && someValue([question.documents, question.others], isEmptyDocument) },
];

const hasTwice = (items: readonly unknown[]) => new Set(items.map(item => withoutTypes(toText(item)))).size < items.length;

const projectsIntoDocs = (command: unknown) => hasKey(command, '$project') && (hasKey(command, 'docs.x') || hasKey(command, 'docs.y'));

const lazy = ['$ifNull', '$cond', '$and', '$or', '$switch'];
const arithmetic = ['$add', '$multiply', '$subtract', '$divide', '$mod'];
const rounding = ['$ceil', '$floor', '$trunc', '$mod'];
const comparisons = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$cmp', '$in'];

const isAggregateCommand = (command: unknown) => isDocument(command) && 'aggregate' in command;

const isAggregate = ({ question }: Difference) => isAggregateCommand(question.command);

const sameButTypes = ({ ours, theirs }: Difference) => withoutTypes(sortKeys(ours.text)) === withoutTypes(sortKeys(theirs.text));

const isTagged = (value: unknown, tag: string) => typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === tag;
