/** What aggregates ask of the database: one walk of an index, grouped there by the values as they are stored. */
import type { Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { othersTurn } from '../../../others-turn.ts';
import type { SortValue } from '../../../../shared/wire/values.ts';
import type { TallyRequest } from '../../store.ts';
import { distinctElements } from '../../tally-table.ts';
import { toSortKey } from './brackets.ts';
import { toPath } from './keyset.ts';
import type { RawDocument } from './raw-documents.ts';

/** `withIds`: documents may be met twice, so each is told by itself. */
export function toTallyPipeline(resource: Resource, { fields, each, max }: TallyRequest, filter: Document, withIds: boolean): Document[] {
  const path = (field: string) => `$${toPath(resource, field)}`;
  const key = Object.fromEntries(fields.map((field, index) => [`v${index}`, path(field)]));
  const elements = each === undefined ? [] : [
    { $project: { ...key, ...(withIds ? { _id: 1 } : { _id: 0 }), e: toElements(path(each)) } },
    { $unwind: { path: '$e', preserveNullAndEmptyArrays: true } },
  ];
  const grouped = each === undefined ? key : { ...Object.fromEntries(Object.keys(key).map((name) => [name, `$${name}`])), e: '$e' };
  return [
    { $match: filter },
    { $limit: max + 1 },
    ...elements,
    { $group: { _id: { ...grouped, ...(withIds ? { id: '$_id' } : {}) }, n: { $sum: 1 } } },
  ];
}

/** Each element once; a lone value is its own. */
function toElements(path: string): Document {
  return { $cond: [{ $isArray: path }, { $setUnion: [path] }, [path]] };
}

/** Combinations of one batch, which are read in some 2 ms. */
export const tallyBatchMax = 500;

/** All that the database found, so many at a time. */
export async function inPieces(found: AsyncIterable<Document>, take: (each: Document) => void): Promise<void> {
  let met = 0;
  for await (const each of found) {
    take(each);
    if (++met % tallyBatchMax === 0) await othersTurn();
  }
}

interface FoundTally {
  readonly id: unknown;
  readonly values: readonly SortValue[];
  readonly count: number;
}

export function fromTally({ fields, each }: TallyRequest, { _id: key, n }: Document): FoundTally {
  const found = key as Readonly<Record<string, unknown>>;
  const values = [...fields.map((_field, index) => found[`v${index}`]), ...(each === undefined ? [] : [found['e']])];
  return { id: found['id'], values: values.map(toSortKey), count: Number(n) };
}

/** The same of a document that no walk shows (odd-documents.ts). */
export function ofOddDocument({ fields, each }: TallyRequest, document: RawDocument): readonly (readonly SortValue[])[] {
  const values = fields.map((field) => toSortKey(document.at(field)));
  if (each === undefined) return [values];
  return distinctElements(document.allAt(each).map(toSortKey)).map((element) => [...values, element]);
}
