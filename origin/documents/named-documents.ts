/**
 * What a write names must be there (SEMANTICS §17, shared/contract/references.ts): looked for inside its transaction, as its
 * caller may see it. What stood in the document before is not looked for again, so no change of another field is refused for it.
 */
import { mustBeInScope } from '../../shared/api-keys/scopes.ts';
import { branchesWithout, isOf } from '../../shared/contract/branches-without.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { valuesAt } from '../../shared/contract/path.ts';
import type { Relation } from '../../shared/contract/relations.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isRemoved, readRule } from '../../shared/contract/removal.ts';
import { anyone, type Predicate, reduce } from '../../shared/contract/rules.ts';
import { madeOnce } from '../../shared/remember.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Reach, Store } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { inStore } from './in-store.ts';
import { visible } from './present.ts';
import { toIdIn } from './related-ids.ts';

interface Writing {
  readonly before: StoredDocument | undefined;
  readonly store: Store;
  readonly reach: Reach;
}

/** Refuses a document that names another which is not there, is removed, or which the caller may not see: all alike. */
export function mustNameOthers(call: Asked, next: JsonObject, { before, store, reach }: Writing): void {
  const followed = followedOf(call.resource);
  if (followed.length === 0) return;
  const isRestored = before !== undefined && isRemoved(call.resource, before.value);
  const stood = before === undefined || isRestored ? {} : before.value;
  const errors = followed.flatMap((relation) => errorsOf(call, relation, { stood, next, store, reach }));
  if (errors.length === 0) return;
  if (!isRestored) throw documentInvalid(errors);
  throw new Fault('document_conflict', { detail: 'what it names is not there any more', errors });
}

const followedOf = madeOnce(({ related }: Resource): readonly Relation[] => [...related.values()].filter(({ exists }) => exists));

interface Images extends Omit<Writing, 'before'> {
  /** Nothing, of a document that is made or restored. */
  readonly stood: JsonObject;
  readonly next: JsonObject;
}

function errorsOf(call: Asked, relation: Relation, { stood, next, store, reach }: Images): readonly FieldError[] {
  const { field } = relation;
  const target = inStore(store, relation.target);
  const steps = field.split('.');
  // What the branch of a document does not declare names nothing.
  const without = branchesWithout(call.resource, [field]);
  const isDeclaredIn = (document: JsonObject) => !without.some((branch) => isOf(document, branch));
  if (!isDeclaredIn(next)) return [];
  const known = new Set(isDeclaredIn(stood) ? valuesAt(stood, field) : []);
  const added = placesIn(next, steps).filter(({ value }) => value !== null && !known.has(value));
  if (added.length === 0) return [];
  const readable = readableOf(call, relation);
  const isThere = (value: Json) => {
    const id = toIdIn(target, value);
    // Another spelling of an id would not be found by the one that it names.
    if (id === undefined || id !== String(value)) return false;
    if (target.name === call.resource.name && id === call.id) return true;
    return visible(reach.named(target, id, { stays: relation.onDelete !== undefined }), readable) !== undefined;
  };
  return added.filter(({ value }) => !isThere(value)).map(({ at }) => ({
    at: toPointer(at), in: 'body', detail: `names no document of ${target.name}`,
  }));
}

interface Place {
  readonly at: readonly (string | number)[];
  readonly value: Json;
}

/** The values at a path, as `valuesAt` has them, and where each stands. */
function placesIn(holder: Json, [step = '', ...rest]: readonly string[], at: Place['at'] = []): readonly Place[] {
  const held = isJsonObject(holder) ? ownOf(holder, step) : undefined;
  if (held === undefined) return [];
  const places: readonly Place[] = Array.isArray(held)
    ? held.map((value: Json, index) => ({ value, at: [...at, step, index] }))
    : [{ value: held, at: [...at, step] }];
  return rest.length === 0 ? places : places.flatMap((place) => placesIn(place.value, rest, place.at));
}

/** An API key that may not read the target is told so, whatever it names. */
function readableOf({ principal, isSystem }: Asked, { target }: Relation): Predicate {
  if (isSystem === true) return reduce(readRule(anyone, target.removal), principal);
  mustBeInScope(principal, { operation: { name: 'read', answers: 'state' }, resource: target });
  return reduce(target.rules.read, principal);
}
