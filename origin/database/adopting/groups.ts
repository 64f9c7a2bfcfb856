/** Values of one place by their kinds, with those together that one type takes. */
import { Double } from 'mongodb';
import { isSafeLong, kindOf, type ValueKind } from './values.ts';

export type Groups = ReadonlyMap<ValueKind, readonly unknown[]>;

/**
 * Whole numbers among others are numbers, and so is a Long that is exact as one: what is past 2^53 is not. A double is a number
 * where it happens to be whole, too: a price of 80.0 says nothing of the next one.
 */
export function groupsOf(values: readonly unknown[]): Groups {
  const groups = new Map<ValueKind, readonly unknown[]>(Map.groupBy(values, placeKindOf));
  const [integers, numbers, longs] = [groups.get('integer') ?? [], groups.get('number') ?? [], groups.get('long') ?? []];
  const merge = (into: ValueKind, ...from: readonly ValueKind[]): void => {
    const merged = [into, ...from].flatMap((kind) => groups.get(kind) ?? []);
    for (const kind of from) groups.delete(kind);
    groups.set(into, merged);
  };
  const isExact = longs.every(isSafeLong);
  if (longs.length > 0 && isExact && numbers.length > 0) merge('number', 'integer', 'long');
  else if (longs.length > 0 && numbers.length === 0 && integers.length > 0) {
    if (isExact && integers.length > longs.length) merge('integer', 'long');
    else merge('long', 'integer');
  } else if (numbers.length > 0 && integers.length > 0) merge('number', 'integer');
  return groups;
}

function placeKindOf(value: unknown): ValueKind {
  const kind = kindOf(value);
  return kind === 'integer' && value instanceof Double ? 'number' : kind;
}

export function counted(count: number, kind: ValueKind): string {
  return `${count} ${words[kind][count === 1 ? 0 : 1]}`;
}

const words: Readonly<Record<ValueKind, readonly [one: string, several: string]>> = {
  null: ['null', 'null'], objectId: ['ObjectId', 'ObjectIds'], instant: ['date', 'dates'], decimal: ['decimal', 'decimals'],
  long: ['long', 'longs'], integer: ['whole number', 'whole numbers'], number: ['number', 'numbers'], boolean: ['boolean', 'booleans'],
  binary: ['binary', 'binaries'], array: ['array', 'arrays'], object: ['object', 'objects'], string: ['text', 'texts'],
  'far date': ['date outside of the years 1 to 9999', 'dates outside of the years 1 to 9999'],
  other: ['value that only BSON has a type for', 'values that only BSON has types for'],
};
