/** The pure part of a write: decisions in order, each on the document as the ones before left it, as operations. */
import type { AnyBulkWriteOperation, UpdateFilter } from 'mongodb';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { madeOnce } from '../../../../shared/remember.ts';
import { toFieldCheck } from '../../field-check.ts';
import { isUndone, undoneBy } from '../../outcomes.ts';
import type { About, Mutation, Naming, Outcome, PlainDecision } from '../../store.ts';
import { mustBeStorable, mustStored, type Stored, toDocument } from '../read/documents.ts';
import { toStoredNames } from '../read/member-names.ts';
import type { StoredId } from '../read/stored-ids.ts';
import { type Changes, toChanges } from './changes.ts';
import type { Held } from './held-documents.ts';
import type { Asked } from './holders.ts';
import { Reached } from './reached.ts';
import { keyOf, nothing, type Standing, Standings } from './standings.ts';

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
  /** By key of a document. */
  readonly held: ReadonlyMap<string, Held>;
}

/** What is to be read before all can be decided. */
export interface Missing {
  readonly documents: readonly About[];
  readonly holders: readonly Asked[];
  readonly namings: readonly Naming[];
}

export interface DecideOptions {
  /** What the database refused before, by number of the mutation. */
  readonly refused: ReadonlyMap<number, Fault>;
  readonly atomic: boolean;
  /** Whether documents whose ids were made for this write are asked for too. */
  readonly asksAll: boolean;
}

/**
 * Decides in order and moves `standings` on. Where something has yet to be read all is to be decided again once it is: documents
 * of follow-ups, who has which unique key, and what decisions ask for beside their own documents.
 */
export function decideAll(
  mutations: readonly Mutation[],
  standings: Standings,
  { refused, atomic, asksAll }: DecideOptions,
): Decided | { readonly missing: Missing } {
  const operations: Operation[] = [];
  const outcomes: Outcome[] = [];
  const reach = new Reached(standings);
  for (const [number, mutation] of mutations.entries()) {
    const fault = refused.get(number);
    const decided = fault === undefined ? decideWithCaused(mutation, number, { below: standings, reach, asksAll }) : refusal(fault);
    if (decided === undefined) continue;
    outcomes.push(decided.outcome);
    operations.push(...decided.operations);
  }
  const missing: Missing = { documents: reach.unread, holders: standings.holders.unheld, namings: reach.unlisted };
  if (Object.values(missing).some((each) => each.length > 0)) return { missing };
  const settled = atomic ? undoneBy(outcomes) : outcomes;
  return { outcomes: settled, operations: atomic && isUndone(settled) ? [] : operations, held: reach.held };
}

interface DecidedOne {
  readonly outcome: Outcome;
  readonly operations: readonly Operation[];
}

interface Deciding extends Pick<DecideOptions, 'asksAll'> {
  readonly below: Standings;
  readonly reach: Reached;
}

/** A decision and what it causes, or the refusal of either; `undefined`: documents of what it causes have yet to be read. */
function decideWithCaused(mutation: Mutation, number: number, { below, reach, asksAll }: Deciding): DecidedOne | undefined {
  const standings = new Standings(below);
  const decision = mutation.decide(standings.get(keyOf(mutation))?.document, reach);
  const also = decision.kind === 'refuse' ? [] : (decision.also ?? []);
  const unread = also.filter((followUp) => (asksAll || followUp.isFresh !== true) && standings.get(keyOf(followUp)) === undefined);
  reach.unread.push(...unread);
  if (unread.length > 0) return undefined;
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

function carryOutOne(mutation: About, number: number, decision: PlainDecision, standings: Standings): DecidedOne {
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

function carryOut({ resource, id }: About, at: Standing, decision: Exclude<PlainDecision, { kind: 'refuse' }>): Standing {
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

function toOperations({ resource }: About, mutation: number, at: Standing, next: Standing): readonly Operation[] {
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

const checkOf = madeOnce(toFieldCheck);

/** The ids that mutations name. */
export function byResource(mutations: readonly About[]): ReadonlyMap<Resource, ReadonlySet<string>> {
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
