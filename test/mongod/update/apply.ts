// One document through one update: operators, a replacement, or a pipeline; and what changed, as change events say it.
import type { Timestamp } from 'bson';
import { fail } from '../errors.ts';
import { matchedPosition, type MatchContext } from '../query/match.ts';
import { isEqual, isIdentical } from '../values/compare.ts';
import { documentBytes, DOCUMENT_BYTES_MAX } from '../values/size.ts';
import { type Doc, isDoc, typeOf } from '../values/types.ts';
import { type Description, describeDraft, diffDocuments } from './diff.ts';
import { Draft } from './draft.ts';
import { type OperatorContext, UPDATE_OPERATORS } from './operators.ts';
import { updatePipeline } from './pipeline.ts';
import { type ArrayFilters, checkArrayFilters, expandPath, parseArrayFilters } from './positional.ts';

type UpdateContext = MatchContext & { filter: unknown; now(): number; clusterTime(): Timestamp };
type Updated = { doc: Doc; description: Description | null }; // null: a replacement
export type Updater = (doc: Doc, inserting: boolean) => Updated;

export function compileUpdate(update: unknown, arrayFilters: unknown, context: UpdateContext): Updater {
  if (Array.isArray(update)) {
    if (arrayFilters !== undefined && (arrayFilters as unknown[]).length) throw fail('FailedToParse', 'arrayFilters may not be specified for pipeline-syle updates');
    const run = updatePipeline(update, context);
    return doc => { const next = run(doc); checkId(doc, next); return { doc: checkSize(next), description: diffDocuments(doc, next) }; };
  }
  if (!isDoc(update)) throw fail('FailedToParse', 'Update argument must be either an object or an array');
  const first = Object.keys(update)[0];
  if (first === undefined || !first.startsWith('$')) {
    if (arrayFilters !== undefined && (arrayFilters as unknown[]).length) throw fail('FailedToParse', 'arrayFilters may not be specified for replacement-style updates');
    const bad = Object.keys(update).find(name => name.startsWith('$'));
    if (bad) throw fail('DollarPrefixedFieldName', `The dollar ($) prefixed field '${bad}' in '${bad}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`);
    return doc => replace(doc, update);
  }
  return compileOperators(update, parseArrayFilters(arrayFilters, context), context);
}

export const isReplacement = (update: unknown): boolean => isDoc(update) && !Object.keys(update)[0]?.startsWith('$');

function replace(doc: Doc, replacement: Doc): Updated {
  if ('_id' in replacement && doc['_id'] !== undefined && !isEqual(replacement['_id'], doc['_id'])) {
    throw fail('ImmutableField', `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${String(replacement['_id'])}`);
  }
  const { _id: given, ...rest } = replacement;
  const id = doc['_id'] ?? given;
  return { doc: checkSize(id === undefined ? rest : { _id: id, ...rest }), description: null };
}

type Instruction = { operator: string; path: string; operand: unknown };

function compileOperators(update: Doc, filters: ArrayFilters, context: UpdateContext): Updater {
  const instructions = Object.entries(update).flatMap(([operator, fields]) => parseOperator(operator, fields));
  checkConflicts(instructions);
  checkArrayFilters(filters, instructions.map(({ path }) => path));
  instructions.sort((a, b) => byPath(a.path, b.path));
  return (doc, inserting) => {
    const draft = new Draft(doc);
    const positionOf = (path: string): number | null => matchedPosition(context.filter, doc, path, context);
    for (const instruction of instructions) run(draft, instruction, { ...context, path: instruction.path, id: doc['_id'], inserting }, filters, positionOf);
    checkId(doc, draft.root);
    return { doc: checkSize(draft.root), description: describeDraft(draft, doc) };
  };
}

function parseOperator(operator: string, fields: unknown): Instruction[] {
  if (!(operator in UPDATE_OPERATORS) && operator !== '$rename') {
    throw fail('FailedToParse', operator.startsWith('$') ? `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array` : `The dollar ($) prefixed field '${operator}' is not valid for storage.`);
  }
  if (!isDoc(fields)) throw fail('FailedToParse', `Modifiers operate on fields but we found type ${typeOf(fields)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${JSON.stringify(fields)}}`);
  return Object.entries(fields).map(([path, operand]) => {
    if (path === '') throw fail('EmptyFieldName', 'An empty update path is not valid.');
    if (path.split('.').includes('')) throw fail('EmptyFieldName', `The update path '${path}' contains an empty field name, which is not allowed.`);
    const dollar = path.split('.').find((part, i) => part.startsWith('$') && !(i > 0 && /^\$(\[.*\])?$/.test(part)));
    if (dollar && !['$ref', '$id', '$db'].includes(dollar)) throw fail('DollarPrefixedFieldName', `The dollar ($) prefixed field '${dollar}' in '${path}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`);
    return { operator, path, operand };
  });
}

function checkConflicts(instructions: Instruction[]): void {
  const paths = instructions.flatMap(({ operator, path, operand }) => (operator === '$rename' ? [path, String(operand)] : [path])).sort();
  const seen = new Set<string>();
  for (const path of paths) {
    const parts = path.split('.');
    for (let n = 1; n <= parts.length; n++) {
      const prefix = parts.slice(0, n).join('.');
      if (seen.has(prefix)) throw fail('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${prefix}'`);
    }
    seen.add(path);
  }
}

// New fields appear in the order of their names, numbers by value.
function byPath(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x, y] = [left[i] as string, right[i] as string];
    if (x !== y) return /^\d+$/.test(x) && /^\d+$/.test(y) ? Number(x) - Number(y) : x < y ? -1 : 1;
  }
  return left.length - right.length;
}

function run(draft: Draft, { operator, path, operand }: Instruction, context: OperatorContext, filters: ArrayFilters, positionOf: (path: string) => number | null): void {
  if (operator === '$rename') { rename(draft, path, operand); return; }
  for (const at of expandPath(draft, path, filters, positionOf)) {
    const current = draft.get(at);
    const outcome = (UPDATE_OPERATORS[operator] as (typeof UPDATE_OPERATORS)[string])(current, operand, context);
    if (outcome.kind === 'keep') continue;
    if (outcome.kind === 'unset') { draft.unset(at); continue; }
    if (current !== undefined && isIdentical(current, outcome.value)) continue;
    draft.set(at, outcome.value);
    if (outcome.appendedFrom !== undefined && current !== undefined) draft.noteItems(at, outcome.appendedFrom, (outcome.value as unknown[]).length);
  }
}

function rename(draft: Draft, from: string, to: unknown): void {
  if (typeof to !== 'string') throw fail('BadValue', `The 'to' field for $rename must be a string: ${from}: ${String(to)}`);
  if (from === to) throw fail('BadValue', `The source and target field for $rename must differ: ${from}: "${to}"`);
  const value = draft.get(from.split('.'));
  if (value === undefined) return;
  draft.unset(from.split('.'));
  draft.set(to.split('.'), value);
}

function checkId(before: Doc, after: Doc): void {
  if (before['_id'] !== undefined && !isIdentical(before['_id'], after['_id'])) {
    throw fail('ImmutableField', "Performing an update on the path '_id' would modify the immutable field '_id'");
  }
}

function checkSize(doc: Doc): Doc {
  const bytes = documentBytes(doc);
  if (bytes > DOCUMENT_BYTES_MAX) throw fail('BSONObjectTooLarge', `Resulting document after update is larger than ${DOCUMENT_BYTES_MAX}`);
  return doc;
}
