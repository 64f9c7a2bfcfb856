/**
 * Which indexes Tombolo made, in the list of its records: by name and key, so that no other is ever taken out. Each is noted
 * before it is built. On a collection of Tombolo's own, one that has both as declared was built by a start that kept no list.
 */
import type { Db, Document, IndexDescriptionInfo, UpdateFilter } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toIndexKey } from '../read/branch-query.ts';
import { oddFilter } from '../read/odd-documents.ts';
import { keyText, servingIndex } from './index-match.ts';
import { isOddIndex, servingOddIndex } from './odd-index.ts';
import type { Ownership } from './ownership.ts';
import type { Step } from './steps.ts';
import type { Survey } from './survey.ts';
import { isOfUnique, isUniqueIndex } from './unique-index.ts';
import { type AddedIndex, type Collections, collectionsId, collectionsOf } from './system-records.ts';

/** Indexes that Tombolo made and that serve nothing which is declared. */
export function unwantedIndexes({ list, indexes }: Survey, resource: Resource): readonly IndexDescriptionInfo[] {
  const added = list?.added?.[addedName(resource.collection)]?.indexes ?? [];
  return (indexes.get(resource.collection) ?? []).filter((index) => isListed(added, index) && !isWanted(resource, index));
}

function isWanted(resource: Resource, index: IndexDescriptionInfo): boolean {
  const filter = oddFilter(resource);
  if (isOddIndex(index)) return filter !== undefined && servingOddIndex([index], filter) !== undefined;
  if (isUniqueIndex(index)) return isOfUnique(resource, index);
  return resource.indexes.some((spec) => servingIndex(resource, [index], spec) !== undefined);
}

interface OwnIndexes {
  readonly resources: readonly Resource[];
  readonly ownership: Ownership;
  /** What a start is about to do. */
  readonly steps: readonly Step[];
}

export async function noteOwnIndexes(
  database: Db,
  { list, indexes }: Survey,
  { resources, ownership, steps }: OwnIndexes,
): Promise<void> {
  const missing = resources.filter((each) => ownership.owned.has(each.collection)).flatMap((resource) => {
    const there = (indexes.get(resource.collection) ?? []).filter((index) => isAsDeclared(resource, index)).map(toAdded);
    const made = steps.filter(({ collection }) => collection === resource.collection).flatMap(indexesOf);
    const added = list?.added?.[addedName(resource.collection)]?.indexes ?? [];
    const unlisted = [...there, ...made].filter((index) => !added.some((each) => isSame(each, index)));
    return unlisted.length === 0 ? [] : [[pathOf(resource.collection), { $each: unlisted }] as const];
  });
  if (missing.length === 0) return;
  await collectionsOf(database).updateOne({ _id: collectionsId }, asUpdate({ $addToSet: Object.fromEntries(missing) }));
}

export function isAsDeclared(resource: Resource, index: IndexDescriptionInfo): boolean {
  if (isOddIndex(index)) return true;
  if (isUniqueIndex(index)) return isOfUnique(resource, index);
  return resource.indexes.some((spec) => spec.name === index.name && keyText(toIndexKey(resource, spec)) === keyText(index.key));
}

/** Before it is done, so that what was begun is undone as well. Says whether anything was not noted before. */
export async function noteAdded(database: Db, step: Step): Promise<boolean> {
  const { images, path, added } = toNote(step);
  const change = images === undefined ? { $addToSet: { [path]: { $each: added } } } : { $set: { [images]: true as const } };
  return (await collectionsOf(database).updateOne({ _id: collectionsId }, asUpdate(change))).modifiedCount > 0;
}

/** What the server refused was not added, and what was dropped is not there: an index of that name will be of others. */
export async function forgetAdded(database: Db, step: Step): Promise<void> {
  const { images, path, added } = toNote(step);
  const change = images === undefined ? { $pullAll: { [path]: added } } : { $unset: { [images]: '' as const } };
  await collectionsOf(database).updateOne({ _id: collectionsId }, asUpdate(change));
}

function toNote(step: Step) {
  const { kind, collection } = step;
  const images = kind === 'images' ? `${addedAt(collection)}.images` : undefined;
  return { images, path: pathOf(collection), added: indexesOf(step) };
}

/** Those that a step makes or takes out. */
function indexesOf({ command, undo }: Pick<Step, 'command' | 'undo'>): readonly AddedIndex[] {
  const made = command['indexes'] ?? ('dropIndexes' in command ? undo?.['indexes'] : undefined) ?? [];
  return (made as readonly { readonly name: string; readonly key: Document }[]).map(toAdded);
}

export function isListed(list: readonly AddedIndex[], index: Pick<IndexDescriptionInfo, 'name' | 'key'>): boolean {
  return list.some((each) => isSame(each, toAdded(index)));
}

function isSame(left: AddedIndex, right: AddedIndex): boolean {
  return left.name === right.name && left.key === right.key;
}

function toAdded({ name = '', key }: { readonly name?: string; readonly key: Document }): AddedIndex {
  return { name, key: keyText(key) };
}

function pathOf(collection: string): string {
  return `${addedAt(collection)}.indexes`;
}

export function addedAt(collection: string): string {
  return `added.${addedName(collection)}`;
}

/** Names of collections may have dots, which would end a step of a path. */
export function addedName(collection: string): string {
  return collection.replaceAll('%', '%25').replaceAll('.', '%2E');
}

export function fromAddedName(name: string): string {
  return name.replaceAll('%2E', '.').replaceAll('%25', '%');
}

/** The driver's types know no path that holds the name of a collection. */
function asUpdate(change: object): UpdateFilter<Collections> {
  return change as UpdateFilter<Collections>;
}
