/**
 * What the handler of a job is given: its payload, documents of every served resource, changes of them and further jobs, a
 * guarded way out, and its attempt's signal, log and clock. All of it is done as the system, past the rules of rows and fields;
 * what a document must be stays, and so do hooks before a write, which are told of the job's owner as the principal.
 */
import type { Resource } from '../../shared/contract/resource.ts';
import type { Environment } from '../../shared/settings/reader.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import type { StoredJob } from '../../shared/jobs/resource.ts';
import { type Change, DocumentsChanged, plannedOf } from '../access/documents-changed.ts';
import { type Fetched, type Fetching, guardedFetch } from '../access/guarded-fetch.ts';
import { asSystem } from '../access/on-behalf.ts';
import { ReadLedger } from '../access/read-ledger.ts';
import type { Asked } from '../call.ts';
import type { Computation } from '../compute/computation.ts';
import type { Context } from '../context.ts';
import type { Mail } from '../people/mail.ts';
import { everyResourceOf } from '../../shared/contract/every-resource.ts';
import type { Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { Job } from './job.ts';

/** One attempt, as its handler has it. */
export interface Attempting {
  readonly id: string;
  readonly job: Pick<Job, 'name' | 'fetches' | 'computes' | 'timeoutMs'>;
  readonly stored: StoredJob;
  readonly payload: unknown;
  /** Of its attempt, where that is traced, and else of the write that enqueued it. */
  readonly traceparent: string | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds of the epoch. */
  readonly deadline: number;
  /** Writes all or nothing, and nothing once the job is not this attempt's any more. */
  write(mutations: readonly Mutation[]): Promise<void>;
  progress(part: number): Promise<void>;
  atEnd(mutations: readonly Mutation[]): void;
  end(mutations: readonly Mutation[]): Promise<void>;
}

export class JobCall<Payload = unknown> extends DocumentsChanged {
  readonly #context: Context;
  readonly #attempting: Attempting;
  readonly payload: Payload;
  readonly environment: Environment;

  constructor(context: Context, attempting: Attempting) {
    super(context, asSystem(toAsked(context, attempting)), new ReadLedger());
    this.#context = context;
    this.#attempting = attempting;
    this.payload = asOwn<Payload>(attempting.payload);
    this.environment = context.settings.environment;
  }

  /** The same in all attempts: others know by it what they were asked before. */
  get id(): string {
    return this.#attempting.id;
  }

  /** Counted from 1. */
  get attempt(): number {
    return this.#attempting.stored.attempt;
  }

  /** The job as it is stored. */
  get stored(): StoredJob {
    return this.#attempting.stored;
  }

  /** Aborts when the time of the attempt is over, the job is cancelled or lost, or the origin stops. */
  get signal(): AbortSignal {
    return this.#attempting.signal;
  }

  /** Its lines name the job and the attempt. */
  get log(): Context['log'] {
    const { job, id } = this.#attempting;
    return this.#context.log.child({ job: job.name, jobId: id, attempt: this.attempt });
  }

  /** All of the changes or none, now; throws a Fault where one is refused, or the job is not this attempt's any more. */
  write(changes: readonly Change[]): Promise<void> {
    return this.#attempting.write(toMutations(changes));
  }

  /** Changes that are committed with the accepted end of this attempt, so they happen once; one that is refused fails it. */
  atEnd(changes: readonly Change[]): void {
    this.#attempting.atEnd(toMutations(changes));
  }

  /** For jobs of Tombolo's own: ends the job now, together with these; throws what refuses, and then it has not ended. */
  end(changes: readonly Change[], mutations: readonly Mutation[]): Promise<void> {
    return this.#attempting.end([...toMutations(changes), ...mutations]);
  }

  /** For jobs of Tombolo's own: what is stored of an internal resource. */
  async find(internal: Resource, id: string): Promise<StoredDocument | undefined> {
    return (await this.#context.store.get(internal, id, { deadline: this.#attempting.deadline })).value;
  }

  /** Tells the job's owner how much is done, from 0 to 1. */
  progress(part: number): Promise<void> {
    if (!(part >= 0 && part <= 1)) throw new Error(`progress ${part}: it is told from 0 to 1`);
    return this.#attempting.progress(part);
  }

  /** HTTPS to the hosts that the job declares. */
  fetch(url: string, fetching?: Fetching): Promise<Fetched> {
    return guardedFetch({ hosts: this.#attempting.job.fetches, signal: this.signal })(url, fetching);
  }

  /** By the server that people are written by, in development to a file. It may be sent again: give it an id. */
  mail(mail: Mail): Promise<void> {
    return this.#context.mail(mail);
  }

  /**
   * Runs what the job declares on a thread, which ends with the attempt: at its timeout, where the job is cancelled or lost, and at
   * a stop. Throws a ComputeFault where it throws.
   */
  async compute<Input, Output>(computation: Computation<Input, Output>, input: Input): Promise<Output> {
    const { job: { name, computes, timeoutMs: msMax } } = this.#attempting;
    const pool = this.#context.computations;
    if (pool === undefined || !computes.includes(computation)) throw new Error(`job "${name}" does not declare ${computation.file.href}`);
    const call = { file: computation.file.href, input };
    return asOwn<Output>(await pool.call('run', call, { signal: this.signal, msMax, endsThread: true }));
  }

  /** Milliseconds of the epoch. */
  now(): number {
    return this.#context.now();
  }
}

/** Its job's own schema, or computation, made it. */
function asOwn<Payload>(payload: unknown): Payload {
  return payload as Payload;
}

function toMutations(changes: readonly Change[]): readonly Mutation[] {
  return changes.map((change) => plannedOf(change).mutation);
}

function toPrincipal({ owner, tenant }: StoredJob): Principal {
  return owner === '' ? anonymous : { subject: owner, roles: [], claims: tenant === undefined ? {} : { tenant } };
}

/** What a call would say if somebody had asked. */
function toAsked({ settings, contract, beforeWrites }: Context, { id, job, stored, deadline, traceparent }: Attempting): Asked {
  return {
    operation: { name: `job ${job.name}`, right: 'read' },
    resource: everyResourceOf(contract), id: '', principal: toPrincipal(stored), rights: { readable: true, writable: true },
    preconditions: { ifMatch: undefined, ifNoneMatch: undefined }, idempotency: undefined, nonce: undefined,
    deadline, atLeast: undefined, tokenKey: settings.keys[0], beforeWrites,
    requestId: `job_${id}`, traceId: stored.trace?.slice(3, 35), traceparent,
  };
}
