/** What is there before anything is done: collections, the indexes of those that matter here, and Tombolo's own records. Reads alone. */
import type { CollectionInfo, Db, IndexDescriptionInfo } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { askedAtOnce } from '../connection/asked-at-once.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { type Collections, collectionsId, collectionsOf, metaOf, onceName, systemNames } from './system-records.ts';

export interface Survey {
  readonly found: ReadonlyMap<string, CollectionInfo>;
  /** Of the declared collections and of the records' that are there. */
  readonly indexes: ReadonlyMap<string, readonly IndexDescriptionInfo[]>;
  /** Which collections Tombolo made here and which it met; absent where it is not installed, or was before it kept this list. */
  readonly list: Collections | undefined;
  readonly hasEpoch: boolean;
}

export async function survey(database: Db, resources: readonly Resource[]): Promise<Survey> {
  const found = new Map((await database.listCollections<CollectionInfo>().toArray()).map((info) => [info.name, info]));
  const indexed = [onceName, ...resources.map(({ collection }) => collection)].filter((name) => isPlain(found.get(name)));
  const indexes = new Map(await askedAtOnce(indexed, async (name) => [name, await indexesOf(database, name)] as const));
  const list = await collectionsOf(database).findOne({ _id: collectionsId });
  return { found, indexes, list: list ?? undefined, hasEpoch: (await metaOf(database).findOne({ _id: 'epoch' })) !== null };
}

/** Nobody has made anything here; what a start that was cut short has left is no one else's. */
export function isEmpty({ found }: Pick<Survey, 'found'>): boolean {
  return [...found.keys()].every((name) => name.startsWith('system.') || systemNames.includes(name));
}

/** Neither a view nor a time series. */
export function isPlain(info: CollectionInfo | undefined): boolean {
  return info !== undefined && (info.type === undefined || info.type === 'collection');
}

/** Whether its indexes and queries have another order than the simple one unless they say so. */
export function isCollated(info: CollectionInfo | undefined): boolean {
  return info?.options?.['collation'] !== undefined;
}

async function indexesOf(database: Db, name: string): Promise<readonly IndexDescriptionInfo[]> {
  try {
    return await database.collection(name).listIndexes().toArray();
  } catch (error) {
    // Dropped since it was listed.
    if (codeOf(error) === codes.namespaceNotFound) return [];
    throw error;
  }
}
