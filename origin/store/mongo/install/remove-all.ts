/**
 * Takes Tombolo out of a database: what was filled into documents of others and added to their collections, then its own
 * records (API keys and entries among them), and if asked the collections of the team's that it made, with their documents
 * (SEMANTICS §15). The list of what is whose goes last, so whoever is cut short begins again where it was.
 */
import type { Db, Document } from 'mongodb';
import { isInternalName } from '../../../../shared/contract/internal-names.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { FilledIn } from '../../planned.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { filledIn, undoFill } from '../write/undo-fill.ts';
import { fromAddedName } from './added-indexes.ts';
import { type Left, leftBehind } from './left-behind.ts';
import { ownershipOf } from './ownership.ts';
import { remove, removalOf } from './plan.ts';
import { survey } from './survey.ts';
import { collectionsId, collectionsOf, metaName, systemNames } from './system-records.ts';

export interface WholeRemoval {
  /** What was added to collections of others, by their names. */
  readonly added: ReadonlyMap<string, readonly Document[]>;
  readonly drops: readonly Document[];
  /** Collections that Tombolo owns and that stay, with their documents, validators and indexes. */
  readonly kept: readonly string[];
  /** Into documents of others. */
  readonly filled: readonly FilledIn[];
  /** In collections of others. */
  readonly left: readonly Left[];
}

interface Asked {
  readonly database: Db;
  readonly resources: readonly Resource[];
  readonly withData: boolean;
}

export async function wholeRemovalOf({ database, resources, withData }: Asked): Promise<WholeRemoval> {
  const there = await survey(database, resources);
  const list = await collectionsOf(database).findOne({ _id: collectionsId });
  const added = new Map<string, readonly Document[]>();
  for (const name of Object.keys(list?.added ?? {}).map(fromAddedName)) added.set(name, (await removalOf(database, name)) ?? []);
  const owned = [...ownershipOf(there, resources).owned].filter((name) => there.found.has(name));
  const internal = owned.filter((name) => isInternalName(name) && !systemNames.includes(name));
  const own = [...internal, ...systemNames.filter((name) => name !== metaName && there.found.has(name))];
  const last = there.found.has(metaName) ? [metaName] : [];
  const isAsked = (name: string) => !owned.includes(name);
  return {
    added,
    filled: await filledIn(database, (name) => isAsked(name) && there.found.has(name)),
    left: leftBehind({ resources, there, isAsked }),
    drops: [...new Set([...(withData ? owned : []), ...own, ...last])].map((name) => ({ drop: name })),
    kept: withData ? [] : owned.filter((name) => !internal.includes(name)),
  };
}

/** Says what became of what was filled in. */
export async function removeAll(database: Db, { added, drops, filled }: WholeRemoval): Promise<readonly FilledIn[]> {
  const collections = new Set(filled.map(({ collection }) => collection));
  const undone = await undoFill(database, (name) => collections.has(name));
  for (const [name, commands] of added) await remove(database, name, commands);
  for (const command of drops) await database.command({ ...command, writeConcern: { w: 'majority' } }).catch(ignoreAbsent);
  return undone;
}

/** Somebody else who does the same has dropped it already. */
function ignoreAbsent(error: unknown): void {
  if (codeOf(error) !== codes.namespaceNotFound) throw error;
}
