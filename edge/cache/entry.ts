/** A stored answer, with what it was true of: where its state was read, and the generations asked before that. */
import { type Position, reaches } from '../../shared/contract/position.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { scopeDigest } from '../../shared/contract/scope.ts';
import type { ReadFacts } from '../hop/verify.ts';
import type { View } from './generations.ts';

export interface Entry {
  /** 404: the document does not exist, which is as true of its key as any other state. */
  readonly status: 200 | 404;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Of the stored headers, those that describe the representation. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly etag: string | undefined;
  readonly position: Position;
  /** In the order of the request's buckets. */
  readonly generations: readonly string[];
  /** When the origin last said that this is so. Milliseconds of the epoch. */
  readonly validatedAt: number;
  /** When it was last known to be right: validated, or found fresh. Kept in memory alone. */
  rightAt: number;
}

/** Fresh: nothing that it depends on has changed since it was read, and nobody demands a later state. */
export function isFresh(entry: Entry, view: View | undefined, demanded: Position | undefined): boolean {
  if (view === undefined || !view.known || view.epoch !== entry.position.epoch) return false;
  if (!entry.generations.every((generation, index) => generation === view.generations[index])) return false;
  return demanded === undefined || reaches(entry.position, demanded) || reaches({ epoch: view.epoch, order: view.through }, demanded);
}

/**
 * Stands in for an origin that fails (RFC 5861 §4): not for one of another contract, which might refuse it, not
 * for one who demands a later state, and not for ever.
 */
export function maySubstitute(entry: Entry, view: View | undefined, demanded: Position | undefined, staleMsMax: number): boolean {
  if (view?.agreed === false) return false;
  return Date.now() - entry.rightAt <= staleMsMax && (demanded === undefined || reaches(entry.position, demanded));
}

/**
 * Whether an answer may be stored with the generations asked before it (SEMANTICS: fill): edge and origin
 * agree on declaration and scope, and the state read contains every change that the generations speak of.
 */
export function isStorable(facts: ReadFacts | undefined, resource: Resource, scope: string, view: View | undefined): boolean {
  if (facts === undefined || view === undefined) return false;
  if (facts.resourceDigest !== resource.digest || facts.scopeDigest !== scopeDigest(scope)) return false;
  return facts.position.epoch === view.epoch && view.generations.every((generation) => facts.position.order >= generation);
}
