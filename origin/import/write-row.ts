/** One row of an import as a write: what is created, put in place of another, merged, or refused. */
import { Fault } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { reduce } from '../../shared/contract/rules.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Call } from '../call.ts';
import { mustCreate, newId, taken } from '../documents/new-document.ts';
import { visible } from '../documents/present.ts';
import { toDecision } from '../documents/write-one.ts';
import { mustAllow, mustMerge, mustReplace, toCreated, withoutKept } from '../documents/write-rules.ts';
import type { Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { ImportReport } from './report.ts';
import { idSource, type ImportRow } from './row.ts';

export function toMutation(call: Call<typeof documents.import>, row: ImportRow, nowMs: number, report: ImportReport): Mutation {
  const { resource } = call;
  const id = row.id ?? newId(resource, nowMs);
  const decide = (before: StoredDocument | undefined): JsonObject | 'keep' => {
    const seen = visible(before, call.rights.readable);
    if (seen !== undefined) return revised(call, row, id, seen, nowMs, report);
    mustKnow(resource.schema, row.sent, undefined);
    const created = toCreated(mustBeWhole(row), nowMs);
    mustCreate(call, call.rights.writable, id, created);
    if (row.id !== undefined) mustName(call);
    if (before !== undefined) throw duplicate(call, row, id, report);
    return created;
  };
  return { resource, id, decide: (before) => toDecision(decide, before) };
}

function revised(
  call: Call<typeof documents.import>,
  row: ImportRow,
  id: string,
  { value: before }: StoredDocument,
  nowMs: number,
  report: ImportReport,
): JsonObject | 'keep' {
  const { sent } = row;
  const { onDuplicate } = call.input;
  if (onDuplicate !== 'replace' && onDuplicate !== 'merge') {
    mustKnow(call.resource.schema, sent, withoutKept(before));
    throw duplicate(call, row, id, report);
  }
  // The rule of creating let the row in; a document that exists must be the caller's to change.
  const writable = reduce(call.resource.rules.update, call.principal);
  mustAllow(before, writable);
  const revising = { id, before, sent, writable, nowMs };
  return onDuplicate === 'replace' ? mustReplace(call, { ...revising, value: mustBeWhole(row) }) : mustMerge(call, revising);
}

function mustBeWhole({ body }: ImportRow): JsonObject {
  if (body instanceof Fault) throw body;
  return body;
}

function duplicate({ input }: Call<typeof documents.import>, row: ImportRow, id: string, report: ImportReport): Fault {
  if (input.onDuplicate === 'skip') report.skip(row.number);
  return taken(id);
}

/**
 * Where Tombolo names the documents, a row may name one that its caller sees, and a new one only if they may see all:
 * otherwise the answer would tell whether the document exists that they may not see (SEMANTICS §8).
 */
function mustName({ resource, rights: { readable } }: Call<typeof documents.import>): void {
  if (typeof resource.id === 'object' || readable === true) return;
  throw new Fault('forbidden', {
    detail: 'id: you may see only some documents here, so a row may name those alone; without an id it gets one',
    errors: [{ at: toPointer([idSource(resource)]), in: 'body', detail: 'not one that you see' }],
  });
}
