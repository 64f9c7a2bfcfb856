/** How the values of a field compare in a store: what `toSortValue` is told. */
import { isScalarKind } from '../../shared/contract/fields.ts';
import { idField } from '../../shared/contract/id-declarations.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { ScalarKind } from '../../shared/wire/values.ts';

export function isArrayField(resource: Resource, field: string): boolean {
  return resource.fields.get(field)?.kind === 'array';
}

/** The kind of a field, of the elements of an array. `resource()` lets only such fields into shapes and rules. */
export function mustKind(resource: Resource, field: string): ScalarKind {
  const found = field === 'id' ? idField(resource) : resource.fields.get(field);
  const kind = found?.kind === 'array' ? found.element : found?.kind;
  if (kind === undefined || !isScalarKind(kind)) throw new Error(`${resource.name}.${field} (${kind ?? 'unknown'}) has no order`);
  return kind;
}
