/**
 * What becomes of one document by each way to write it: decided inside the transaction on the document as it is there, by the
 * rules of who asks, whether it is written alone or with others. Each throws a Fault to refuse, and may run more than once.
 */
import { applyJsonPatch } from '../../shared/changes/json-patch.ts';
import type { Edit } from '../../shared/changes/edit.ts';
import { applyChanges } from '../../shared/changes/operators.ts';
import { bodiesOf, documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import type { Patch } from '../../shared/operations/changed-items.ts';
import type { BufferedBody } from '../../shared/operations/operation.ts';
import type { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustMake, taken } from './new-document.ts';
import { shownCopy, visible } from './present.ts';
import { mustRemove } from './removed.ts';
import { mustChange, mustMerge, mustReplace, mustTouch, placedBy } from './write-rules.ts';

export type Decide = (before: StoredDocument | undefined) => JsonObject | 'keep' | 'remove';

/** When it is decided, in milliseconds of the epoch. */
export type Now = () => number;

/** A new document of what the schema made of a body. */
export function creating(call: Asked, body: JsonObject, now: Now): Decide {
  return (found) => {
    const document = mustMake(call, { id: call.id, body, nowMs: now() });
    if (found !== undefined) throw taken(call.id);
    return document;
  };
}

type Whole = Pick<BufferedBody, 'sent' | 'value'>;

/**
 * A whole document in the place of the call's. Where callers name documents it also creates (RFC 9110 §9.3.4),
 * which `If-None-Match: *` asks for alone; where Tombolo names them an unknown id is a 404. A document that the caller
 * may not see is answered like one that is not there; where one of its name would be made, its name is taken.
 */
export function putting(call: Asked, body: Whole, now: Now): Decide {
  const { value: { id: named } } = body;
  if (named !== undefined && named !== call.id) {
    throw documentInvalid([{ at: '/id', in: 'body', detail: 'differs from the id in the path' }]);
  }
  return (found) => {
    if (visible(found, call.rights.readable) === undefined && isNamedByCallers(call.resource)) return mustMakeNamed(call, body, found, now);
    const { sent, value } = body;
    return mustReplace(call, { id: call.id, before: mustTouch(call, 'update', found).value, sent, value, nowMs: now() });
  };
}

/** The document that a call makes under the id that it names, unless one of that name is hidden. */
function mustMakeNamed(call: Asked, body: Whole, found: StoredDocument | undefined, now: Now): JsonObject {
  mustName(call.resource, call.id);
  return mustMakeWhole(call, body, found, now);
}

/** An id that callers of this resource may give a document. */
export function mustName(resource: Resource, id: unknown): string {
  const named = bodiesOf(resource).id.safeParse(id);
  if (!named.success) throw documentInvalid(toFieldErrors(named.error).map((error) => ({ ...error, at: '/id' })));
  return named.data;
}

/** A new document of a whole one that could also take the place of another. */
export function mustMakeWhole(call: Asked, { sent, value }: Whole, found: StoredDocument | undefined, now: Now): JsonObject {
  const { id, resource } = call;
  mustKnow(resource, withoutKept(resource, sent), undefined);
  const document = mustMake(call, { id, body: withoutKept(resource, value), nowMs: now() });
  if (found !== undefined) throw taken(id);
  return document;
}

/** `toPatch` may look at a copy of the document as the caller sees it. */
export function merging(call: Asked, toPatch: (seen: () => JsonObject) => JsonObject, now: Now): Decide {
  return (found) => {
    const before = mustTouch(call, 'update', found);
    return mustMerge(call, { id: call.id, before: before.value, sent: toPatch(() => shownCopy(call, before)), nowMs: now() });
  };
}

/** Changes place by place, as the caller sees the document. */
function changing(call: Asked, change: (edit: Edit) => void, now: Now): Decide {
  return (found) => {
    const before = mustTouch(call, 'update', found);
    const noted = (edit: Edit) => {
      change(edit);
      edited = edit;
    };
    let edited: Edit | undefined;
    const next = mustChange(call, { id: call.id, before: before.value, seen: shownCopy(call, before), change: noted, nowMs: now() });
    if (edited !== undefined && next !== 'keep') edits.set(next, edited);
    return next;
  };
}

const edits = new WeakMap<JsonObject, Edit>();

/** What the database refuses of a document that was decided, told of the place in the patch that made it so, where one did. */
export function toldInPatch(fault: Fault, decided: ReturnType<Decide> | undefined): Fault {
  const edit = typeof decided === 'object' ? edits.get(decided) : undefined;
  return edit === undefined ? fault : placedBy(edit, fault);
}

/** A patch of any of its forms. The document that results must be valid; what is not named keeps value and type. */
export function patching(call: Asked, patch: Patch, now: Now): Decide {
  switch (patch.form) {
    case 'merge':
      return merging(call, () => patch.sent, now);
    case 'patch':
      return changing(call, (edit) => applyJsonPatch(edit, patch.value), now);
    case 'changes':
      return changing(call, (edit) => applyChanges(edit, patch.value, call.resource), now);
  }
}

export function removing(call: Asked, now: Now): Decide {
  return (found) => mustRemove(call, found, now());
}
