/** The pure part of a write: decisions in order, each on the document as the ones before left it, as operations. */
import type { AnyBulkWriteOperation } from 'mongodb';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type FieldCheck, toFieldCheck } from '../../field-check.ts';
import { isUndone, undoneBy } from '../../outcomes.ts';
import type { FollowUp, Mutation, Outcome, PlainDecision } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import { mustStored, type Stored, type StoredId, toDocument, toStoredId } from '../read/documents.ts';

/** A document inside the transaction, as read or as decided; `nothing` where there is none. */
export interface Standing {
  readonly document: StoredDocument | undefined;
  readonly stored: Stored | undefined;
}

export interface Operation {
  readonly resource: Resource;
  /** Which mutation it carries out, or was caused by. */
  readonly mutation: number;
  readonly kind: 'insert' | 'replace' | 'delete';
  readonly id: StoredId;
  readonly stored: Stored | undefined;
}

export interface Decided {
  readonly outcomes: readonly Outcome[];
  readonly operations: readonly Operation[];
}

export function keyOf({ resource, id }: Pick<Mutation, 'resource' | 'id'>): string {
  return `${resource.name}/${id}`;
}

/** Documents as decided so far over those that stood before: kept, or forgotten as if nothing had been decided. */
export class Standings {
  readonly #below: Standings | undefined;
  readonly #own = new Map<string, Standing>();

  constructor(below?: Standings) {
    this.#below = below;
  }

  get(key: string): Standing | undefined {
    return this.#own.get(key) ?? this.#below?.get(key);
  }

  set(key: string, standing: Standing): void {
    this.#own.set(key, standing);
  }

  /** Moves what was decided here to what lies below. */
  keep(): void {
    for (const [key, standing] of this.#own) this.#below?.set(key, standing);
  }
}

export interface DecideOptions {
  /** What the database refused before, by number of the mutation. */
  readonly refused: ReadonlyMap<number, Fault>;
  readonly atomic: boolean;
}

/**
 * Decides in order and moves `standings` on. A follow-up whose document was not read yet stops it: those are
 * returned as `unread`, and all is to be decided again once they are read.
 */
export function decideAll(
  mutations: readonly Mutation[],
  standings: Standings,
  { refused, atomic }: DecideOptions,
): Decided | { readonly unread: readonly FollowUp[] } {
  const operations: Operation[] = [];
  const outcomes: Outcome[] = [];
  for (const [number, mutation] of mutations.entries()) {
    const fault = refused.get(number);
    const decided = fault === undefined ? decideWithCaused(mutation, number, standings) : refusal(fault);
    if ('unread' in decided) return decided;
    outcomes.push(decided.outcome);
    operations.push(...decided.operations);
  }
  const settled = atomic ? undoneBy(outcomes) : outcomes;
  return { outcomes: settled, operations: atomic && isUndone(settled) ? [] : operations };
}

interface DecidedOne {
  readonly outcome: Outcome;
  readonly operations: readonly Operation[];
}

/** A decision and what it causes, or the refusal of either. */
function decideWithCaused(mutation: Mutation, number: number, below: Standings): DecidedOne | { readonly unread: readonly FollowUp[] } {
  const standings = new Standings(below);
  const decision = mutation.decide(standings.get(keyOf(mutation))?.document);
  const also = decision.kind === 'refuse' ? [] : (decision.also ?? []);
  const unread = also.filter((followUp) => standings.get(keyOf(followUp)) === undefined);
  if (unread.length > 0) return { unread };
  const first = carryOutOne(mutation, number, decision, standings);
  const operations = [...first.operations];
  for (const followUp of first.outcome.kind === 'refused' ? [] : also) {
    const caused = carryOutOne(followUp, number, followUp.decide(standings.get(keyOf(followUp))?.document), standings);
    if (caused.outcome.kind === 'refused') return caused;
    operations.push(...caused.operations);
  }
  standings.keep();
  return { outcome: first.outcome, operations };
}

function carryOutOne(mutation: FollowUp, number: number, decision: PlainDecision, standings: Standings): DecidedOne {
  if (decision.kind === 'refuse') return refusal(decision.fault);
  const at = standings.get(keyOf(mutation)) ?? nothing;
  try {
    const next = carryOut(mutation, at, decision);
    standings.set(keyOf(mutation), next);
    return {
      outcome: { kind: 'written', before: at.document, after: next.document },
      operations: toOperations(mutation, number, at, next),
    };
  } catch (error) {
    if (error instanceof Fault && error.reason === 'document_invalid') return refusal(error);
    throw error;
  }
}

function refusal(fault: Fault): DecidedOne {
  return { outcome: { kind: 'refused', fault }, operations: [] };
}

/** No document stands there. */
export const nothing: Standing = { document: undefined, stored: undefined };

function carryOut({ resource, id }: FollowUp, at: Standing, decision: Exclude<PlainDecision, { kind: 'refuse' }>): Standing {
  switch (decision.kind) {
    case 'keep':
      return at;
    case 'remove':
      return nothing;
    case 'put': {
      const errors = checkOf(resource)(decision.document, at.document);
      if (errors.length > 0) throw documentInvalid(errors);
      const stored = mustStored(resource, id, decision.document, at.stored);
      return { document: toDocument(id, stored), stored };
    }
    default:
      throw new Error(`decide of ${id} returned ${String(decision)}, which is no decision`);
  }
}

function toOperations({ resource, id }: FollowUp, mutation: number, at: Standing, next: Standing): readonly Operation[] {
  if (next === at) return [];
  const key = next.stored?._id ?? toStoredId(resource, id);
  if (key === undefined || (next.stored === undefined && at.stored === undefined)) return [];
  const kind = next.stored === undefined ? 'delete' : at.stored === undefined ? 'insert' : 'replace';
  return [{ resource, mutation, kind, id: key, stored: next.stored }];
}

const checks = new WeakMap<Resource, FieldCheck>();

function checkOf(resource: Resource): FieldCheck {
  const made = checks.get(resource) ?? toFieldCheck(resource);
  checks.set(resource, made);
  return made;
}

/** Neighbours of one resource go together. */
export function toRuns<T>(operations: readonly T[], nameOf: (operation: T) => string): readonly (readonly T[])[] {
  const runs: T[][] = [];
  let name: string | undefined;
  for (const operation of operations) {
    if (nameOf(operation) === name) runs.at(-1)?.push(operation);
    else runs.push([operation]);
    name = nameOf(operation);
  }
  return runs;
}

/** Where new and old documents mix, upserts keep them one command. */
export function toModels(run: readonly Operation[]): readonly AnyBulkWriteOperation<Stored>[] {
  const isNew = run.every(({ kind }) => kind === 'insert');
  return run.map(({ id, stored }): AnyBulkWriteOperation<Stored> => {
    if (stored === undefined) return { deleteOne: { filter: { _id: id } } };
    return isNew ? { insertOne: { document: stored } } : { replaceOne: { filter: { _id: id }, replacement: stored, upsert: true } };
  });
}
