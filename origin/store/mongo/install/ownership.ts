/**
 * Whose a collection is (SEMANTICS §15). Tombolo owns what it made and keeps a list of that; everything else is adopted, and
 * no start changes it.
 *
 *   no collection at all ─────────────▶ installed by the start: what is declared is made and owned
 *   collections, and no list of ours ─▶ guest: everything is adopted and nothing is made, until `npm run apply`
 *   a list of ours ───────────────────▶ installed: what it names is owned; a declared collection that is not there is made
 *                                       and owned; one that others made is adopted, and stays so when they drop it
 */
import type { Db, Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { collectionsId, collectionsOf } from './system-records.ts';
import { isEmpty, type Survey } from './survey.ts';

export interface Ownership {
  /** Whether Tombolo's own collections are here, or are to be made by the start. */
  readonly isInstalled: boolean;
  readonly owned: ReadonlySet<string>;
  readonly adopted: ReadonlySet<string>;
}

/** `known`: what this process found before; it holds when others have dropped the list with the rest. */
export function ownershipOf(there: Survey, resources: readonly Resource[], known?: Ownership): Ownership {
  const { list, found, hasEpoch } = there;
  if (list !== undefined) return extended(there, resources, { owned: list.owned ?? [], adopted: list.adopted ?? [] });
  if (known !== undefined) return known;
  const names = resources.map(({ collection }) => collection);
  if (hasEpoch) return extended(there, resources, { owned: names.filter((name) => isOfOldStart(found.get(name)?.options)), adopted: [] });
  if (isEmpty(there)) return extended(there, resources, { owned: [], adopted: [] });
  return { isInstalled: false, owned: new Set(), adopted: new Set(names) };
}

/** As it is when somebody has asked for it: what is there stays adopted, what is not is made and owned. */
export function consented({ found }: Pick<Survey, 'found'>, { owned, adopted }: Ownership): Ownership {
  const absent = [...adopted].filter((name) => !found.has(name));
  return {
    isInstalled: true,
    owned: new Set([...owned, ...absent]),
    adopted: new Set([...adopted].filter((name) => found.has(name))),
  };
}

/** Written before a collection is made: a start that is cut short finds what it made, and still owns it. */
export async function noteOwnership(database: Db, { list }: Survey, { owned, adopted }: Ownership): Promise<void> {
  const isListed = (names: readonly string[] = [], wanted: ReadonlySet<string>) => [...wanted].every((name) => names.includes(name));
  const isNoted = isListed(list?.owned, owned) && isListed(list?.adopted, adopted);
  if (list !== undefined && isNoted) return;
  await collectionsOf(database).updateOne(
    { _id: collectionsId },
    { $addToSet: { owned: { $each: [...owned] }, adopted: { $each: [...adopted] } } },
    { upsert: true },
  );
  await collectionsOf(database).updateOne({ _id: collectionsId }, { $pullAll: { adopted: [...owned] } });
}

function extended(
  { found }: Survey,
  resources: readonly Resource[],
  { owned, adopted }: { readonly owned: readonly string[]; readonly adopted: readonly string[] },
): Ownership {
  const fresh = resources.map(({ collection }) => collection).filter((name) => !owned.includes(name) && !adopted.includes(name));
  return {
    isInstalled: true,
    owned: new Set([...owned, ...fresh.filter((name) => !found.has(name))]),
    adopted: new Set([...adopted, ...fresh.filter((name) => found.has(name))]),
  };
}

/** Starts before there was a list gave every declared collection images, and a validator that names the type of ids. */
function isOfOldStart(options: Document | undefined): boolean {
  const images: unknown = options?.['changeStreamPreAndPostImages']?.enabled;
  return images === true && options?.['validator']?.$jsonSchema?.properties?._id !== undefined;
}
