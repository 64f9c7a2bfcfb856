/** One document inside a transaction, with its table's statements: what a decision makes of it is written, or refused. */
import type { Statement as Prepared } from 'bun:sqlite';
import { eq, sql } from 'drizzle-orm';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { toConflict } from '../../conflict.ts';
import { mustDocText } from '../../document-text.ts';
import { toFieldCheck } from '../../field-check.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Outcome, PlainDecision } from '../../store.ts';
import type { Connection } from '../connection/database.ts';
import { isConstraint, toRefusal } from '../connection/errors.ts';
import { toResourceTable } from '../install/resource-tables.ts';
import { uniqueIn } from '../install/unique-keys.ts';
import { mayBeId, toDocument } from '../read/documents.ts';
import { toStoredText, toWireText } from '../read/member-names.ts';
import type { Inserts } from './held-inserts.ts';
import { revisedText } from './revised-text.ts';

/** A document as it is inside the transaction, and its table's statements. */
export interface Standing {
  readonly resource: Resource;
  readonly statements: ReturnType<typeof toStatements>;
  readonly id: string;
  /** The text that lies in the table. */
  readonly doc: string | undefined;
  readonly before: StoredDocument | undefined;
}

export type Refused = Extract<Outcome, { readonly kind: 'refused' }>;

/** Each mutation is one statement, which a constraint undoes by itself. */
export function attempt(standing: Standing, decision: PlainDecision): Outcome {
  return orRefused(standing.resource, () => carryOut(standing, decision));
}

export function orRefused<Done>(resource: Resource, run: () => Done): Done | Refused {
  try {
    return run();
  } catch (error) {
    return toRefused(resource, error);
  }
}

/** What is no refusal of this one document is thrown again. */
export function toRefused(resource: Resource, error: unknown): Refused {
  if (isConstraint(error)) {
    const unique = uniqueIn(resource, error.message);
    return { kind: 'refused', fault: unique === undefined ? toRefusal(error) : toConflict(unique.fields, error) };
  }
  if (error instanceof Fault && error.reason === 'document_invalid') return { kind: 'refused', fault: error };
  throw error;
}

function carryOut(standing: Standing, decision: PlainDecision): Outcome {
  const { resource, statements, id, before } = standing;
  switch (decision.kind) {
    case 'refuse':
      return { kind: 'refused', fault: decision.fault };
    case 'keep':
      return { kind: 'written', before, after: before };
    case 'remove':
      if (before !== undefined) statements.remove.run(id);
      return { kind: 'written', before, after: undefined };
    case 'put': {
      const doc = mustText(standing, decision.document);
      if (before === undefined) statements.insert(1).run(id, doc);
      else statements.update.run(doc, id);
      return { kind: 'written', before, after: toDocument(resource, id, doc) };
    }
    default:
      throw new Error(`decide of ${id} returned ${String(decision)}, which is no decision`);
  }
}

export function mustText(standing: Standing, document: JsonObject): string {
  const errors = standing.statements.check(document, standing.before);
  if (errors.length > 0) throw documentInvalid(errors);
  return toText(standing, document);
}

/** Of a document that is there, what does not change stays as it stood (SEMANTICS §17). */
function toText({ resource, id, doc, before }: Standing, document: JsonObject): string {
  if (!mayBeId(resource, id)) throw documentInvalid([{ at: '/id', in: 'body', detail: 'is no integer of 64 bits' }]);
  const text = mustDocText(id, document);
  if (doc === undefined || before === undefined) return toStoredText(resource, text);
  const { id: _id, ...value } = before.value;
  return toStoredText(resource, revisedText(resource.schema, { text: toWireText(resource, doc), value }, document));
}

/** In drizzle's words, run by SQLite itself: filling placeholders costs 2 µs a row, a tenth of an import. */
export function toStatements({ database, queries }: Connection, resource: Resource) {
  const table = toResourceTable(resource);
  const id = sql.placeholder('id');
  const doc = sql.placeholder('doc');
  const ofId = eq(table.id, id);
  // A text that SQLite itself made ends in a zero, without which each JSON function copies it: a twelfth of a job's insert.
  const row = { id, doc: sql`${doc} || ''` };
  const toInsert = (rows: number) => queries.insert(table).values(Array.from({ length: rows }, () => row)).toSQL().sql;
  const inserts = new Map<number, Prepared<null, string[]>>();
  const insert: Inserts = (rows) => {
    let prepared = inserts.get(rows);
    if (prepared === undefined) inserts.set(rows, (prepared = database.prepare<null, string[]>(toInsert(rows))));
    return prepared;
  };
  return {
    check: toFieldCheck(resource),
    get: database.prepare<{ doc: string }, [id: string]>(queries.select({ doc: table.doc }).from(table).where(ofId).toSQL().sql),
    insert,
    // A placeholder stands for the text that `doc` is; drizzle's `set` wants it as SQL.
    update: database.prepare<null, [doc: string, id: string]>(queries.update(table).set({ doc: sql`${doc}` }).where(ofId).toSQL().sql),
    remove: database.prepare<null, [id: string]>(queries.delete(table).where(ofId).toSQL().sql),
  };
}
