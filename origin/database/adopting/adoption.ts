/** What was read of a collection as what is declared of it. */
import type { IndexDescriptionInfo } from 'mongodb';
import { describeDocuments } from './describe.ts';
import { describeId } from './ids.ts';
import { describeIndexes } from './index-shapes.ts';
import type { Adoption } from './resource-text.ts';
import type { Stored } from './values.ts';

export interface Sample {
  readonly collection: string;
  /** At least one. */
  readonly documents: readonly Stored[];
  /** How many there are in the collection. */
  readonly total: number;
  /** `cut`: reading ended at the bound of bytes. */
  readonly reading: 'all' | 'random' | 'cut';
  readonly indexes: readonly IndexDescriptionInfo[];
  /** Whether the collection has an order of its own, to which texts that differ may be the same. */
  readonly isCollated: boolean;
}

/** `undefined`: no document has an `_id` that can be declared. */
export function toAdoption(name: string, { collection, documents, total, indexes, isCollated }: Sample): Adoption | undefined {
  const id = describeId(documents.map(({ _id }) => _id), { isCollated });
  if (id === undefined) return undefined;
  const described = describeDocuments(documents);
  return { name, collection, read: documents.length, total, id, documents: described, shapes: describeIndexes(indexes, described) };
}
