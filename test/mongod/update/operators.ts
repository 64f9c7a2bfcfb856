// What each update operator makes of the value at its path. `undefined` in stands for a missing field.
import type { Timestamp } from 'bson';
import { fail } from '../errors.ts';
import { add, multiply, numericOrNull } from '../values/arithmetic.ts';
import { compareValues, isEqual } from '../values/compare.ts';
import { isDoc, toNumber, typeOf } from '../values/types.ts';
import { compileFilter, type MatchContext } from '../query/match.ts';
import { isOperatorDoc } from '../query/filter.ts';
import { comparatorFor } from '../query/sort.ts';

export type Outcome = { kind: 'keep' } | { kind: 'set'; value: unknown; appendedFrom?: number } | { kind: 'unset' };
export type OperatorContext = MatchContext & { now(): number; clusterTime(): Timestamp; path: string; id: unknown; inserting: boolean };
type Apply = (current: unknown, operand: unknown, context: OperatorContext) => Outcome;

const KEEP: Outcome = { kind: 'keep' };
const set = (value: unknown): Outcome => ({ kind: 'set', value });

export const UPDATE_OPERATORS: Readonly<Record<string, Apply>> = {
  $set: (_, operand) => set(operand),
  $setOnInsert: (_, operand, { inserting }) => (inserting ? set(operand) : KEEP),
  $unset: current => (current === undefined ? KEEP : { kind: 'unset' }),
  $inc: (current, operand, context) => set(arithmetic('$inc', current, operand, context)),
  $mul: (current, operand, context) => set(arithmetic('$mul', current, operand, context)),
  $min: (current, operand, { collation }) => (current === undefined || compareValues(operand, current, collation) < 0 ? set(operand) : KEEP),
  $max: (current, operand, { collation }) => (current === undefined || compareValues(operand, current, collation) > 0 ? set(operand) : KEEP),
  $currentDate: (_, operand, context) => set(isDoc(operand) && operand['$type'] === 'timestamp' ? context.clusterTime() : new Date(context.now())),
  $bit: (current, operand) => set(bits(current, operand)),
  $push: push,
  $addToSet: addToSet,
  $pop: (current, operand, { path }) => {
    if (current === undefined) return KEEP;
    if (!Array.isArray(current)) throw fail('TypeMismatch', `Path '${path}' contains an element of non-array type '${typeOf(current)}'`);
    const end = toNumber(operand);
    if (end !== 1 && end !== -1) throw fail('FailedToParse', '$pop expects 1 or -1, found: ' + String(operand));
    return current.length ? set(end === 1 ? current.slice(0, -1) : current.slice(1)) : KEEP;
  },
  $pull: (current, operand, context) => pull(current, matcherFor(operand, context)),
  $pullAll: (current, operand, { collation }) => {
    if (!Array.isArray(operand)) throw fail('BadValue', '$pullAll requires an array argument but was given a ' + typeOf(operand));
    return pull(current, item => operand.some(other => isEqual(other, item, collation)));
  },
};

function arithmetic(name: '$inc' | '$mul', current: unknown, operand: unknown, { path, id }: OperatorContext): unknown {
  if (!numericOrNull(operand)) throw fail('TypeMismatch', `Cannot ${name === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path}: ${JSON.stringify(operand)}}`);
  if (current !== undefined && !numericOrNull(current)) throw fail('TypeMismatch', `Cannot apply ${name} to a value of non-numeric type. {_id: ${String(id)}} has the field '${path.split('.').at(-1)}' of non-numeric type ${typeOf(current)}`);
  const result = name === '$inc' ? (current === undefined ? operand : add(current, operand, 'error')) : multiply(current ?? 0, operand, 'error');
  if (result === undefined) throw fail('BadValue', `Failed to apply ${name} operations to current value for document {_id: ${String(id)}}`);
  return result;
}

function bits(current: unknown, operand: unknown): unknown {
  if (!isDoc(operand)) throw fail('BadValue', 'The $bit modifier is not compatible with this argument');
  let value = BigInt(typeof current === 'bigint' || typeof current === 'number' ? current : 0);
  const long = typeof current === 'bigint' || Object.values(operand).some(item => typeof item === 'bigint');
  for (const [name, item] of Object.entries(operand)) {
    const mask = BigInt(item as number | bigint);
    if (name !== 'and' && name !== 'or' && name !== 'xor') throw fail('BadValue', `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`);
    value = name === 'and' ? value & mask : name === 'or' ? value | mask : value ^ mask;
  }
  return long ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(32, value));
}

const PUSH_WORDS = new Set(['$each', '$slice', '$sort', '$position']);

function push(current: unknown, operand: unknown, { path, collation }: OperatorContext): Outcome {
  if (current !== undefined && !Array.isArray(current)) throw fail('BadValue', `The field '${path}' must be an array but is of type ${typeOf(current)} in document`);
  const items = (current ?? []) as unknown[];
  if (!isDoc(operand) || !('$each' in operand)) return { ...set([...items, operand]), appendedFrom: items.length } as Outcome;
  for (const word of Object.keys(operand)) if (!PUSH_WORDS.has(word)) throw fail('BadValue', `Unrecognized clause in $push: ${word}`);
  const each = operand['$each'];
  if (!Array.isArray(each)) throw fail('BadValue', `The argument to $each in $push must be an array but it was of type ${typeOf(each)}`);
  const position = toNumber(operand['$position']);
  let out = position === undefined ? [...items, ...each] : items.toSpliced(position, 0, ...each);
  const sort = operand['$sort'];
  if (isDoc(sort)) out.sort(comparatorFor(sort, collation) as (a: unknown, b: unknown) => number);
  else if (sort !== undefined) out.sort((a, b) => compareValues(a, b, collation) * (toNumber(sort) as number));
  const slice = toNumber(operand['$slice']);
  if (slice !== undefined) out = slice === 0 ? [] : slice > 0 ? out.slice(0, slice) : out.slice(slice);
  const plain = position === undefined && sort === undefined && slice === undefined;
  return plain ? { kind: 'set', value: out, appendedFrom: items.length } : set(out);
}

function addToSet(current: unknown, operand: unknown, { path, collation }: OperatorContext): Outcome {
  if (current !== undefined && !Array.isArray(current)) throw fail('BadValue', `Cannot apply $addToSet to non-array field. Field named '${path}' has non-array type ${typeOf(current)}`);
  const each = isDoc(operand) && '$each' in operand ? operand['$each'] : [operand];
  if (!Array.isArray(each)) throw fail('TypeMismatch', `The argument to $each in $addToSet must be an array but it was of type ${typeOf(each)}`);
  const items = (current ?? []) as unknown[];
  const out = [...items];
  for (const item of each) if (!out.some(other => isEqual(other, item, collation))) out.push(item);
  return out.length === items.length && current !== undefined ? KEEP : { kind: 'set', value: out, appendedFrom: items.length };
}

function pull(current: unknown, matches: (item: unknown) => boolean): Outcome {
  if (current === undefined) return KEEP;
  if (!Array.isArray(current)) throw fail('BadValue', 'Cannot apply $pull to a non-array value');
  const kept = current.filter(item => !matches(item));
  return kept.length === current.length ? KEEP : set(kept);
}

function matcherFor(operand: unknown, context: OperatorContext): (item: unknown) => boolean {
  if (isOperatorDoc(operand) || (typeof operand === 'object' && operand !== null && typeOf(operand) === 'regex')) {
    const test = compileFilter({ value: operand }, context);
    return item => test({ value: item });
  }
  if (isDoc(operand)) {
    const test = compileFilter(operand, context);
    return item => isDoc(item) && test(item);
  }
  return item => isEqual(item, operand, context.collation);
}

