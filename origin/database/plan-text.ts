/** Steps and examinations for people; programs take them as JSON. */
import { BSON } from 'mongodb';
import type { Examination, Found } from '../store/examination/examination.ts';
import { buildTimeAssumption, toDuration } from '../store/mongo/install/build-time.ts';
import type { Left } from '../store/mongo/install/left-behind.ts';
import type { BuildTime, Filled, FilledIn, PlannedStep } from '../store/planned.ts';
import type { SharedKeys } from '../store/shared-keys.ts';

export function toStepText(step: PlannedStep, number: number): string {
  const size = step.bytes === 0 ? '' : `, about ${Math.ceil(step.bytes / 1_048_576)} MB`;
  const isRead = 'createIndexes' in step.command || step.kind === 'default';
  const time = step.time === undefined ? '' : `; ${toTime(step.time)}`;
  const cost = isRead ? `documents that are read: ${step.documents}${size}${time}` : 'reads no document';
  const loss = losses[step.kind] === undefined ? '' : ` ${'sql' in step.command ? '--' : '//'} ${losses[step.kind]}`;
  return [
    `${number}. ${step.name}${step.by === 'start' ? ' (the origin does it when it starts)' : ''}`,
    `   command  ${toCommand(step.command)}`,
    `   why      ${step.why}`,
    `   others   ${step.effect}`,
    `   cost     ${cost}`,
    `   undo     ${step.undo === undefined ? 'with the collection' : `${toCommand(step.undo)}${loss}`}`,
  ].join('\n');
}

function toTime({ secondsLeast, secondsMost }: BuildTime): string {
  const [least, most] = [toDuration(secondsLeast), toDuration(secondsMost)];
  return `${least === most ? least : `${least} to ${most}`}, ${buildTimeAssumption}`;
}

/** What an undo takes along. A shell passes over what follows two slashes, or in SQL two hyphens. */
const losses: Readonly<Record<string, string>> = {
  collection: 'with every document that is in it by then',
  default: 'also where somebody else wrote the same value',
};

/** To be pasted into mongosh, or into the sqlite3 shell. */
export function toCommand(command: object): string {
  if ('sql' in command) return `${String(command.sql)};`;
  const [plain, typed] = [JSON.stringify(command), BSON.EJSON.stringify(command)];
  return `db.runCommand(${plain === typed ? plain : `EJSON.parse(${JSON.stringify(typed)})`})`;
}

/** Remarks beside commands, for whoever pastes them. */
export function toFilledInText({ collection, path, documents, changed, gone, refused }: FilledIn): string {
  return [
    `// taken out of ${collection}: ${path}, filled into ${documents} documents, of each where it is still what was filled in`,
    ...(changed.count === 0 ? [] : [`somebody has written another value since, which stays: ${toCount(changed)}`]),
    ...(gone === 0 ? [] : [`out already: ${gone}`]),
    ...(refused.count === 0 ? [] : [`the checks of the database keep it in: ${toCount(refused)}`]),
  ].join('; ');
}

export function toLeftText({ collection, what, undo }: Left): string {
  return `// left in ${collection}: ${what}: ${toCommand(undo)}`;
}

export function toExaminationText(examination: Examination): string {
  const { resource, documents, isComplete, fitting, ids, missing, types, invalid, undeclared, renames, unlisted } = examination;
  const kept = examination.servesUndeclared ? 'served' : 'kept and served to nobody';
  const read = isComplete ? `${documents} documents` : `${documents} documents read by chance (npm run plan -- --full reads all)`;
  return [
    `${resource}: ${read}; ${fitting === documents ? 'all fit' : `${fitting} fit`}`,
    ...ids.map(({ type, ...found }) => line('id', `of type ${type}, which nobody is served`, found)),
    ...missing.map(({ path, hasDefault, ...found }) => line('missing', `${path}${hasDefault ? ', which has a default' : ''}`, found)),
    ...types.map(({ path, declared, stored, ...found }) => line('type', `${path} is declared ${declared} and stored as ${stored}`, found)),
    ...invalid.map(({ path, message, ...found }) => line('invalid', `${path}: ${message}`, found)),
    ...undeclared.map(({ path, count }) => entry('undeclared', `${path === '' ? '""' : path}, ${kept}: ${count}`)),
    ...renames.map(({ path, storedAs }) =>
      entry('renamed?', storedAs.map((name) => `storedAs: ${JSON.stringify({ [path]: name })}`).join(' or '))),
    ...(unlisted === 0 ? [] : [entry('more', `${unlisted} times something else was found, and is not listed`)]),
  ].join('\n');
}

export function toSharedText({ resource, unique, fields, shared }: SharedKeys): string {
  const what = `${resource}: unique ${unique} (${fields.join(', ')})`;
  if (shared === undefined) return `${what}: not compared, since there are many documents (npm run plan -- --full compares all)`;
  return `${what}: ${shared.keys} ${shared.keys === 1 ? 'key' : 'keys'} of several documents, in all ${toCount(shared.documents)}`;
}

function line(what: string, detail: string, found: Found): string {
  return entry(what, `${detail}: ${toCount(found)}`);
}

function toCount({ count, examples }: Found): string {
  return `${count} (${examples.join(', ')}${count > examples.length ? ', …' : ''})`;
}

function entry(what: string, detail: string): string {
  return `   ${what.padEnd(10)}  ${detail}`;
}

export function toFilledText({ resource, documents, refused }: Filled): string {
  const rest = `; the checks of the database refuse ${toCount(refused)}, which others made wrong`;
  return `${resource}: ${documents} documents were given the defaults that they lacked${refused.count === 0 ? '' : rest}`;
}
