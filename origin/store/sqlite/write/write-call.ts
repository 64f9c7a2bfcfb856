/**
 * One call of `write`, inside a transaction that others began: its nonce, its idempotency record, its
 * mutations with what they cause, its cursor. What it throws is undone by the caller's savepoint; what it
 * returns is to be committed.
 */
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
import { toNamingRequests } from '../../naming.ts';
import { isUndone, undoneBy } from '../../outcomes.ts';
import type { About, CursorMove, Decision, FollowUp, Mutation, Outcome, PlainDecision, Reach, WriteOptions, Written } from '../../store.ts';
import type { Cursors } from './cursors.ts';
import type { Connection } from '../connection/database.ts';
import { preparedFor } from '../connection/prepared.ts';
import { mayBeId, toDocument } from '../read/documents.ts';
import { toStoredText, toWireText } from '../read/member-names.ts';
import { Reader } from '../read/reader.ts';
import { HeldInserts, rowsAtOnce } from './held-inserts.ts';
import { revisedText } from './revised-text.ts';
import { isConstraint, mustBeInTime, toRefusal } from '../connection/errors.ts';
import { toResourceTable } from '../install/resource-tables.ts';
import { uniqueIn } from '../install/unique-keys.ts';
import { nonces, once } from '../install/system-records.ts';

/** A document as it is inside the transaction, and its table's statements. */
interface Standing {
  readonly resource: Resource;
  readonly statements: ReturnType<typeof toStatements>;
  readonly id: string;
  /** The text that lies in the table. */
  readonly doc: string | undefined;
  readonly before: StoredDocument | undefined;
}

interface Mutating {
  readonly reach: Reach;
  readonly held: HeldInserts;
  /** Changes its outcome later, where it is written with others. */
  change(outcome: Outcome): void;
}

type Applied = Omit<Written, 'position'> | { readonly fault: Fault };

export class WriteCalls {
  readonly #clock: () => number;
  readonly #tables;
  readonly #records;
  readonly #cursors: Cursors;
  readonly #reader: Reader;
  readonly #savepoint;
  readonly #database;

  constructor(
    connection: Connection,
    resources: readonly Resource[],
    { cursors, clock }: { readonly cursors: Cursors; readonly clock: () => number },
  ) {
    const { queries } = connection;
    this.#clock = clock;
    this.#database = connection.database;
    this.#cursors = cursors;
    this.#reader = new Reader(connection, resources, () => undefined);
    const prepare = (name: string) => connection.database.prepare<null, []>(name);
    this.#savepoint = { begin: prepare('SAVEPOINT part'), release: prepare('RELEASE part'), undo: prepare('ROLLBACK TO part') };
    this.#tables = preparedFor(resources, (resource) => toStatements(connection, resource));
    this.#records = {
      spend: queries.insert(nonces).values({ value: sql.placeholder('value'), expiresAt: sql.placeholder('expiresAt') }).prepare(),
      find: queries.select().from(once).where(eq(once.key, sql.placeholder('key'))).prepare(),
      keep: queries
        .insert(once)
        .values({
          key: sql.placeholder('key'),
          fingerprint: sql.placeholder('fingerprint'),
          answer: sql.placeholder('answer'),
          at: sql.placeholder('at'),
        })
        .prepare(),
    };
  }

  /** Applies the call. A fault is returned where nothing has to be undone; on a mismatch the nonce of that request stays spent. */
  apply(mutations: readonly Mutation[], options: WriteOptions): Applied {
    if (options.nonce !== undefined && !this.#spend(options.nonce)) return { fault: new Fault('hop_replayed') };
    const recorded = options.once === undefined ? undefined : this.#records.find.get({ key: options.once.key });
    if (recorded !== undefined) {
      return recorded.fingerprint === options.once?.fingerprint
        ? { outcomes: [], replayed: recorded.answer }
        : { fault: new Fault('idempotency_mismatch') };
    }
    if (options.cursor !== undefined && !this.#stands(options.cursor)) return { fault: new Fault('cursor_moved') };
    const outcomes = options.atomic === true ? this.#mutateTogether(mutations, options) : this.#mutateEach(mutations, options);
    if (options.cursor !== undefined && !(options.atomic === true && isUndone(outcomes))) {
      this.#cursors.keep(options.cursor.consumer, options.cursor.to);
    }
    if (options.once !== undefined) {
      const { key, fingerprint } = options.once;
      this.#records.keep.run({ key, fingerprint, answer: options.once.answer(outcomes), at: this.#clock() });
    }
    return { outcomes, replayed: undefined };
  }

  /** Spends the nonce; false where it was spent before. */
  #spend(nonce: { readonly value: string; readonly expiresAt: number }): boolean {
    try {
      this.#records.spend.run(nonce);
      return true;
    } catch (error) {
      if (isConstraint(error)) return false;
      throw error;
    }
  }

  #stands({ consumer, from }: CursorMove): boolean {
    const standing = this.#cursors.findForWrite(consumer);
    return standing?.epoch === from?.epoch && standing?.order === from?.order;
  }

  #mutateEach(mutations: readonly Mutation[], { deadline }: WriteOptions): readonly Outcome[] {
    const mustGoOn = () => mustBeInTime(this.#clock(), deadline);
    const reader = this.#reader;
    const held = new HeldInserts((run) => this.#allOrNothing(run), () => this.#database.inTransaction);
    // Nobody else writes meanwhile, so what is read here stays.
    const reach: Reach = {
      caused: 0,
      named(resource, id) {
        held.write();
        return reader.get(resource, id);
      },
      naming(_named, naming) {
        held.write();
        const rows = toNamingRequests(naming).flatMap((request) => reader.list(naming.resource, request, mustGoOn));
        return [...new Map(rows.map(({ document }) => [document.id, document])).values()].slice(0, naming.max);
      },
    };
    const outcomes: Outcome[] = [];
    for (const [at, mutation] of mutations.entries()) {
      mustGoOn();
      outcomes[at] = this.#mutate(mutation, { reach, held, change: (outcome) => (outcomes[at] = outcome) });
      if (held.isFull) held.write();
    }
    held.write();
    return outcomes;
  }

  #mutateTogether(mutations: readonly Mutation[], options: WriteOptions): readonly Outcome[] {
    return this.#allOrNothing(() => {
      const outcomes = undoneBy(this.#mutateEach(mutations, options));
      return { value: outcomes, keep: !isUndone(outcomes) };
    });
  }

  #mutate(mutation: Mutation, { reach, held, change }: Mutating): Outcome {
    if (mutation.isFresh !== true && held.has(this.#tables(mutation.resource).inserts, mutation.id)) held.write();
    const standing = this.#standing(mutation);
    const decision: Decision = mutation.decide(standing.before, reach);
    const also = decision.kind === 'refuse' ? [] : (decision.also ?? []);
    if (also.length === 0 && decision.kind === 'put' && standing.before === undefined) {
      return insertWithOthers(standing, decision.document, { held, change });
    }
    // The log has changes in the order of their mutations.
    if (also.length > 0 || decision.kind === 'put' || decision.kind === 'remove') held.write();
    return also.length === 0 ? attempt(standing, decision) : this.#attemptWith(standing, decision, also);
  }

  /** Writes a decision and what it causes, or neither. */
  #attemptWith(standing: Standing, decision: Decision, also: readonly FollowUp[]): Outcome {
    return this.#allOrNothing(() => {
      const outcome = attempt(standing, decision);
      const refused = outcome.kind === 'refused' ? outcome : this.#firstRefused(also);
      return { value: refused ?? outcome, keep: refused === undefined };
    });
  }

  #firstRefused(followUps: readonly FollowUp[]): Outcome | undefined {
    for (const followUp of followUps) {
      const standing = this.#standing(followUp);
      const outcome = attempt(standing, followUp.decide(standing.before));
      if (outcome.kind === 'refused') return outcome;
    }
    return undefined;
  }

  /** Undoes what `run` wrote where it says so; what it throws is undone by the caller, savepoint and all. */
  #allOrNothing<T>(run: () => { readonly value: T; readonly keep: boolean }): T {
    this.#savepoint.begin.run();
    const { value, keep } = run();
    if (!keep) this.#savepoint.undo.run();
    this.#savepoint.release.run();
    return value;
  }

  #standing({ resource, id, isFresh }: About): Standing {
    const statements = this.#tables(resource);
    const { doc } = (isFresh !== true && mayBeId(resource, id) ? statements.get.get(id) : null) ?? {};
    return { resource, statements, id, doc, before: doc === undefined ? undefined : toDocument(resource, id, doc) };
  }
}

function insertWithOthers(standing: Standing, document: JsonObject, { held, change }: Pick<Mutating, 'held' | 'change'>): Outcome {
  const { id, resource, statements: { inserts } } = standing;
  return orRefused(resource, () => {
    const doc = mustText(standing, document);
    held.add(inserts, { id, doc, refuse: (error) => change(toRefused(resource, error)) });
    return { kind: 'written', before: undefined, after: toDocument(resource, id, doc) };
  });
}

/** Each mutation is one statement, which a constraint undoes by itself. */
function attempt(standing: Standing, decision: PlainDecision): Outcome {
  return orRefused(standing.resource, () => carryOut(standing, decision));
}

function orRefused(resource: Resource, run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    return toRefused(resource, error);
  }
}

/** What is no refusal of this one document is thrown again. */
function toRefused(resource: Resource, error: unknown): Outcome {
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
      if (before === undefined) statements.inserts.one.run(id, doc);
      else statements.update.run(doc, id);
      return { kind: 'written', before, after: toDocument(resource, id, doc) };
    }
    default:
      throw new Error(`decide of ${id} returned ${String(decision)}, which is no decision`);
  }
}

function mustText(standing: Standing, document: JsonObject): string {
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
function toStatements({ database, queries }: Connection, resource: Resource) {
  const table = toResourceTable(resource);
  const id = sql.placeholder('id');
  const doc = sql.placeholder('doc');
  const ofId = eq(table.id, id);
  let many: Prepared<null, string[]> | undefined;
  // A text that SQLite itself made ends in a zero, without which each JSON function copies it: a twelfth of a job's insert.
  const row = { id, doc: sql`${doc} || ''` };
  const toInsert = (rows: number) => queries.insert(table).values(Array.from({ length: rows }, () => row)).toSQL().sql;
  return {
    check: toFieldCheck(resource),
    get: database.prepare<{ doc: string }, [id: string]>(queries.select({ doc: table.doc }).from(table).where(ofId).toSQL().sql),
    inserts: {
      one: database.prepare<null, [id: string, doc: string]>(toInsert(1)),
      get many() {
        return (many ??= database.prepare<null, string[]>(toInsert(rowsAtOnce)));
      },
    },
    // A placeholder stands for the text that `doc` is; drizzle's `set` wants it as SQL.
    update: database.prepare<null, [doc: string, id: string]>(queries.update(table).set({ doc: sql`${doc}` }).where(ofId).toSQL().sql),
    remove: database.prepare<null, [id: string]>(queries.delete(table).where(ofId).toSQL().sql),
  };
}
