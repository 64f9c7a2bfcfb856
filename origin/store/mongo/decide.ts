/** The pure part of a write: decisions in order, each on the document as the ones before left it, as operations. */
import type { AnyBulkWriteOperation } from 'mongodb';
import { documentInvalid } from '../../../shared/contract/documents.ts';
import { Fault } from '../../../shared/contract/fault.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { type FieldCheck, toFieldCheck } from '../field-check.ts';
import type { Decision, Mutation, Outcome } from '../store.ts';
import type { StoredDocument } from '../stored-document.ts';
import { mustStored, type Stored, type StoredId, toDocument, toStoredId } from './documents.ts';

/** A document inside the transaction, as read or as decided. */
export interface Standing {
  readonly document: StoredDocument | undefined;
  readonly stored: Stored | undefined;
}

export interface Operation {
  readonly resource: Resource;
  /** Which mutation it carries out. */
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

/** `refused`: what the database refused before, by number of the mutation. `standing` moves on. */
export function decideAll(mutations: readonly Mutation[], standing: Map<string, Standing>, refused: ReadonlyMap<number, Fault>): Decided {
  const operations: Operation[] = [];
  const outcomes = mutations.map((mutation, number): Outcome => {
    const fault = refused.get(number);
    if (fault !== undefined) return { kind: 'refused', fault };
    const at = standing.get(keyOf(mutation)) ?? nothing;
    const decision = mutation.decide(at.document);
    try {
      const next = carryOut(mutation, at, decision);
      if (next === undefined) return { kind: 'refused', fault: decision.kind === 'refuse' ? decision.fault : new Fault('unknown') };
      standing.set(keyOf(mutation), next);
      operations.push(...toOperations(mutation, number, at, next));
      return { kind: 'written', before: at.document, after: next.document };
    } catch (error) {
      if (error instanceof Fault && error.reason === 'document_invalid') return { kind: 'refused', fault: error };
      throw error;
    }
  });
  return { outcomes, operations };
}

const nothing: Standing = { document: undefined, stored: undefined };

/** `undefined`: refused. */
function carryOut({ resource, id }: Mutation, at: Standing, decision: Decision): Standing | undefined {
  switch (decision.kind) {
    case 'refuse':
      return undefined;
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

function toOperations({ resource, id }: Mutation, mutation: number, at: Standing, next: Standing): readonly Operation[] {
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
