/**
 * A history: everything that clients asked of Tombolo and were answered, and what the database says was
 * committed. Times are milliseconds of one monotonic clock. Every write puts a tag of its own into the
 * document, twice, so that its effect can be told from every other and a half of it from the whole.
 */
import type { Position } from '../../../shared/wire/position.ts';

export interface History {
  /** The oldest state that a read may show: memo and the age at which the feed counts as silent. */
  readonly staleMsMax: number;
  /** Times in which the database had no one primary: a read in one of them may show the state at its beginning. */
  readonly disturbances?: readonly { readonly from: number; readonly to: number }[];
  readonly writes: readonly Write[];
  readonly reads: readonly Read[];
  readonly subscribers: readonly Subscriber[];
  /** The commits of one epoch, in commit order. */
  readonly commits: readonly Commit[];
}

interface Asked {
  readonly askedAt: number;
  /** When it was answered or given up. */
  readonly answeredAt: number;
  /** The process that answered, where that is known: its later reads show what it acknowledged, whatever the bound. */
  readonly through?: string | undefined;
}

/** One attempt. Attempts under one Idempotency-Key have one tag. */
export interface Write extends Asked {
  readonly verb: 'create' | 'patch' | 'remove';
  readonly tag: string;
  /** Absent for a create that has no answer, and for rows of an import. */
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  /** Writes of one batch are committed together or not at all. */
  readonly batch?: string | undefined;
  /** `unknown`: no answer, or one that leaves it open. */
  readonly outcome: 'acked' | 'refused' | 'unknown';
  /** The revision that the answer told of an acked write. */
  readonly rev?: number | undefined;
  readonly position?: Position | undefined;
  readonly body?: string | undefined;
}

export interface Read extends Asked {
  /** `undefined`: nobody signed in. */
  readonly subject: string | undefined;
  readonly demanded: Position | undefined;
  /** What the read was about: one document, or all of a group. */
  readonly about: { readonly id: string } | { readonly group: string };
  readonly seen: readonly Seen[];
  /** Whether it says of itself that it may be old, because the origin is away (RFC 5861 §4). */
  readonly marked?: boolean;
}

export interface Seen {
  readonly id: string;
  readonly rev: number;
  readonly tag: string;
  /** Whether the two places that hold the tag agree. */
  readonly whole: boolean;
}

export interface Commit {
  readonly position: Position;
  readonly id: string;
  readonly group: string;
  readonly live: boolean;
  readonly before: Image | undefined;
  readonly after: Image | undefined;
}

export function tagOf({ id, after }: Commit): string {
  return after?.tag ?? removalTag(id);
}

/** A removal leaves no document to hold a tag, and no document is removed twice: its id is its tag. */
export function removalTag(id: string): string {
  return `removed ${id}`;
}

export interface Image extends Seen {
  /** Whoever may see it: everyone, or one subject. */
  readonly visibleTo: string | undefined;
}

export interface Subscriber {
  readonly name: string;
  readonly subject: string | undefined;
  /** The words in the order of arrival, over all connections. */
  readonly heard: readonly Heard[];
}

export interface Heard {
  readonly name: 'heartbeat' | 'resync' | 'reconnect' | 'created' | 'updated' | 'entered' | 'left' | 'deleted';
  readonly position: Position;
  /** Whether these are the first words of a connection, which may begin at an older position than was reached. */
  readonly isFirst?: boolean;
  readonly id?: string | undefined;
  readonly rev?: number | undefined;
  readonly tag?: string | undefined;
}

export interface Violation {
  readonly law: Law;
  readonly detail: string;
}

export type Law =
  | 'lost_write'
  | 'doubled_write'
  | 'refused_but_applied'
  | 'torn_write'
  | 'write_of_nobody'
  | 'revision_skipped'
  | 'two_answers'
  | 'position_before_write'
  | 'stale_read' | 'read_before_position' | 'read_of_nothing' | 'read_from_the_future' | 'read_of_another'
  | 'missed_event' | 'event_out_of_order' | 'doubled_event' | 'event_of_nothing' | 'event_of_another' | 'wrong_event' | 'left_behind';
