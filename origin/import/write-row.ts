/** One row of an import as a write: what is created, put in place of another, merged, or refused. */
import { Fault } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { OnDuplicate } from '../../shared/operations/import-query.ts';
import type { Asked } from '../call.ts';
import { hiddenPaths, shownOf } from '../documents/hidden-places.ts';
import { mustMake, newId, taken } from '../documents/new-document.ts';
import { visible } from '../documents/present.ts';
import { seesAll } from '../documents/removed.ts';
import { type Deciding, toDecide } from '../documents/write-one.ts';
import { mustBeTheirs, mustMerge, mustReplace } from '../documents/write-rules.ts';
import type { Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { ImportReport } from './report.ts';
import { idSource, type ImportRow } from './row.ts';

interface Writing {
  readonly onDuplicate: OnDuplicate;
  readonly nowMs: number;
  readonly report: ImportReport;
}

export function toMutation(context: Deciding, call: Asked, row: ImportRow, writing: Writing): Mutation {
  const { resource } = call;
  const { nowMs } = writing;
  const id = row.id ?? newId(resource, nowMs);
  const decide = (before: StoredDocument | undefined): JsonObject | 'keep' => {
    const seen = visible(before, call.rights.readable);
    if (seen !== undefined) return revised(call, row, seen, writing);
    mustKnow(resource, row.sent, undefined);
    const created = mustMake(call, { id, body: mustBeWhole(row), nowMs });
    if (row.id !== undefined) mustName(call);
    if (before !== undefined) throw duplicate(row, id, writing);
    return created;
  };
  const isFresh = row.id === undefined;
  return { resource, id, isFresh, decide: toDecide(context, { ...call, id }, decide, isFresh) };
}

function revised(call: Asked, row: ImportRow, seen: StoredDocument, writing: Writing): JsonObject | 'keep' {
  const { sent } = row;
  const { onDuplicate, nowMs } = writing;
  const { id, value: before } = seen;
  if (onDuplicate !== 'replace' && onDuplicate !== 'merge') {
    mustKnow(call.resource, sent, withoutKept(call.resource, shownOf(before, hiddenPaths(call, before))));
    throw duplicate(row, id, writing);
  }
  mustBeTheirs(call, 'update', seen);
  const revising = { id, before, sent, nowMs };
  return onDuplicate === 'replace' ? mustReplace(call, { ...revising, value: mustBeWhole(row) }) : mustMerge(call, revising);
}

function mustBeWhole({ body }: ImportRow): JsonObject {
  if (body instanceof Fault) throw body;
  return body;
}

function duplicate(row: ImportRow, id: string, { onDuplicate, report }: Writing): Fault {
  if (onDuplicate === 'skip') report.skip(row.number);
  return taken(id);
}

/**
 * Where Tombolo names the documents, a row may name one that its caller sees, and a new one only if they may see all:
 * otherwise the answer would tell whether the document exists that they may not see (SEMANTICS §8).
 */
function mustName(call: Asked): void {
  const { resource } = call;
  if (isNamedByCallers(resource) || seesAll(call)) return;
  throw new Fault('forbidden', {
    detail: 'id: you may see only some documents here, so a row may name those alone; without an id it gets one',
    errors: [{ at: toPointer([idSource(resource)]), in: 'body', detail: 'not one that you see' }],
  });
}
