/**
 * What every write must pass, inside the transaction and on the document as it is there: who may see it, who
 * may change it, which fields, and whether it is still the one that the caller read. The row rule holds on
 * both images, so nobody moves a document into or out of what they may touch.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import { mergePatch } from '../../shared/contract/merge-patch.ts';
import { Edit } from '../../shared/changes/edit.ts';
import { mustChanged, mustPatched } from '../../shared/contract/patched.ts';
import { valueAt } from '../../shared/contract/path.ts';
import { all, type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import { withRanksOf } from '../../shared/contract/stored-ranks.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { instantAt, type JsonObject } from '../../shared/wire/values.ts';
import { isSameJson, mustReplaced } from '../../shared/contract/settled.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { keptNamesOf, withoutKept } from '../../shared/contract/system-fields.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Asked } from '../call.ts';
import { deriveNext } from './before-write.ts';
import { causing } from './caused.ts';
import { mustMeetConditions, toETag } from './etag.ts';
import { initialAt, mustStay, withUngiven } from './given-fields.ts';
import { asDocument, hiddenPaths, isNamed, keepHidden, shownOf } from './hidden-places.ts';
import { presenter, visible } from './present.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { namedOf, withUnnamed } from './unnamed-places.ts';

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

type Right = 'create' | 'update' | 'remove' | 'restore';

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
    if (write === undefined || isSameJson(before === undefined ? undefined : valueAt(before, field), valueAt(after, field))) continue;
    const predicate = reduce(write, principal);
    if (satisfies(after, predicate) && (before === undefined || satisfies(before, predicate))) continue;
    const isInitial = before === undefined && isSameJson(initialAt({ resource, principal }, after, field), valueAt(after, field));
    if (!isInitial) throw fieldForbidden(field);
  }
}

/**
 * A field that the caller may neither read nor write is refused wherever it is named, before its stored value is looked
 * at: otherwise the answer would tell a guess that is right from one that is wrong (SEMANTICS §17).
 */
function mustAllowNames({ resource, principal }: Writer, document: JsonObject, namedHidden: readonly string[]): void {
  for (const field of namedHidden) {
    const write = resource.fieldRules[field]?.write;
    if (write !== undefined && !satisfies(document, reduce(write, principal))) throw fieldForbidden(field);
  }
}

function fieldForbidden(field: string): Fault {
  return new Fault('forbidden', {
    detail: `you may not write ${field}`,
    errors: [{ at: toPointer(field.split('.')), in: 'body', detail: 'not writable' }],
  });
}

type Writer = Pick<Asked, 'resource' | 'principal'>;

/** What a write makes of a document that is there. */
interface Revising {
  readonly id: string;
  readonly before: JsonObject;
  /** What the caller named. */
  readonly sent: JsonObject;
  readonly nowMs: number;
}

interface Changing extends Omit<Revising, 'sent'> {
  /** The document as its caller sees it. */
  readonly seen: JsonObject;
  readonly change: (edit: Edit) => void;
}

/** What the fields of the document after a write are made of. */
interface Made extends Omit<Revising, 'sent'> {
  readonly next: JsonObject;
  /** The paths that the caller does not see and names. */
  readonly namedHidden: readonly string[];
}

/** A whole document in the place of one that is there; `value` is what the schema made of what was sent. */
export function mustReplace(
  writer: Asked,
  { value, sent, ...revising }: Revising & { readonly value: JsonObject },
): JsonObject | 'keep' {
  const { before } = revising;
  const { resource, keeps = [] } = writer;
  const hidden = hiddenPaths(writer, before).filter((path) => !keeps.includes(path));
  const replaces = shownOf(before, hidden);
  const body = namedOf(writer, withoutKept(resource, sent));
  const namedHidden = hidden.filter((path) => isNamed(path, { body, replaces }));
  mustAllowNames(writer, before, namedHidden);
  const whole = withUngiven(resource, { value, sent, stored: replaces });
  const parsed = withoutKept(resource, withUnnamed(writer, { sent: whole, before: replaces, as: 'document' }));
  const replaced = mustReplaced(resource, { sent: body, parsed }, withoutKept(resource, replaces));
  const next = keepHidden(resource.schema, hidden, { sent: body, before, next: replaced });
  return mustRevise(writer, { ...revising, namedHidden, next });
}

/** A merge patch (RFC 7396) of one that is there: the document that results must be valid; what it does not name stays. */
export function mustMerge(writer: Asked, { sent: given, ...revising }: Revising): JsonObject | 'keep' {
  const { before } = revising;
  const { resource, keeps = [] } = writer;
  const isInArray = (path: string) => resource.fields.get(path)?.isInArray === true;
  const hidden = hiddenPaths(writer, before).filter((path) => !(keeps.includes(path) && isInArray(path)));
  const sent = withUnnamed(writer, { sent: given, before: shownOf(before, hidden), as: 'patch' });
  const namedHidden = hidden.filter((path) => isNamed(path, { body: sent, replaces: undefined }));
  mustAllowNames(writer, before, namedHidden);
  // An array is replaced as a whole, by elements in which nobody could name what they do not see.
  const kept = hidden.filter((path) => !namedHidden.includes(path) || isInArray(path));
  // What is hidden is not validated again, as a patch into another branch of a union would: a refusal would tell of it.
  const stood = withoutKept(resource, shownOf(before, kept));
  const patched = mustPatched(resource, stood, sent, shownOf(stood, namedHidden));
  const next = kept.length === 0
    ? patched
    : keepHidden(resource.schema, kept, { sent: asDocument(mergePatch(stood, sent)), before, next: patched });
  return mustRevise(writer, { ...revising, namedHidden, next });
}

/** What a patch makes of one that is there, place by place, as its caller sees it; what they do not see stays as it is. */
export function mustChange(writer: Asked, { seen, change, ...revising }: Changing): JsonObject | 'keep' {
  const { before } = revising;
  const { resource, keeps = [] } = writer;
  const hidden = hiddenPaths(writer, before).filter((path) => !keeps.includes(path));
  const named = shownOf(seen, keeps);
  const edit = new Edit(named, { hidden: [...hidden, ...keeps], kept: keptNamesOf(resource) });
  change(edit);
  return mustInPatch(edit, () => {
    const shown = shownOf(before, hidden);
    const whole = (sent: JsonObject) => withoutKept(resource, withUnnamed(writer, { sent, before: shown, as: 'document' }));
    const [saw, after] = [whole(named), whole(edit.document)];
    const namedHidden = hidden.filter((path) => isNamed(path, { body: after, replaces: saw }));
    mustAllowNames(writer, before, namedHidden);
    const changed = mustChanged(resource, withoutKept(resource, before), { seen: saw, after });
    const next = keepHidden(resource.schema, hidden, { sent: after, before, next: changed });
    return mustRevise(writer, { ...revising, namedHidden, next });
  });
}

/** Whether a refusal is of places in the document. */
function isOfPlaces({ reason }: Fault): boolean {
  return reason === 'document_invalid' || reason === 'document_conflict' || reason === 'forbidden';
}

function mustInPatch<T>(edit: Edit, decide: () => T): T {
  try {
    return decide();
  } catch (thrown) {
    throw thrown instanceof Fault ? placedBy(edit, thrown) : thrown;
  }
}

/** What is wrong with a place of the document is told of the place in the patch that made it so. */
export function placedBy(edit: Edit, fault: Fault): Fault {
  if (!isOfPlaces(fault)) return fault;
  const { reason, detail, cause } = fault;
  const errors = fault.errors.map((error) => edit.placeInPatch(error));
  if (reason === 'document_invalid') return documentInvalid(errors);
  return new Fault(reason, { ...(detail === undefined ? {} : { detail }), errors, cause });
}

/**
 * The next revision, or `keep` where nothing differs. A field that the caller may write but not read makes a revision
 * whenever it is named: whether it does would tell its value.
 */
function mustRevise(writer: Asked, { id, before, namedHidden, next, nowMs }: Made): JsonObject | 'keep' {
  const stored = withoutKept(writer.resource, before);
  const revised = (fields: JsonObject) =>
    namedHidden.length === 0 && isSameJson(fields, stored) ? undefined : toRevised(writer.resource, { fields, before, nowMs });
  // The field rules hold of what the caller sent, the row rule of all that is written.
  const asSent = revised(next);
  if (asSent !== undefined) mustAllowSent(writer, { before, after: asSent, namedHidden });
  const { fields, also } = deriveNext(writer, { id, before, next, nowMs });
  mustStay(writer.resource, stored, fields, namedHidden);
  const after = fields === next ? asSent : revised(fields);
  if (after === undefined) return 'keep';
  mustAllow(withRanksOf(before, { id: toIdValue(writer.resource, id), ...after }), ruleOf(writer, 'update'));
  return causing(after, also);
}

interface SentImages {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly namedHidden: readonly string[];
}

/** A rule may look at what is written: whoever loses a field by it was never told what was in it. */
function mustAllowSent(writer: Asked, { before, after, namedHidden }: SentImages): void {
  withRanksOf(before, after);
  mustAllowNames(writer, after, namedHidden);
  mustAllowFields(writer, before, after);
}

/** The stored form of the next revision. What others wrote may lack what Tombolo keeps, or hold it as null. */
export function toRevised(
  { system: { rev, createdAt, updatedAt, deletedAt } }: Resource,
  { fields, before, nowMs }: { readonly fields: JsonObject; readonly before: JsonObject; readonly nowMs: number },
): JsonObject {
  const last = rev === undefined ? undefined : before[rev];
  const made = createdAt === undefined ? undefined : before[createdAt];
  const removed = deletedAt === undefined ? undefined : before[deletedAt];
  return {
    ...(deletedAt === undefined || removed === undefined ? {} : { [deletedAt]: removed }),
    ...fields,
    ...(rev === undefined ? {} : { [rev]: (typeof last === 'number' && Number.isSafeInteger(last) ? last : 0) + 1 }),
    ...(createdAt === undefined || made === undefined ? {} : { [createdAt]: made }),
    ...(updatedAt === undefined ? {} : { [updatedAt]: instantAt(nowMs) }),
  };
}
