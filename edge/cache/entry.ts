/** A stored answer, with what it was true of: where its state was read, and the generations asked before that. */
import type { Dependencies } from '../../shared/contract/dependencies.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { scopeDigest } from '../../shared/contract/scope.ts';
import type { ReadFacts, ResourceRead } from '../../shared/hop/read-facts.ts';
import type { View } from './generations.ts';

export interface Entry {
  /** 404: the document does not exist, which is as true of its key as any other state. */
  readonly status: 200 | 404;
  readonly body: Uint8Array<ArrayBuffer>;
  /** The headers that describe the representation; no others are stored. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly etag: string | undefined;
  readonly position: Position;
  /** What it depends on, where its answer said so and not its request. */
  readonly dependencies?: Dependencies;
  /** One generation for each bucket that it depends on, in that order. */
  readonly generations: readonly string[];
  /** When the origin last said that this is so. Milliseconds of the epoch. */
  readonly validatedAt: number;
  /** When it was last known to be right: validated, or found fresh. Kept in memory alone. */
  rightAt: number;
}

/** A resource that an answer is made of, and for whom. */
export interface Part {
  readonly resource: Resource;
  readonly scope: string;
}

/** The resource that was asked for, and the others that the answer depends on. Most depend on no other. */
export interface Parts extends Part {
  readonly others: readonly Part[];
}

/** Whether nothing that it depends on has changed since it was read, and nobody demands a later state. */
export function isFresh(entry: Entry, view: View | undefined, demanded: Position | undefined): boolean {
  if (view === undefined || !view.known || view.epoch !== entry.position.epoch) return false;
  if (!entry.generations.every((generation, index) => generation === view.generations[index])) return false;
  return demanded === undefined || reaches(entry.position, demanded) || reaches({ epoch: view.epoch, order: view.through }, demanded);
}

export interface Outage {
  readonly view: View | undefined;
  /** Generations of deletion: present where the resource may show what was last known. */
  readonly gone: View | undefined;
  /** The position of the last write that this isolate passed on to a resource of the answer. */
  readonly written: Position | undefined;
  readonly demanded: Position | undefined;
  readonly staleMsMax: number;
}

/**
 * Whether it stands in for an origin that fails (RFC 5861 §4): not where that one has another contract and might refuse it,
 * not where a later state is demanded, not for ever, and not where it is known to be wrong (SEMANTICS §1).
 */
export function maySubstitute(entry: Entry, { view, gone, written, demanded, staleMsMax }: Outage): boolean {
  if (view?.agreed === false || Math.abs(Date.now() - entry.rightAt) > staleMsMax) return false;
  if (demanded !== undefined && !reaches(entry.position, demanded)) return false;
  // A write went through here and is not reported yet: nobody can say what has become of the entry.
  const holds = (position: Position): boolean => written === undefined || reaches(position, written);
  if (!holds(entry.position) && (view === undefined || !holds({ epoch: view.epoch, order: view.through }))) return false;
  return !isRaised(view, entry.position) || (gone !== undefined && !isRaised(gone, entry.position));
}

/** Generations are lower bounds, also while they are not known to be all: one above the entry's state says that it has changed. */
function isRaised(view: View | undefined, { epoch, order }: Position): boolean {
  return view !== undefined && (view.epoch !== epoch || view.generations.some((generation) => generation > order));
}

/**
 * Whether an answer may be stored with the generations asked before it (SEMANTICS §1): edge and origin agree on which
 * resources were read and, of each, on declaration and scope, and the state read contains every change that the generations
 * speak of.
 */
export function isStorable(facts: ReadFacts | undefined, parts: Parts, view: View | undefined): boolean {
  if (facts === undefined || view === undefined) return false;
  if (!isReadAs(parts, facts) || facts.others.length !== parts.others.length) return false;
  if (!parts.others.every((other) => facts.others.some((read) => read.name === other.resource.name && isReadAs(other, read)))) return false;
  return facts.position.epoch === view.epoch && view.generations.every((generation) => facts.position.order >= generation);
}

function isReadAs({ resource, scope }: Part, { resourceDigest, scopeDigest: digest }: ResourceRead): boolean {
  return resourceDigest === resource.digest && digest === scopeDigest(scope);
}
