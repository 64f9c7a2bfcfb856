/** The pure part of a write: decisions in order, each on the document as the ones before left it, as operations. */
import type { AnyBulkWriteOperation, UpdateFilter } from 'mongodb';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { type FieldCheck, toFieldCheck } from '../../field-check.ts';
import { isUndone, undoneBy } from '../../outcomes.ts';
import type { FollowUp, Mutation, Outcome, PlainDecision } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import { mustBeStorable, mustStored, type Stored, toDocument } from '../read/documents.ts';
import { toStoredNames } from '../read/member-names.ts';
import type { StoredId } from '../read/stored-ids.ts';
import { type Changes, toChanges } from './changes.ts';
import { type Asked, Holders } from './holders.ts';

/** A document inside the transaction, as read or as decided; `nothing` where there is none. */
export interface Standing {
  readonly document: StoredDocument | undefined;
  readonly stored: Stored | undefined;
  /** What makes it of the one that stood here. */
  readonly changes?: Changes;
}

export interface Operation {
  readonly resource: Resource;
  /** Which mutation it carries out, or was caused by. */
  readonly mutation: number;
  readonly id: StoredId;
  readonly step: { readonly insert: Stored } | { readonly update: Changes } | 'delete';
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
  readonly holders: Holders;

  constructor(below?: Standings) {
    this.#below = below;
    this.holders = new Holders(below?.holders);
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
    this.holders.keep();
  }
}

export interface DecideOptions {
  /** What the database refused before, by number of the mutation. */
  readonly refused: ReadonlyMap<number, Fault>;
  readonly atomic: boolean;
}

/**
 * Decides in order and moves `standings` on. A follow-up whose document was not read yet stops it: those are
 * returned as `unread`, and all is to be decided again once they are read; so are unique keys of which nobody knows who has them.
 */
export function decideAll(
  mutations: readonly Mutation[],
  standings: Standings,
  { refused, atomic }: DecideOptions,
): Decided | { readonly unread: readonly FollowUp[] } | { readonly unheld: readonly Asked[] } {
  const operations: Operation[] = [];
  const outcomes: Outcome[] = [];
  for (const [number, mutation] of mutations.entries()) {
    const fault = refused.get(number);
    const decided = fault === undefined ? decideWithCaused(mutation, number, standings) : refusal(fault);
    if ('unread' in decided) return decided;
    outcomes.push(decided.outcome);
    operations.push(...decided.operations);
  }
  const { unheld } = standings.holders;
  if (unheld.length > 0) return { unheld };
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
    const refused = standings.holders.move(mutation, at.document?.value, next.document?.value);
    if (refused !== undefined) return refusal(refused);
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
      return at.stored === undefined ? inserted(resource, id, decision.document) : changed(resource, id, at, decision.document);
    }
    default:
      throw new Error(`decide of ${id} returned ${String(decision)}, which is no decision`);
  }
}

function inserted(resource: Resource, id: string, document: JsonObject): Standing {
  const stored = mustStored(resource, id, document);
  return { document: toDocument(resource, id, stored), stored };
}

function changed(resource: Resource, id: string, { document, stored }: Standing, next: JsonObject): Standing {
  if (document === undefined || stored === undefined) throw new Error(`${id} is changed and does not stand`);
  mustBeStorable(id, next);
  const changes = toChanges(resource, { document, stored }, next);
  return { document: changes.document, stored: changes.stored, changes };
}

function toOperations({ resource }: FollowUp, mutation: number, at: Standing, next: Standing): readonly Operation[] {
  const key = (next.stored ?? at.stored)?._id;
  if (next === at || key === undefined) return [];
  if (next.stored === undefined) return [{ resource, mutation, id: key, step: 'delete' }];
  if (at.stored === undefined) {
    return [{ resource, mutation, id: key, step: { insert: { ...toStoredNames(resource, next.stored), _id: key } } }];
  }
  const { changes } = next;
  if (changes === undefined || (changes.unset.length === 0 && Object.keys(changes.set).length === 0)) return [];
  return [{ resource, mutation, id: key, step: { update: changes } }];
}

const checks = new WeakMap<Resource, FieldCheck>();

function checkOf(resource: Resource): FieldCheck {
  const made = checks.get(resource) ?? toFieldCheck(resource);
  checks.set(resource, made);
  return made;
}

/** The ids that mutations name. */
export function byResource(mutations: readonly FollowUp[]): ReadonlyMap<Resource, ReadonlySet<string>> {
  const found = new Map<Resource, Set<string>>();
  for (const { resource, id } of mutations) found.set(resource, (found.get(resource) ?? new Set()).add(id));
  return found;
}

/** Where new and old documents mix, upserts keep them one command. */
export function toModels(run: readonly Operation[]): readonly AnyBulkWriteOperation<Stored>[] {
  const isNew = run.every(({ step }) => step !== 'delete' && 'insert' in step);
  return run.map(({ id, step }): AnyBulkWriteOperation<Stored> => {
    const filter = { _id: id };
    if (step === 'delete') return { deleteOne: { filter } };
    if ('update' in step) return { updateOne: { filter, update: toUpdate(step.update) } };
    return isNew ? { insertOne: { document: step.insert } } : { replaceOne: { filter, replacement: step.insert, upsert: true } };
  });
}

function toUpdate({ set, unset }: Changes): UpdateFilter<Stored> {
  return {
    ...(Object.keys(set).length === 0 ? {} : { $set: set }),
    ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((path) => [path, true])) }),
  };
}
