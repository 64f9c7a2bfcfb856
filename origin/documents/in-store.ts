import type { Resource } from '../../shared/contract/resource.ts';
import { asStored } from '../../shared/contract/as-stored.ts';
import type { Store } from '../store/store.ts';

/** The resource as its collection has it: in one that others made, Tombolo keeps nothing unasked. */
export function inStore(store: Store, resource: Resource): Resource {
  return asStored(resource, store.state().adopted);
}
