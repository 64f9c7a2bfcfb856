/** The unique index of a key (shared/contract/unique.ts): partial, so that documents that have no such key are not in it. */
import type { Document, IndexDescriptionInfo } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Unique } from '../../../../shared/contract/unique.ts';
import { toHeldFilter, toOrder, toUniqueKey } from '../read/unique-keys.ts';
import { keyText } from './index-match.ts';

const namePrefix = 'unique_';

/** The name of the one that keeps it. Who made it is no matter; what it holds is. */
export function servingUniqueIndex(resource: Resource, there: readonly IndexDescriptionInfo[], unique: Unique): string | undefined {
  return there.find((index) => keeps(resource, index, unique))?.name;
}

export function toUniqueIndex(
  resource: Resource, there: readonly IndexDescriptionInfo[], unique: Unique,
): Document & { readonly name: string } {
  const free = (name: string): string => (there.some((index) => index.name === name) ? free(`${name}_`) : name);
  return {
    key: toUniqueKey(resource, unique), name: free(`${namePrefix}${unique.name}`), unique: true,
    partialFilterExpression: toHeldFilter(resource, unique), ...toOrder(unique),
  };
}

/** Whether it is such an index, of this declaration or of an earlier one. */
export function isUniqueIndex(index: IndexDescriptionInfo): boolean {
  return index['unique'] === true && index['partialFilterExpression'] !== undefined;
}

export function isOfUnique(resource: Resource, index: IndexDescriptionInfo): boolean {
  return resource.unique.some((unique) => keeps(resource, index, unique));
}

function keeps(resource: Resource, index: IndexDescriptionInfo, unique: Unique): boolean {
  const { locale, strength } = index['collation'] ?? {};
  const wanted = toOrder(unique).collation;
  const isOrdered = wanted.locale === 'simple' ? locale === undefined : locale === wanted.locale && strength === wanted.strength;
  return index['unique'] === true && index['hidden'] !== true && isOrdered &&
    keyText(index.key) === keyText(toUniqueKey(resource, unique)) &&
    Bun.deepEquals(index['partialFilterExpression'], toHeldFilter(resource, unique));
}
