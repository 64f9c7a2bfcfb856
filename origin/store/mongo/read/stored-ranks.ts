/** What tells rules in which bracket a value of a document is in MongoDB (SEMANTICS §3). */
import { Binary } from 'mongodb';
import { valueIn, valuesIn } from '../../../../shared/contract/path.ts';
import { bytesRank, type RankAt } from '../../../../shared/contract/stored-ranks.ts';
import { ranks } from '../../../../shared/wire/values.ts';
import { toSortKey } from './brackets.ts';
import { type BsonDocument, isPlainObject } from './bson-values.ts';
import type { RawDocument } from './raw-documents.ts';
import { typeAt } from './raw-types.ts';

/** An id is of the one form that its resource declares. */
export function ranksIn(stored: BsonDocument): RankAt {
  let many: { readonly path: string; readonly values: readonly unknown[] } | undefined;
  return (path, element) => {
    if (path === 'id') return undefined;
    if (element === undefined) return rankOf(valueIn<unknown>(stored, path, isPlainObject));
    if (many?.path !== path) many = { path, values: valuesIn<unknown>(stored, path, isPlainObject) };
    return rankOf(many.values[element]);
  };
}

function rankOf(value: unknown): number {
  return value instanceof Binary ? bytesRank : toSortKey(value).rank;
}

/** The same from the bytes: objects of a whole document cost ten times what a rule does. */
export function ranksInBytes(document: RawDocument): RankAt {
  let inObjects: RankAt | undefined;
  return (path, element) => {
    if (path === 'id') return undefined;
    if (element !== undefined) return (inObjects ??= ranksIn(document.stored))(path, element);
    const type = typeAt(document.bytes, path);
    return type === undefined ? rankOf(document.at(path)) : (ranksOfTypes[type] ?? ranks.other);
  };
}

/** By the numbers of BSON's types; of what is missing, 0. A symbol (14) is a string to the driver. */
const ranksOfTypes: Readonly<Record<number, number>> = {
  0: ranks.null, 6: ranks.null, 10: ranks.null, 1: ranks.number, 16: ranks.number, 18: ranks.number, 19: ranks.number,
  2: ranks.string, 14: ranks.string, 5: bytesRank, 7: ranks.objectId, 8: ranks.boolean, 9: ranks.instant,
};
