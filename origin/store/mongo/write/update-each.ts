/** Updates of one document each, of which every one has an outcome of its own, also where there are no transactions. */
import type { Collection, Document } from 'mongodb';
import { codeOf, codes } from '../connection/errors.ts';
import type { Lacking } from './default-updates.ts';

/** `missed`: the filter found nothing. `refused`: by the database's own checks. */
export type Outcome = 'written' | 'missed' | 'refused';

export interface Update {
  readonly filter: Document;
  readonly update: Document;
}

/** In the order given. Throws what else befalls one of them, when all have ended. */
export async function updateEach(collection: Collection<Lacking>, updates: readonly Update[]): Promise<readonly Outcome[]> {
  const ended = await Promise.allSettled(updates.map(({ filter, update }) => outcomeOf(collection, filter, update)));
  return ended.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

async function outcomeOf(collection: Collection<Lacking>, filter: Document, update: Document): Promise<Outcome> {
  try {
    const { matchedCount } = await collection.updateOne(filter, update);
    return matchedCount > 0 ? 'written' : 'missed';
  } catch (error) {
    if (codeOf(error) === codes.documentValidation) return 'refused';
    throw error;
  }
}
