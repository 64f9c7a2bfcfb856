/** Who has a unique key: one look into its index. */
import { scalarKindOf, toPart, type Unique } from '../../../../shared/contract/unique.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { isExactKind, type Scalar } from '../../../../shared/wire/values.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Connection } from '../connection/database.ts';
import { quote } from '../install/ddl.ts';
import { toExactKey } from '../install/exact-keys.ts';
import { keyOf } from '../install/unique-keys.ts';
import { toDocument } from './documents.ts';

interface Asked {
  readonly resource: Resource;
  readonly unique: Unique;
  readonly values: readonly Scalar[];
}

export function holderOf({ database }: Connection, { resource, unique, values }: Asked): StoredDocument | undefined {
  const known = unique.fields.flatMap((path, index) => toValue(resource, path, { value: values[index], unique }) ?? []);
  if (known.length !== unique.fields.length) return undefined;
  const isSame = keyOf(resource, unique).map((part) => `${part} = ?`).join(' AND ');
  const query = `SELECT CAST("id" AS TEXT) AS "id", "doc" FROM ${quote(resource.collection)} WHERE ${isSame} LIMIT 1`;
  const found = database.query<{ id: string; doc: string }, (string | number)[]>(query).get(...known);
  return found === null ? undefined : toDocument(resource, found.id, found.doc);
}

function toValue({ fields }: Resource, path: string, { value, unique }: Pick<Asked, 'unique'> & { readonly value: Scalar | undefined }) {
  const kind = scalarKindOf(fields, path);
  const part = toPart(value, kind, unique.ignoringCase);
  return part !== undefined && isExactKind(kind) ? toExactKey(part.value) : part?.value;
}
