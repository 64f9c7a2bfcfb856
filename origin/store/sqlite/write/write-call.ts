/**
 * One call of `write`, inside a transaction that others began: its nonce, its idempotency record, its
 * mutations with what they cause, its cursor. What it throws is undone by the caller's savepoint, or with all of the
 * transaction; what it returns is to be committed.
 */
import { eq, sql } from 'drizzle-orm';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { toNamingRequests } from '../../naming.ts';
import { isUndone, undoneBy } from '../../outcomes.ts';
import type { About, CursorMove, Decision, FollowUp, Mutation, Outcome, Reach, WriteOptions, Written } from '../../store.ts';
import type { Cursors } from './cursors.ts';
import type { Connection } from '../connection/database.ts';
import { preparedFor } from '../connection/prepared.ts';
import { mayBeId, toDocument } from '../read/documents.ts';
import { Reader } from '../read/reader.ts';
import type { Among } from './group-commit.ts';
import { HeldInserts } from './held-inserts.ts';
import { attempt, mustText, orRefused, type Refused, type Standing, toRefused, toStatements } from './standing.ts';
import { isConstraint, mustBeInTime } from '../connection/errors.ts';
import { nonces, once } from '../install/system-records.ts';

/** What is to be inserted: a new document, and those that it causes. */
type Rows = [Row, ...Row[]];

interface Row {
  readonly of: Standing;
  /** The text that will lie in the table. */
  readonly doc: string;
}

interface Mutating {
  readonly reach: Reach;
  readonly among: Among;
  /** Changes its outcome later, where it is written with others. */
  change(outcome: Outcome): void;
}

type Applied = Omit<Written, 'position'> | { readonly fault: Fault };

export class WriteCalls {
  /** What calls among others leave to be written with the others' by whoever ends the transaction. */
  readonly held: HeldInserts;
  readonly #clock: () => number;
  readonly #tables;
  readonly #records;
  readonly #cursors: Cursors;
  readonly #reader: Reader;
  readonly #savepoint;

  constructor(
    connection: Connection,
    resources: readonly Resource[],
    { cursors, clock }: { readonly cursors: Cursors; readonly clock: () => number },
  ) {
    const { queries } = connection;
    this.#clock = clock;
    this.held = new HeldInserts((run) => this.#allOrNothing(run), () => connection.database.inTransaction);
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
          // The moment of its changes (`triggers.ts`): where these are taken back it goes, and where they stay it stays.
          at: sql`(SELECT "n" FROM "_own")`,
        })
        .prepare(),
    };
  }

  /**
   * Applies the call. A fault is returned where nothing has to be undone; on a mismatch the nonce of that request stays spent.
   * Outcomes of a call among others may change until what is held is written.
   */
  apply(mutations: readonly Mutation[], options: WriteOptions, among: Among): Applied {
    this.held.beginCall();
    if (options.nonce !== undefined && !this.#spend(options.nonce)) return { fault: new Fault('hop_replayed') };
    const recorded = options.once === undefined ? undefined : this.#records.find.get({ key: options.once.key });
    if (recorded !== undefined) {
      return recorded.fingerprint === options.once?.fingerprint
        ? { outcomes: [], replayed: recorded.answer }
        : { fault: new Fault('idempotency_mismatch') };
    }
    if (options.cursor !== undefined && !this.#stands(options.cursor)) return { fault: new Fault('cursor_moved') };
    const outcomes = options.atomic === true
      ? this.#mutateTogether(mutations, options, among)
      : this.#mutateEach(mutations, options, among);
    if (among === 'alone' || options.once !== undefined) this.held.write();
    if (options.cursor !== undefined && !(options.atomic === true && isUndone(outcomes))) {
      this.#cursors.keep(options.cursor.consumer, options.cursor.to);
    }
    if (options.once !== undefined) {
      const { key, fingerprint } = options.once;
      this.#records.keep.run({ key, fingerprint, answer: options.once.answer(outcomes) });
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

  #mutateEach(mutations: readonly Mutation[], { deadline }: WriteOptions, among: Among): readonly Outcome[] {
    const mustGoOn = () => mustBeInTime(this.#clock(), deadline);
    const reader = this.#reader;
    // Nobody else writes meanwhile, so what is read here stays.
    const reach: Reach = {
      caused: 0,
      named: (resource, id) => {
        this.#writeIfHeld(resource, id);
        return reader.get(resource, id);
      },
      naming: (_named, naming) => {
        this.held.write();
        const rows = toNamingRequests(naming).flatMap((request) => reader.list(naming.resource, request, mustGoOn));
        return [...new Map(rows.map(({ document }) => [document.id, document])).values()].slice(0, naming.max);
      },
    };
    const outcomes: Outcome[] = [];
    for (const [at, mutation] of mutations.entries()) {
      mustGoOn();
      outcomes[at] = this.#mutate(mutation, { reach, among, change: (outcome) => (outcomes[at] = outcome) });
      this.held.writeIfMany();
    }
    return outcomes;
  }

  #mutateTogether(mutations: readonly Mutation[], options: WriteOptions, among: Among): readonly Outcome[] {
    // What is undone is this call's alone.
    this.held.write();
    return this.#allOrNothing(() => {
      const outcomes = this.#mutateEach(mutations, options, among);
      this.held.write();
      const undone = undoneBy(outcomes);
      return { value: undone, keep: !isUndone(undone) };
    });
  }

  #mutate(mutation: Mutation, { reach, among, change }: Mutating): Outcome {
    if (mutation.isFresh !== true) this.#writeIfHeld(mutation.resource, mutation.id);
    const standing = this.#standing(mutation);
    const decision: Decision = mutation.decide(standing.before, reach);
    const also = decision.kind === 'refuse' ? [] : (decision.also ?? []);
    if (decision.kind === 'put' && standing.before === undefined) {
      const refuse = (error: unknown) => change(toRefused(standing.resource, error));
      if (also.length === 0) return this.#insertLater(standing, decision.document, [], refuse);
      // Neither comes without the other: where one is refused, the calls are made one by one.
      const isNew = among === 'others' && also.every(({ isFresh }) => isFresh === true);
      if (isNew) return this.#insertLater(standing, decision.document, also, mustBeAlone);
    }
    if (also.length > 0) this.held.write();
    // The log has changes in the order of their mutations.
    else if (decision.kind === 'put' || decision.kind === 'remove') this.held.writeOfCall();
    return also.length === 0 ? attempt(standing, decision) : this.#attemptWith(standing, decision, also);
  }

  #writeIfHeld(resource: Resource, id: string): void {
    if (this.held.has(this.#tables(resource).insert, id)) this.held.write();
  }

  /** Holds a new document and the new ones that it causes. */
  #insertLater(standing: Standing, document: JsonObject, also: readonly FollowUp[], refuse: (error: unknown) => void): Outcome {
    const rows = orRefused(standing.resource, () => this.#toRows(standing, document, also));
    if ('kind' in rows) return rows;
    for (const { of, doc } of rows) this.held.add(of.statements.insert, { id: of.id, doc, refuse });
    return { kind: 'written', before: undefined, after: toDocument(standing.resource, standing.id, rows[0].doc) };
  }

  #toRows(standing: Standing, document: JsonObject, also: readonly FollowUp[]): Rows | Refused {
    const rows: Rows = [{ of: standing, doc: mustText(standing, document) }];
    for (const followUp of also) {
      const decision = followUp.decide(undefined);
      if (decision.kind === 'refuse') return { kind: 'refused', fault: decision.fault };
      const of = this.#standing(followUp);
      if (decision.kind === 'put') rows.push({ of, doc: mustText(of, decision.document) });
    }
    return rows;
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

function mustBeAlone(cause: unknown): never {
  throw new Error('one of several new documents is refused', { cause });
}
