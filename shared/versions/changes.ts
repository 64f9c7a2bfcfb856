/**
 * What a version differs in from the next one, in the words that a team declares it with: pure, and so few that
 * bodies, merge patches, filters, sorts, `fields`, answers, events and the pointers of problems all follow from them.
 */
import type * as z from 'zod';
import type { Json } from '../wire/values.ts';

/** What stood at `old` stands at `now` in the next version, whatever it is. */
export interface Moved {
  readonly kind: 'moved';
  readonly old: string;
  readonly now: string;
}

/** The next version says the same in another value. */
export interface Converted {
  readonly kind: 'converted';
  /** As the next version calls it. */
  readonly at: string;
  /** What the old version took and showed. */
  readonly schema: z.ZodType;
  up(value: Json): Json;
  down(value: Json): Json;
  /** Whether both have one order, so that it can be sorted by and asked for in ranges. */
  readonly ordered: boolean;
}

/** New in the next version. Whoever speaks the old one neither sees nor names it, and what is stored there stays. */
export interface Added {
  readonly kind: 'added';
  readonly at: string;
  /** What a document that is created without it gets, where the schema says nothing. */
  readonly initial: Json | undefined;
}

/** Gone in the next version. Whoever speaks the old one is shown the same value everywhere; what they send is taken, and nothing. */
export interface Removed {
  readonly kind: 'removed';
  /** As the old version calls it. */
  readonly at: string;
  /** What the old version took. */
  readonly schema: z.ZodType;
  readonly shown: Json;
}

export type Change = Moved | Converted | Added | Removed;

/** Where a change takes place: in the next version, or, of what that does not have, in the old one. */
export function targetOf(change: Change): string {
  return change.kind === 'moved' ? change.now : change.at;
}

/** Every place that the changes name, by the names of both versions. */
export function namedPlacesOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => (change.kind === 'moved' ? [change.now, change.old] : [change.at]));
}

/** Where the older version has nothing of what the next one has there. */
export function newPlacesOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => (change.kind === 'moved' || change.kind === 'added' ? [targetOf(change)] : []));
}

/** By the name of the older version: what it differs in from the next. */
export type VersionChanges = Readonly<Record<string, readonly (readonly Change[])[]>>;

/** Exported for resource and endpoint files. */
export function moved(paths: Readonly<Record<string, string>>): readonly Change[] {
  return Object.entries(paths).map(([old, now]) => ({ kind: 'moved', old, now }));
}

/** Exported for resource and endpoint files. */
export function converted(
  at: string,
  { schema, up, down, ordered = false }: Omit<Converted, 'kind' | 'at' | 'ordered'> & { readonly ordered?: boolean },
): readonly Change[] {
  return [{ kind: 'converted', at, schema, up, down, ordered }];
}

/** Exported for resource and endpoint files. */
export function added(at: string, initial?: Json): readonly Change[] {
  return [{ kind: 'added', at, initial }];
}

/** Exported for resource and endpoint files. */
export function removed(at: string, { schema, shown }: Omit<Removed, 'kind' | 'at'>): readonly Change[] {
  return [{ kind: 'removed', at, schema, shown }];
}
