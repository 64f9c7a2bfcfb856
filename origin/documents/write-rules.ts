/**
 * What every write must pass, inside the transaction and on the document as it is there: who may see it, who
 * may change it, which fields, and whether it is still the one that the caller read. The row rule holds on
 * both images, so nobody moves a document into or out of what they may touch.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { mustPatched } from '../../shared/contract/patched.ts';
import { all, type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import { type Json, type JsonObject } from '../../shared/wire/values.ts';
import { isSameJson, mustReplaced } from '../../shared/contract/settled.ts';
import type { Asked } from '../call.ts';
import { mustMeetConditions, toETag } from './etag.ts';
import { guardedFields, presenter, visible } from './present.ts';
import type { StoredDocument } from '../store/stored-document.ts';

/**
 * The document that a write is about: there, visible to the caller, theirs to change, and as its conditions say. In that
 * order: what the caller may not see is not there, whatever they ask of it (SEMANTICS §8).
 */
export function mustTouch(call: Asked, right: Right, before: StoredDocument | undefined): StoredDocument {
  const found = visible(before, call.rights.readable);
  if (found === undefined) throw new Fault('document_not_found');
  mustBeTheirs(call, right, found);
  return found;
}

/** The same of one that the caller sees. A row that takes no condition changes nothing of a resource that demands them. */
export function mustBeTheirs(call: Asked, right: Right, found: StoredDocument): void {
  mustAllow(found.value, ruleOf(call, right));
  mustMeetConditions(call.preconditions, () => toETag(presenter(call.resource, call.principal, undefined)(found)));
  if (call.resource.preconditions === 'required' && call.preconditions.ifMatch === undefined) {
    throw new Fault('precondition_required', { detail: 'this resource is changed with If-Match alone, which is not taken here' });
  }
}

type Right = 'create' | 'update' | 'remove';

/**
 * What a document must be for its caller to do this to it: the resource's rule for what is done, whatever row lets the
 * caller in. Where the row goes by another rule of documents that are there, that one too.
 */
export function ruleOf({ operation, resource: { rules }, principal, rights: { writable } }: Asked, right: Right): Predicate {
  if (operation.right === right) return writable;
  const also = right !== 'create' && (operation.right === 'update' || operation.right === 'remove');
  return reduce(also ? all(rules[right], rules[operation.right]) : rules[right], principal);
}

export function mustAllow(document: JsonObject, rule: Predicate): void {
  if (!satisfies(document, rule)) throw new Fault('forbidden', { detail: 'the rule of this resource does not allow it for this document' });
}

/** Field rules: a field that the caller may not write must not differ between the two images. */
export function mustAllowFields({ resource, principal }: Writer, before: JsonObject | undefined, after: JsonObject): void {
  for (const [field, { write }] of Object.entries(resource.fieldRules)) {
    if (write === undefined || isSameJson(before?.[field], after[field])) continue;
    const predicate = reduce(write, principal);
    if (!satisfies(after, predicate) || (before !== undefined && !satisfies(before, predicate))) throw fieldForbidden(field);
  }
}

/**
 * A field that the caller may neither read nor write is refused wherever it is named, before its stored value is looked
 * at: otherwise the answer would tell a guess that is right from one that is wrong (SEMANTICS §17).
 */
function mustAllowNames({ resource, principal }: Writer, before: JsonObject, sent: JsonObject): void {
  for (const [field, { read, write }] of Object.entries(resource.fieldRules)) {
    if (write === undefined || read === undefined || !Object.hasOwn(sent, field) || satisfies(before, reduce(read, principal))) continue;
    if (!satisfies(before, reduce(write, principal))) throw fieldForbidden(field);
  }
}

function fieldForbidden(field: string): Fault {
  return new Fault('forbidden', {
    detail: `you may not write ${field}`,
    errors: [{ at: `/${field}`, in: 'body', detail: 'not writable' }],
  });
}

/** Fields that this caller cannot see, and that the write does not name, are kept: they were not in what was read. */
function keepHidden(writer: Writer, before: JsonObject, sent: JsonObject, next: JsonObject): JsonObject {
  const hidden = hiddenFields(writer, before).filter((field) => !Object.hasOwn(sent, field));
  if (hidden.length === 0) return next;
  const shown = Object.entries(next).filter(([field]) => !hidden.includes(field));
  return Object.fromEntries([
    ...shown,
    ...hidden.filter((field) => Object.hasOwn(before, field)).map((field) => [field, before[field] as Json] as const),
  ]);
}

function hiddenFields({ resource, principal }: Writer, document: JsonObject): readonly string[] {
  return guardedFields(resource, principal).filter(([, rule]) => !satisfies(document, rule)).map(([field]) => field);
}

type Writer = Pick<Asked, 'resource' | 'principal'>;

/** What a write makes of a document that is there. */
interface Revising {
  readonly id: string;
  readonly before: JsonObject;
  /** What the caller named. */
  readonly sent: JsonObject;
  /** The fields of the document after the write. */
  readonly next: JsonObject;
  readonly nowMs: number;
}

/** A whole document in the place of one that is there; `value` is what the schema made of what was sent. */
export function mustReplace(
  writer: Asked,
  { value, ...revising }: Omit<Revising, 'next'> & { readonly value: JsonObject },
): JsonObject | 'keep' {
  const { before, sent } = revising;
  mustAllowNames(writer, before, sent);
  const named = withoutKept(sent);
  const replaced = mustReplaced(writer.resource, { sent: named, parsed: withoutKept(value) }, withoutKept(before));
  return mustRevise(writer, { ...revising, sent: named, next: keepHidden(writer, before, named, replaced) });
}

/** A merge patch (RFC 7396) of one that is there: the document that results must be valid; what it does not name stays. */
export function mustMerge(writer: Asked, revising: Omit<Revising, 'next'>): JsonObject | 'keep' {
  const { before, sent } = revising;
  mustAllowNames(writer, before, sent);
  return mustRevise(writer, { ...revising, next: mustPatched(writer.resource, withoutKept(before), sent) });
}

/**
 * The next revision, or `keep` where nothing differs. A field that the caller may write but not read makes a revision
 * whenever it is named: whether it does would tell its value.
 */
function mustRevise(writer: Asked, { id, before, sent, next, nowMs }: Revising): JsonObject | 'keep' {
  const namedHidden = hiddenFields(writer, before).filter((field) => Object.hasOwn(sent, field));
  if (namedHidden.length === 0 && isSameJson(next, withoutKept(before))) return 'keep';
  const after = toRevised(next, before, nowMs);
  mustAllow({ id, ...after }, ruleOf(writer, 'update'));
  // A rule may look at what is written: whoever loses a field by it was never told what was in it.
  for (const field of namedHidden) mustAllowNamed(writer, field, after);
  mustAllowFields(writer, before, after);
  return after;
}

function mustAllowNamed({ resource, principal }: Writer, field: string, after: JsonObject): void {
  const write = resource.fieldRules[field]?.write;
  if (write !== undefined && !satisfies(after, reduce(write, principal))) throw fieldForbidden(field);
}

/** The fields of a document, without what Tombolo keeps. */
export function withoutKept({ id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields }: JsonObject): JsonObject {
  return fields;
}

/** The stored form of the next revision. What others wrote may lack `rev` and the times. */
function toRevised(fields: JsonObject, before: JsonObject, nowMs: number): JsonObject {
  const { rev, createdAt } = before;
  return {
    ...fields,
    rev: (typeof rev === 'number' && Number.isSafeInteger(rev) ? rev : 0) + 1,
    ...(createdAt === undefined ? {} : { createdAt }),
    updatedAt: new Date(nowMs).toISOString(),
  };
}
