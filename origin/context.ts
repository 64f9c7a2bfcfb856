/**
 * What the work of one origin process is done with: operations, consumers, hooks and jobs. Nothing in it carries out a call or
 * runs a job; what does is beside it in `origin-context.ts`. Time is passed in, so that tests hold it.
 */
import type pino from 'pino';
import type { Contract } from '../shared/contract/contract.ts';
import type { Plans } from '../shared/limits/plans.ts';
import type { CallerShares } from './caller-shares.ts';
import type { ComputeCalls } from './compute/calls.ts';
import type { ComputationCalls } from './compute/computation.ts';
import type { ComputePool } from './compute/pool.ts';
import type { BeforeWrites } from './documents/before-write.ts';
import type { Feed } from './feed/feed.ts';
import type { Load } from './load.ts';
import type { SendMail } from './people/mail.ts';
import type { Services } from './services/services.ts';
import type { Settings } from './settings.ts';
import type { Store } from './store/store.ts';
import type { Traces } from './traces/traces.ts';

export interface Context {
  readonly settings: Settings;
  readonly contract: Contract;
  /** Those that an API key may be given; `undefined`: none. */
  readonly plans: Plans | undefined;
  readonly log: pino.Logger;
  readonly store: Store;
  readonly feed: Feed;
  readonly compute: ComputePool<ComputeCalls>;
  /** There where a job declares some. */
  readonly computations: ComputePool<ComputationCalls> | undefined;
  readonly imports: CallerShares;
  readonly exports: CallerShares;
  readonly load: Load;
  /** `undefined`: nobody is sent traces. */
  readonly traces: Traces | undefined;
  readonly beforeWrites: BeforeWrites;
  /** Mails that jobs send, by the way that people are written. */
  readonly mail: SendMail;
  readonly services: Services;
  /** Aborted when the origin begins to stop: live streams tell their clients to come back. */
  readonly streams: AbortController;
  now(): number;
}
