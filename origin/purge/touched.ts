/** A change as the cache keys that it touches, the whole resource where an image is missing, or nothing that is served. */
import type { Change } from '../../shared/contract/change.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { touched, touchedKeysMax } from '../../shared/contract/dependencies.ts';
import { isInternalName } from '../../shared/contract/internal-names.ts';
import { shownBy } from '../../shared/contract/entry-index.ts';

export interface Touched {
  readonly resource: string;
  /** `undefined`: everything of the resource. */
  readonly keys: ReadonlySet<string> | undefined;
}

/**
 * `undefined`: of an internal resource that is not reported, of this contract or of an earlier one. Entries are what their
 * documents are found by.
 */
export function touchedOf(contract: Contract, change: Change): Touched | undefined {
  const resource = shownBy(contract.reported, change.resource);
  if (resource === undefined && isInternal(contract, change.resource)) return undefined;
  if (resource === undefined || change.kind === 'resource' || change.before === undefined || change.after === undefined) {
    return { resource: resource?.name ?? change.resource, keys: undefined };
  }
  const keys = touched(resource, change.id, change.before ?? undefined, change.after ?? undefined);
  return { resource: resource.name, keys: keys.size > touchedKeysMax ? undefined : keys };
}

function isInternal({ stored }: Contract, resource: string): boolean {
  return isInternalName(resource) || stored.some(({ name, internal }) => internal && name === resource);
}
