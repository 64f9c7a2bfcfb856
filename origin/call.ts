/** A call: what an operation is asked, by whom and until when, parsed and with rights, whether it came over HTTP or not. */
import type { HopKey } from '../shared/hop/keys.ts';
import type { StatedReads } from '../shared/hop/stated-reads.ts';
import type { Preconditions } from '../shared/contract/preconditions.ts';
import type { Position } from '../shared/wire/position.ts';
import type { Principal } from '../shared/wire/principal.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { BodyOf, InputOf, Operation } from '../shared/operations/operation.ts';
import type { Course } from './deferred/course.ts';
import type { BeforeWrites } from './documents/before-write.ts';
import type { Rights } from './rights.ts';
import type { WriteOptions } from './store/store.ts';

/** What every operation is told. */
export interface Asked {
  /** Its row, or what stands for one where nobody asked: a hook's. */
  readonly operation: Pick<Operation, 'name' | 'right'>;
  readonly resource: Resource;
  /** The id of the document that the operation is about; empty where it is about none. */
  readonly id: string;
  readonly principal: Principal;
  readonly rights: Rights;
  readonly preconditions: Preconditions;
  /** One effect and one answer for all calls of this key; a call with another fingerprint is refused. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | undefined;
  /** Milliseconds of the epoch. */
  readonly deadline: number;
  /** Paths that the caller's version of the API has no name for: its writes leave what is stored there (SEMANTICS §19). */
  readonly keeps?: readonly string[];
  /** The state read must be at or after this. */
  readonly atLeast: Position | undefined;
  /** Spent in the write's transaction, where the call came over a hop. */
  readonly nonce: WriteOptions['nonce'] | undefined;
  /** Signs the tokens in the answer: cursors and positions. The edge that asks has it. */
  readonly tokenKey: HopKey;
  /** Names the request in logs and problem documents. */
  readonly requestId: string;
  /** Names the trace that the call is a part of, in logs. */
  readonly traceId: string | undefined;
  /** What it causes, now or later, says that it follows from this (W3C Trace Context §3.2). */
  readonly traceparent?: string | undefined;
  /** It is carried out past all rules. */
  readonly isSystem?: true;
  /** Asked for with `Prefer: respond-async` (RFC 7240 §4.1) by somebody who can look at it later. */
  readonly isDeferred?: boolean;
  /** There while it goes on behind its answer. */
  readonly course?: Course;
  /** Whoever carries the call out adds them: no way of asking can leave them out. */
  readonly beforeWrites?: BeforeWrites;
}

/** A call with what its own operation takes, by its row. */
export interface Call<Row extends Operation> extends Asked {
  readonly operation: Row;
  readonly input: InputOf<Row>;
  readonly body: BodyOf<Row>;
}

/** What became of a call; `respond.ts` makes HTTP of it. */
export type Outcome =
  | 'found'
  /** The caller has this state already. */
  | 'unchanged'
  | 'absent'
  | 'created'
  | 'written'
  | 'removed'
  /** It goes on behind its answer. */
  | 'accepted'
  /** The body is made while it is read. */
  | 'streaming';

export interface Answer {
  readonly outcome: Outcome;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly mediaType?: string;
  readonly etag?: string;
  /** The id of a created document, where the call did not name it. */
  readonly createdId?: string;
  /** The operation that goes on behind this answer. */
  readonly deferredId?: string;
  /** Cursors of the pages around this one. */
  readonly pages?: { readonly next: string | undefined; readonly prev: string | undefined } | undefined;
  /** The position at which the state was read, for the edge's cache. */
  readonly readAt?: Position;
  /** Other resources than the call's that the answer was made of, in that same state: all that its row says it depends on. */
  readonly alsoRead?: readonly Resource[] | undefined;
  /** Of a state whose row does not say what it depends on: that, and for whom it was read. */
  readonly stated?: (StatedReads & { readonly reader: Principal }) | undefined;
  /** The position of the write, which the client is given signed. */
  readonly writtenAt?: Position;
}

declare const underConditions: unique symbol;

/** The answer of a state, made under the conditions of its call (`documents/representation.ts`). */
export interface StateAnswer extends Answer {
  readonly [underConditions]: true;
}
