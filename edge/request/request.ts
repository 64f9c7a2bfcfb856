/** What a request is at each point of its path: every stage takes one of these and hands on the next. */
import type { Position } from '../../shared/wire/position.ts';
import type { CheckedBody } from '../../shared/contract/documents.ts';
import type { Preconditions } from '../../shared/contract/preconditions.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Format } from '../../shared/operations/formats.ts';
import type { Cached } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import type { EdgeContext } from '../context.ts';
import type { Dialect } from '../../shared/versions/dialect.ts';
import type { Verified } from '../identity/tokens.ts';
import type { OwnRoute } from '../own-routes.ts';
import type { Speech } from '../versions/naming.ts';
import type { OlderRows } from '../versions/rows.ts';
import type { Arrival } from './arrival.ts';
import type { SentHeaders } from './request-headers.ts';
import type { Target } from './target.ts';

export interface Configured extends Arrival {
  readonly context: EdgeContext;
}

export interface Admitted extends Configured {
  readonly target: Target;
  readonly sent: SentHeaders;
  /** The sender's address, or the network that is theirs alone; absent where the platform names none. */
  readonly network: string | undefined;
  /** Milliseconds of the epoch. */
  readonly deadlineAt: number;
  /** Whom its token or key names, where this isolate knew that at once. */
  readonly recalled?: Verified;
}

export interface Versioned extends Admitted {
  /** What it says of versions; absent where its path alone names the current one, or nothing does that has versions. */
  readonly speech?: Speech;
}

/** A request for a path that the edge answers itself. */
export interface ForEdge extends Versioned {
  readonly own: OwnRoute;
  readonly route?: undefined;
}

/** A request for an operation of a resource, which the origin or the cache answers. */
export interface ForOrigin extends Versioned {
  readonly own?: undefined;
  readonly route: Route;
  /** What the operation is in an older version; absent where it is the same. */
  readonly dialect?: Dialect | undefined;
}

export type Routed = ForEdge | ForOrigin;

export interface Identity {
  readonly principal: Principal;
  /** When the caller's token expires, in milliseconds of the epoch; absent: nobody signed in. */
  readonly signedInUntil: number | undefined;
  /** The name of a feed that a ticket opened, as the ids of its events carry it. */
  readonly stream: string | undefined;
}

export type Identified<R extends Routed = Routed> = R & Identity;

export interface Validated extends ForOrigin, Identity {
  /** The cache name and the dependencies; present where the operation's answers are states. */
  readonly cached: Cached | undefined;
  readonly preconditions: Preconditions;
  /** The caller has seen this state, and must not be answered from before it. */
  readonly demanded: Position | undefined;
  /** A buffered body, byte for byte. */
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** What was read in those very bytes, and checked. */
  readonly checked?: CheckedBody | undefined;
  /** What is made of the origin's answer in an older version; absent: it is the origin's form. */
  readonly form?: Format | undefined;
  /** An upload in an older version, row by row. */
  readonly rows?: OlderRows;
}
