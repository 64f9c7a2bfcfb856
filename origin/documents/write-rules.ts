/**
 * What every write must pass, inside the transaction and on the document as it is there: who may see it, who
 * may change it, which fields, and whether it is still the one that the caller read. The row rule holds on
 * both images, so nobody moves a document into or out of what they may touch.
 */
import { Fault } from '../../shared/contract/fault.ts';
import { type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import { type Json, type JsonObject } from '../../shared/contract/values.ts';
import type { Asked } from '../call.ts';
import { mustMeetConditions, toETag } from './etag.ts';
import { presenter } from './present.ts';
import type { StoredDocument } from '../store/stored-document.ts';

/**
 * The document that a write is about: there, visible to the caller, theirs to change, and as its conditions say. In that
 * order: what the caller may not see is not there, whatever they ask of it (SEMANTICS §8).
 */
export function mustTouch(call: Asked, before: StoredDocument | undefined): StoredDocument {
  const visible = before !== undefined && satisfies(before.value, call.rights.readable) ? before : undefined;
  if (visible === undefined) throw new Fault('document_not_found');
  mustAllow(visible.value, call.rights.writable);
  mustMeetConditions(call.preconditions, () => toETag(presenter(call.resource, call.principal, undefined)(visible)));
  return visible;
}

export function mustAllow(document: JsonObject, rule: Predicate): void {
  if (!satisfies(document, rule)) throw new Fault('forbidden', { detail: 'the rule of this resource does not allow it for this document' });
}

/** Field rules: a field that the caller may not write must not differ between the two images. */
export function mustAllowFields({ resource, principal }: Pick<Asked, 'resource' | 'principal'>, before: JsonObject | undefined, after: JsonObject): void {
  for (const [field, { write }] of Object.entries(resource.fieldRules)) {
    if (write === undefined || isSame(before?.[field], after[field])) continue;
    const predicate = reduce(write, principal);
    const allowed = satisfies(after, predicate) && (before === undefined || satisfies(before, predicate));
    if (!allowed) throw new Fault('forbidden', { detail: `you may not write ${field}`, errors: [{ at: `/${field}`, in: 'body', detail: 'not writable' }] });
  }
}

/** Fields that this caller cannot see are kept when a whole document is replaced: they were not in what was read. */
export function hiddenFrom({ resource, principal }: Asked, before: JsonObject): JsonObject {
  const hidden = Object.entries(resource.fieldRules).filter(([field, { read }]) =>
    read !== undefined && Object.hasOwn(before, field) && !satisfies(before, reduce(read, principal)));
  return Object.fromEntries(hidden.map(([field]) => [field, before[field] as Json]));
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** The stored form of a new document. */
export function toCreated(body: JsonObject, nowMs: number): JsonObject {
  const now = new Date(nowMs).toISOString();
  return { ...body, rev: 1, createdAt: now, updatedAt: now };
}

/** The stored form of the next revision. What others wrote may lack `rev` and the times. */
export function toRevised(body: JsonObject, before: JsonObject, nowMs: number): JsonObject {
  const { rev, createdAt } = before;
  const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = body;
  return {
    ...fields,
    rev: (typeof rev === 'number' && Number.isSafeInteger(rev) ? rev : 0) + 1,
    ...(createdAt === undefined ? {} : { createdAt }),
    updatedAt: new Date(nowMs).toISOString(),
  };
}
