/**
 * Hooks after a commit (SEMANTICS §18): what follows from a change of a resource, whoever made it, another program too.
 *
 * A hook is a consumer of the feed (SEMANTICS §21). It is told of each committed change at least once, of those of a document
 * in the order of their commits. The changes that it answers with are committed together with its cursor, so they happen
 * once; what it does beside them, by `fetch`, may happen again, under the same event id. It waits for nobody and nobody waits
 * for it: an event at which it throws is told again, later and later, and holds up the events of its document alone, until it
 * is given up (held-events.ts).
 *
 * What it may do is what it declares, and its call has no more than that. Hooks never set themselves off: of its own resource
 * a hook writes only fields that it marks, of which it is not told, and hooks that write in a circle do not start.
 */
import type * as z from 'zod';
import type { DocumentOf } from '../access/document-of.ts';
import type { Change } from '../access/documents-changed.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { HookCall } from './hook-call.ts';

export interface CommitEvent<Of extends Resource> {
  readonly kind: 'created' | 'updated' | 'deleted';
  /** As it stands in paths. */
  readonly id: string;
  /**
   * The document as this change found and left it. `undefined`: there was none, or it is not known (a collection of others on
   * MongoDB without images), or it does not fit its schema and the resource says `invalid: 'refuse'`.
   */
  readonly before: DocumentOf<Of> | undefined;
  readonly after: DocumentOf<Of> | undefined;
  readonly position: Position;
  /** The same each time that the hook is told of this change, and of no other. */
  readonly eventId: string;
}

/** Changes that nobody can tell of: the history was lost, or the whole resource was (dropped, restored, truncated). */
export interface Missed {
  readonly why: 'history-lost' | 'resource-changed';
  /** What was committed up to here may have been missed. */
  readonly position: Position;
}

/** All of them are written in one transaction with the hook's cursor, or none. */
export type Effects = readonly Change[];

interface AfterCommitDeclaration<Of extends Resource, To extends Resource, Mark extends string> {
  /** Names the hook's cursor: under another name it is a new hook, which begins at what is committed then. */
  readonly name: string;
  readonly of: Of;
  /** Other resources that it may write. */
  readonly writes?: readonly To[];
  /** Fields of its own resource that it may write. A change of nothing but marked fields is not told to hooks that mark. */
  readonly marks?: readonly Mark[];
  /** Hosts that `call.fetch` may ask. */
  readonly fetches?: readonly string[];
  handle(event: CommitEvent<Of>, call: HookCall<Of, To, Mark>): Effects | Promise<Effects>;
  /** What is done about changes of which it was not told. */
  resync(missed: Missed, call: HookCall<Of, To, Mark>): Effects | Promise<Effects>;
}

/** A hook whatever its resource. */
export type AfterCommit = Required<AfterCommitDeclaration<Resource, Resource, string>>;

type FieldOf<Of extends Resource> = keyof z.output<Of['schema']> & string;

/** Exported for the files of `origin/hooks`. */
export function afterCommit<Of extends Resource, To extends Resource = never, Mark extends FieldOf<Of> = never>(
  declared: AfterCommitDeclaration<Of, To, Mark>,
): AfterCommit {
  return { writes: [], marks: [], fetches: [], ...asAnyHook(declared) };
}

/** Whoever runs a hook gives it events of its own resource, and a call made by its own declaration. */
function asAnyHook<Of extends Resource, To extends Resource, Mark extends string>(
  declared: AfterCommitDeclaration<Of, To, Mark>,
): Pick<AfterCommit, 'name' | 'of' | 'handle' | 'resync'> {
  return declared as unknown as AfterCommit;
}
