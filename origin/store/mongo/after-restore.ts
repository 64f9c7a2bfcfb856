/** What a database needs when others have put back an older state of it. */
import { randomHex } from '../surroundings.ts';
import { replaceEpoch } from './feed/epoch.ts';
import type { Target } from './install/install.ts';
import { metaOf } from './install/system-records.ts';

/**
 * Begins a new epoch, in which no position, generation or cursor of before means anything; says which. `undefined`: the database
 * keeps none, since Tombolo is a guest in it; its epoch follows from its collections, and changes with those that were put back.
 */
export async function beginEpochAfterRestore({ database }: Target): Promise<string | undefined> {
  if ((await metaOf(database).findOne({ _id: 'epoch' })) === null) return undefined;
  const epoch = randomHex(8);
  await replaceEpoch(database.client, database, epoch);
  return epoch;
}
