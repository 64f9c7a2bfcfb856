/**
 * Jobs: work of a team that is done after the write that causes it, at least once, with further attempts where it fails
 * (SEMANTICS §21). Each is a file of `origin/jobs`, which declares it by `job()`.
 *
 * What an attempt commits by its call is fenced: once another process has the job, or it is cancelled, nothing of this attempt
 * is written any more. What it does beside, by `fetch`, may happen again in the next attempt: send the job's id along.
 */
import type * as z from 'zod';
import { jobLimits } from '../../shared/jobs/limits.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Computation } from '../compute/computation.ts';
import type { JobCall } from './job-call.ts';
import type { JobKind } from './job-kind.ts';

/** Jobs that share a bound. One that waits, or fails, holds up no other queue. */
export interface Queue {
  /** Lower-case words with hyphens. */
  readonly name: string;
  /** Attempts that a process runs at once. */
  readonly concurrency: number;
  /**
   * Attempts at once of one lane, where it has lanes: stored jobs name theirs behind the queue's name and a colon, and one that
   * stalls holds up its own lane alone.
   */
  readonly ofLane?: number;
  /** Attempts that all processes of a database begin together; without it the places alone bound them. */
  readonly rate?: Rate;
  /** How many jobs a turn of a tenant is, 1 unless said: where several have some ready, they take turns. */
  share?(tenant: string | undefined): number;
}

export interface Rate {
  /** The most that begin in any `perMs`, by the database's clock. */
  readonly attempts: number;
  readonly perMs: number;
}

export interface JobDeclaration<Name extends string, Payload extends z.ZodType> {
  /** Lower-case words with hyphens: the file `origin/jobs/<name>.ts`. Stored jobs are found by it. */
  readonly name: Name;
  /** What it is enqueued with, as JSON. Stored jobs of an earlier release must fit as well. */
  readonly payload: Payload;
  /** Named `default`, of ten attempts at once, unless said. */
  readonly queue?: Queue;
  /** In all; 10 unless said. After the last one that fails it is dead, and an admin may retry it. */
  readonly attempts?: number;
  /** The pause before the next attempt is anything up to a bound that doubles from the first to the longest (full jitter). */
  readonly backoff?: Backoff;
  /** The time of an attempt; 30 s unless said. Then its signal aborts, and it has failed. */
  readonly timeoutMs?: number;
  /** Hosts that `call.fetch` may ask. */
  readonly fetches?: readonly string[];
  /** What `call.compute` may run on threads. */
  readonly computes?: readonly Computation[];
  /** What it gives is the result that the owner is shown. Whatever it throws fails the attempt; a Fault's detail is told to the owner. */
  handler(call: JobCall<z.output<Payload>>): Promise<Json | undefined>;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** A job whatever its payload. */
export interface Job<Payload extends z.ZodType = z.ZodType> extends JobKind<Payload> {
  readonly queue: Queue;
  readonly attempts: number;
  readonly backoff: Backoff;
  readonly timeoutMs: number;
  readonly fetches: readonly string[];
  readonly computes: readonly Computation[];
  readonly handler: (call: JobCall<unknown>) => Promise<Json | undefined>;
}

const defaultQueue: Queue = { name: 'default', concurrency: 10 };

/** Exported for the files of `origin/jobs`. */
export function job<const Name extends string, Payload extends z.ZodType>(declared: JobDeclaration<Name, Payload>): Job<Payload> {
  const { name, payload, handler, queue = defaultQueue, attempts = 10, timeoutMs = 30_000, fetches = [], computes = [] } = declared;
  const { backoff = { firstMs: 1_000, maxMs: 600_000 } } = declared;
  return { name, payload, queue, attempts, backoff, timeoutMs, fetches, computes, handler: asAnyHandler(handler) };
}

/** Whoever runs a job gives its handler a payload that its own schema made. */
function asAnyHandler<Payload>(handler: (call: JobCall<Payload>) => Promise<Json | undefined>): Job['handler'] {
  return handler as unknown as Job['handler'];
}

/** Milliseconds before the attempt after this one, counted from 1. */
export function backoffMs({ backoff: { firstMs, maxMs } }: Pick<Job, 'backoff'>, attempt: number, random: () => number): number {
  return random() * Math.min(firstMs * 2 ** Math.max(0, attempt - 1), maxMs, jobLimits.delayMsMax);
}
