/** One row of an import, from a value to what a write needs. */
import { bodiesOf, documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import type { Fault, FieldError } from '../../shared/wire/fault.ts';
import type { OnDuplicate } from '../../shared/operations/import-query.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { keptNamesOf, withoutKept } from '../../shared/contract/system-fields.ts';
import { isJsonObject, type JsonObject } from '../../shared/wire/values.ts';

export interface ImportRow {
  readonly kind: 'row';
  /** 1 for the first line of the upload, or the first data row of a CSV. */
  readonly number: number;
  /** The id as given; `undefined` where Tombolo makes one. */
  readonly id: string | undefined;
  readonly sent: JsonObject;
  /** What the schema made of it; where rows are merged, possibly why it is no whole document. */
  readonly body: JsonObject | Fault;
}

export interface RejectedRow {
  readonly kind: 'rejected';
  readonly number: number;
  readonly fault: Fault;
}

export type ParsedRow = ImportRow | RejectedRow;

export interface Reading {
  readonly resource: Resource;
  readonly onDuplicate: OnDuplicate;
  /** Members that are null in a whole document whose row does not carry them: a CSV has no other way to say so. */
  readonly nullWhenAbsent?: readonly string[];
}

/** The column or member of imported rows that holds the id. */
export function idSource({ id }: Resource): string {
  return typeof id === 'object' && id.kind !== 'uuid' ? (id.importedFrom ?? 'id') : 'id';
}

/** The id under its own name or that of the imported column, the rest as in a create, or as in a merge patch. */
export function parseRow(value: unknown, number: number, { resource, onDuplicate, nullWhenAbsent = [] }: Reading): ParsedRow {
  if (!isJsonObject(value)) return rejected(number, [{ at: '', in: 'body', detail: 'a row is a JSON object' }]);
  const source = idSource(resource);
  const { [source]: imported, ...rest } = value;
  if (imported !== undefined && source !== 'id' && Object.hasOwn(rest, 'id')) return rejected(number, namedTwice(source));
  const given = imported === undefined ? rest['id'] : imported;
  // A document that was served or exported carries what Tombolo keeps, and an import passes it over.
  const sent = keptNamesOf(resource).some((name) => Object.hasOwn(rest, name)) ? withoutKept(resource, rest) : rest;
  const whole = withNulls(sent, nullWhenAbsent);
  const bodies = bodiesOf(resource);
  const id = given === undefined && !isNamedByCallers(resource) ? undefined : bodies.id.safeParse(given);
  const patch = onDuplicate === 'merge' ? bodies.patch.safeParse(sent) : undefined;
  const fields = bodies.fields.safeParse(whole);
  if (id?.success === false || (patch ?? fields).error !== undefined) {
    return rejected(number, [
      ...toFieldErrors({ issues: id?.error?.issues ?? [] }).map((error) => ({ ...error, at: toPointer([source]) })),
      ...toFieldErrors({ issues: (patch ?? fields).error?.issues ?? [] }),
    ]);
  }
  return {
    kind: 'row',
    number,
    id: id?.data,
    sent: patch === undefined ? whole : sent,
    body: fields.success ? fields.data : documentInvalid(toFieldErrors(fields.error)),
  };
}

function rejected(number: number, errors: readonly FieldError[]): RejectedRow {
  return { kind: 'rejected', number, fault: documentInvalid(errors) };
}

function namedTwice(source: string): readonly FieldError[] {
  const pairs = [[source, 'id'], ['id', source]];
  return pairs.map(([at = '', other]) => ({ at: toPointer([at]), in: 'body', detail: `names the document, and so does ${other}` }));
}

function withNulls(sent: JsonObject, names: readonly string[]): JsonObject {
  const missing = names.filter((name) => !Object.hasOwn(sent, name));
  return missing.length === 0 ? sent : { ...sent, ...Object.fromEntries(missing.map((name) => [name, null])) };
}
