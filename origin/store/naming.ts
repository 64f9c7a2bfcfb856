/** Documents that name another: how an engine lists them, and which of those that a transaction has decided are among them. */
import { valuesAt } from '../../shared/contract/path.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Predicate } from '../../shared/contract/rules.ts';
import { toSortValue } from '../../shared/wire/values.ts';
import { mustKind } from './kinds.ts';
import type { ListRequest, Naming } from './store.ts';
import type { StoredDocument } from './stored-document.ts';

/** By the index that the relation declares (shared/contract/references.ts). */
export function toNamingRequest({ resource: { removal }, field, value, max }: Naming): ListRequest {
  const where: Predicate = removal === undefined ? true : { kind: 'absent', field: removal.at };
  return { equal: { [field]: [value] }, range: undefined, sort: [{ field: 'id', descending: false }], where, after: undefined, limit: max };
}

export function isNaming({ resource, field, value }: Naming, { value: document }: StoredDocument): boolean {
  const kind = mustKind(resource, field);
  const wanted = toSortValue(value, kind);
  const isWanted = ({ rank, value: held }: typeof wanted) => rank === wanted.rank && held === wanted.value;
  return !isRemoved(resource, document) && valuesAt(document, field).some((held) => isWanted(toSortValue(held, kind)));
}
