/** One row of an import: from a value to a document, and from a document to a mutation. */
import { bodiesOf, documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { reduce, satisfies } from '../../shared/contract/rules.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Call } from '../call.ts';
import type { Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { mustCreate, newId, taken } from '../documents/new-document.ts';
import { toDecision } from '../documents/write-one.ts';
import { mustAllow, mustReplace, toCreated, withoutKept } from '../documents/write-rules.ts';
import type { ImportReport } from './report.ts';

export interface ImportRow {
  readonly kind: 'row';
  /** 1 for the first line of the upload, or the first data row of a CSV. */
  readonly number: number;
  /** As given; `undefined` where Tombolo makes one. */
  readonly id: string | undefined;
  /** What the schema made of it, and what was sent. */
  readonly body: JsonObject;
  readonly sent: JsonObject;
}

export interface RejectedRow {
  readonly kind: 'rejected';
  readonly number: number;
  readonly fault: Fault;
}

export type ParsedRow = ImportRow | RejectedRow;

/** The column or member of imported rows that holds the id. */
export function idSource({ id }: Resource): string {
  return typeof id === 'object' ? (id.importedFrom ?? 'id') : 'id';
}

/** The id under its own name or that of the imported column, the rest as in a create. */
export function parseRow(value: unknown, number: number, resource: Resource): ParsedRow {
  if (!isJsonObject(value)) return { kind: 'rejected', number, fault: documentInvalid([{ at: '', in: 'body', detail: 'a row is a JSON object' }]) };
  const source = idSource(resource);
  const { [source]: imported, ...rest } = value;
  const { named, plain } = Object.hasOwn(rest, 'id') ? withoutId(rest) : { named: undefined, plain: rest };
  const given = imported ?? named;
  const fields = bodiesOf(resource).fields.safeParse(plain);
  const id = given === undefined && typeof resource.id !== 'object' ? undefined : bodiesOf(resource).id.safeParse(given);
  if (fields.success && id?.success !== false) return { kind: 'row', number, id: id?.data, body: fields.data, sent: plain };
  const errors = [
    ...(id?.success === false ? toFieldErrors(id.error).map((error) => ({ ...error, at: `/${source}` })) : []),
    ...(fields.success ? [] : toFieldErrors(fields.error)),
  ];
  return { kind: 'rejected', number, fault: documentInvalid(errors) };
}

function withoutId({ id: named, ...plain }: JsonObject): { named: Json | undefined; plain: JsonObject } {
  return { named, plain };
}

export function toMutation(call: Call<typeof documents.import>, row: ImportRow, nowMs: number, report: ImportReport): Mutation {
  const { resource } = call;
  const id = row.id ?? newId(resource, nowMs);
  const decide = (before: StoredDocument | undefined): JsonObject | 'keep' => {
    if (before !== undefined && satisfies(before.value, call.rights.readable)) return replaced(call, row, id, before, nowMs, report);
    mustKnow(resource.schema, row.sent, undefined);
    const created = toCreated(row.body, nowMs);
    mustCreate(call, call.rights.writable, id, created);
    if (row.id !== undefined) mustName(call);
    if (before !== undefined) throw duplicate(call, row, id, report);
    return created;
  };
  return { resource, id, decide: (before) => toDecision(decide, before) };
}

function replaced(call: Call<typeof documents.import>, row: ImportRow, id: string, { value: before }: StoredDocument, nowMs: number, report: ImportReport): JsonObject | 'keep' {
  const { sent, body: value } = row;
  if (call.input.onDuplicate !== 'replace') {
    mustKnow(call.resource.schema, sent, withoutKept(before));
    throw duplicate(call, row, id, report);
  }
  // The rule of creating let the row in; a document that exists must be the caller's to change.
  const writable = reduce(call.resource.rules.update, call.principal);
  mustAllow(before, writable);
  return mustReplace(call, { id, before, sent, value, writable, nowMs });
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
  throw new Fault('forbidden', { detail: 'id: you may see only some documents here, so a row may name those alone; without an id it gets one', errors: [{ at: `/${idSource(resource)}`, in: 'body', detail: 'not one that you see' }] });
}
