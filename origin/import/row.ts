/** One row of an import as a mutation. */
import { Fault } from '../../shared/contract/fault.ts';
import { satisfies } from '../../shared/contract/rules.ts';
import type { JsonObject } from '../../shared/contract/values.ts';
import type { Call } from '../call.ts';
import type { Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustCreate, newId } from '../verbs/insert.ts';
import { toDecision } from '../verbs/write.ts';
import { mustAllow, mustAllowFields, toCreated, toRevised } from '../write-rules.ts';
import type { ImportReport } from './report.ts';

export interface ImportRow {
  /** 1 for the first line of the upload. */
  readonly number: number;
  /** As given; `undefined` where Tombolo makes one. */
  readonly id: string | undefined;
  readonly body: JsonObject;
}

export function toMutation(call: Call<'import'>, row: ImportRow, nowMs: number, report: ImportReport): Mutation {
  const { resource } = call;
  const id = row.id ?? newId(resource, nowMs);
  const decide = (before: StoredDocument | undefined): JsonObject => {
    if (before === undefined) {
      const created = toCreated(row.body, nowMs);
      mustCreate(call, id, created);
      return created;
    }
    return replaced(call, row, id, before, nowMs, report);
  };
  return { resource, id, decide: (before) => toDecision(decide, before) };
}

function replaced(call: Call<'import'>, row: ImportRow, id: string, before: StoredDocument, nowMs: number, report: ImportReport): JsonObject {
  const { onDuplicate } = call.input;
  if (onDuplicate === 'skip') report.skip(row.number);
  if (onDuplicate !== 'replace') throw new Fault('document_exists', { detail: `id: ${JSON.stringify(id)} is taken`, errors: [{ at: '/id', in: 'body', detail: 'is taken' }] });
  // The rule of creating lets rows in; on a document that exists it must hold for what is there as well.
  if (!satisfies(before.value, call.readable)) throw new Fault('document_exists', { detail: `id: ${JSON.stringify(id)} is taken` });
  mustAllow(before.value, call.writable);
  const after = toRevised(row.body, before.value, nowMs);
  mustAllow({ id, ...after }, call.writable);
  mustAllowFields(call, before.value, after);
  return after;
}
