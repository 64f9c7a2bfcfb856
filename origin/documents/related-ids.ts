/** The ids by which documents name others, as they stand in the fields that hold them. */
import { toEqualValue } from '../../shared/contract/filter-values.ts';
import { isIntegerId, toCanonicalId } from '../../shared/contract/ids.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Json, Scalar } from '../../shared/wire/values.ts';

/** The id that a value of a field is; `undefined`: no document of the target can have it. */
export function toIdIn(target: Resource, held: Json | undefined): string | undefined {
  if (target.idKind !== 'integer') return typeof held === 'string' ? toCanonicalId(target, held) : undefined;
  return (typeof held === 'string' || typeof held === 'number') && isIntegerId(String(held)) ? String(held) : undefined;
}

/** The value by which a field of the holder holds the id; `undefined`: no document of the holder can hold it. */
export function idValueIn(holder: Resource, field: string, id: string): Scalar | undefined {
  const declared = holder.fields.get(field);
  const read = declared === undefined ? undefined : toEqualValue(holder, declared, id);
  return read !== undefined && 'value' in read ? read.value : undefined;
}
