/** Documents that name another: how an engine lists them, and which of those that a transaction has decided are among them. */
import { valuesAt } from '../../shared/contract/path.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Predicate } from '../../shared/contract/rules.ts';
import { type Json, toSortValue } from '../../shared/wire/values.ts';
import { mustKind } from './kinds.ts';
import type { ListRequest, Naming } from './store.ts';
import type { StoredDocument } from './stored-document.ts';

/** Values of one list: each is a branch of its plan. */
const valuesAtOnce = 100;

/** By the index that the relation declares (shared/contract/references.ts). */
export function toNamingRequests({ resource: { removal }, field, values, max }: Naming): readonly ListRequest[] {
  const where: Predicate = removal === undefined ? true : { kind: 'absent', field: removal.at };
  const sort = [{ field: 'id', descending: false }];
  return Array.from({ length: Math.ceil(values.length / valuesAtOnce) }, (_, index) => ({
    equal: { [field]: values.slice(index * valuesAtOnce, (index + 1) * valuesAtOnce) },
    range: undefined, sort, where, after: undefined, limit: max,
  }));
}

/** Whether a document is among them. */
export function toIsNaming({ resource, field, values }: Naming): (document: StoredDocument) => boolean {
  const kind = mustKind(resource, field);
  const keyOf = (value: Json) => JSON.stringify(toSortValue(value, kind));
  const wanted = new Set(values.map(keyOf));
  return ({ value }) => !isRemoved(resource, value) && valuesAt(value, field).some((held) => wanted.has(keyOf(held)));
}
