/** The parts of a bulk change or removal: each document's write as it would be alone, and where it stands in the request. */
import { mustBeDemanded } from '../../shared/contract/preconditions.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import type { ChangedItem, Patch } from '../../shared/operations/changed-items.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Asked } from '../call.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { type Now, patching, removing } from './decisions.ts';
import type { Part } from './write-together.ts';

/** A resource that demands preconditions demands one of each item. */
export function partsOfChanges(call: Asked, items: readonly ChangedItem[], now: Now): readonly Part[] {
  return items.map(({ id, ifMatch, patch }, index) => {
    const asked = { ...call, id, preconditions: { ifMatch, ifNoneMatch: undefined } };
    const decide = patching(asked, patch, now);
    return {
      asked, at: `/${index}`, body: `/${index}/${patch.form}`,
      decide: (found) => {
        mustBeDemanded(call.resource, 'change', asked.preconditions);
        return decide(found);
      },
    };
  });
}

/** The same change of several. */
export function partsOfOneChange(
  call: Asked, ids: readonly string[], { patch, now }: { readonly patch: Patch; readonly now: Now },
): readonly Part[] {
  mustBeDemanded(call.resource, 'change', unconditional);
  return ids.map((id) => {
    const asked = { ...call, id, preconditions: unconditional };
    return { asked, at: '', body: `/${patch.form}`, decide: patching(asked, patch, now) };
  });
}

const unconditional = { ifMatch: undefined, ifNoneMatch: undefined };

export function partsOfRemoved(call: Asked, ids: readonly string[], now: Now): readonly Part[] {
  // Where a resource demands preconditions, nothing of it is removed unread.
  mustBeDemanded(call.resource, 'change', unconditional);
  return ids.map((id) => ({
    asked: { ...call, id }, at: undefined, body: '', decide: removing({ ...call, id }, now), isRemoval: true,
  }));
}

/** Of documents as a filter found them: what has changed since may not meet it. */
export function asFound(parts: readonly Part[], found: readonly StoredDocument[]): readonly Part[] {
  return parts.map((part, index) => ({
    ...part,
    decide: (before) => {
      const decided = part.decide(before);
      if (before !== undefined && isSameJson(before.value, found[index]?.value)) return decided;
      throw new Fault('document_conflict', { detail: 'changed while it was looked for' });
    },
  }));
}
