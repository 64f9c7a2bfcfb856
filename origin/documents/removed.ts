/** Documents that are removed and stay for a while (shared/contract/removal.ts): how they come there, and back. */
import { isRemoved, removedRule } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { reduce } from '../../shared/contract/rules.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { deriveNext } from './before-write.ts';
import { causing } from './caused.ts';
import { visible } from './present.ts';
import { mustBeTheirs, mustTouch, toRevised } from './write-rules.ts';

export function mustRemove(call: Asked, found: StoredDocument | undefined, nowMs: number): JsonObject | 'remove' {
  return removedForm(call.resource, mustTouch(call, 'remove', found).value, nowMs);
}

/** What a removal leaves of the document: it, with the moment noted, where the resource keeps what is removed; or nothing. */
export function removedForm(resource: Resource, value: JsonObject, nowMs: number): JsonObject | 'remove' {
  const { removal } = resource;
  if (removal === undefined) return 'remove';
  const fields = { ...withoutKept(resource, value), [removal.at]: new Date(nowMs).toISOString() };
  return toRevised(resource, { fields, before: value, nowMs });
}

/** The document as it was, which hooks before a write are told of as of any other. */
export function mustRestore(call: Asked, found: StoredDocument | undefined, nowMs: number): JsonObject {
  const { resource, id } = call;
  const { value: before } = mustBeRemoved(call, found);
  const { fields, also } = deriveNext(call, { id, before, next: withoutKept(resource, before), nowMs });
  return causing(toRevised(resource, { fields, before: withoutMoment(resource, before), nowMs }), also);
}

/** A removed document that its caller may see, theirs to restore or to erase, and as the call's conditions say. */
export function mustBeRemoved(call: Asked, found: StoredDocument | undefined): StoredDocument {
  const removed = visible(found, reduce(removedRule(call.resource), call.principal));
  if (removed !== undefined) {
    mustBeTheirs(call, 'restore', removed);
    return removed;
  }
  if (visible(found, call.rights.readable) === undefined) throw new Fault('document_not_found');
  throw new Fault('document_conflict', { detail: 'it is not removed' });
}

/** Whether the caller sees every document that is not removed. That a name is one of a removed document is no secret. */
export function seesAll({ resource: { removal }, rights: { readable } }: Asked): boolean {
  return readable === true || (typeof readable === 'object' && readable.kind === 'absent' && readable.field === removal?.at);
}

/** The call as one that is about removed documents. A list leaves out what is not removed by its range. */
export function ofRemoved(call: Asked): Asked {
  const { resource, principal, id, rights } = call;
  return { ...call, rights: { ...rights, readable: id === '' ? rights.writable : reduce(removedRule(resource), principal) } };
}

/** What a write left, as far as anybody reads it. */
export function standing(resource: Resource, after: StoredDocument | undefined): StoredDocument | undefined {
  // Looked into, and so parsed, only where what is removed stays.
  return after !== undefined && resource.removal !== undefined && isRemoved(resource, after.value) ? undefined : after;
}

function withoutMoment({ removal }: Resource, document: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== removal?.at));
}
