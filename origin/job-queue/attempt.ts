/**
 * One attempt at a job: its handler within its time, and what becomes of the job after. Whatever it writes is fenced by its
 * claim, so of all attempts at a job one end is accepted.
 */
import type { DocumentChange } from '../../shared/contract/change.ts';
import { jobLimits } from '../../shared/jobs/limits.ts';
import type { StoredJob } from '../../shared/jobs/resource.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Context } from '../context.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Mutation, Store } from '../store/store.ts';
import { JobCall } from './job-call.ts';
import { type Claim, ending, extending, failing, handingBack, holding, lost } from './job-writes.ts';
import type { Job } from './job.ts';
import type { AttemptEnd, Tally } from './tally.ts';
import { TryLater } from './try-later.ts';

export interface AttemptOptions {
  readonly context: Context;
  readonly job: Job;
  readonly claim: Claim;
  /** At or after the claim's write. */
  readonly claimedAt: Position;
  readonly stored: StoredJob;
  /** How long after a beat of the heart its lease ends. */
  readonly leaseMs: number;
  readonly random: () => number;
  readonly tally: Tally;
  now(): Promise<number>;
  onTrouble(message: string, cause: unknown): void;
}

/** The time for a write of an attempt. */
export const writeMsMax = 10_000;
/** Progress is written so often at most; what comes between goes with the next beat. */
const progressMs = 500;

export class Attempt {
  readonly #options: AttemptOptions;
  readonly #cut = new AbortController();
  readonly #atEnd: Mutation[] = [];
  #progress: number | undefined;
  #toldAtMs = -Infinity;
  #leaseEndsAtMs: number;
  #isStopped = false;
  #isEnded = false;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#leaseEndsAtMs = performance.now() + options.leaseMs;
  }

  /** Ends the attempt at the stop of its process: its job goes back. */
  stop(): void {
    this.#isStopped = true;
    this.#cut.abort(new Error('the process stops'));
  }

  /** What a beat of the heart writes. */
  beat(nowMs: number): Mutation {
    const { claim, leaseMs } = this.#options;
    return extending(claim, nowMs + leaseMs, this.#progress);
  }

  /** `isHeld`: whether the beat was written; `undefined`: nobody knows, and when the lease has ended it may be another's. */
  beaten(isHeld: boolean | undefined): void {
    if (isHeld === true) this.#leaseEndsAtMs = performance.now() + this.#options.leaseMs;
    else if (isHeld === false || performance.now() >= this.#leaseEndsAtMs) this.lose();
  }

  /** The job was cancelled, or is another's. */
  lose(): void {
    this.#cut.abort(lost);
  }

  /** The feed tells of its job, perhaps what was so before the claim; of what it does not know the next beat decides. */
  hear({ after: job, position }: Pick<DocumentChange, 'after' | 'position'>): void {
    const { claim: { claim }, claimedAt } = this.#options;
    if (job === undefined || reaches(claimedAt, position)) return;
    if (job?.['state'] !== 'running' || job['claim'] !== claim) this.lose();
  }

  /** Never throws. */
  run(): Promise<void> {
    return this.#options.tally.of(this.#run());
  }

  async #run(): Promise<AttemptEnd> {
    const { claim, job, now, random } = this.#options;
    try {
      const result = await this.#handle();
      // What is done is done, also where the process stops meanwhile.
      if (!this.#isEnded) await this.#end(result, this.#atEnd);
      return 'done';
    } catch (cause) {
      if (cause === lost || this.#cut.signal.reason === lost) return 'left';
      const isLast = this.#options.stored.attempt >= job.attempts;
      if (this.#isStopped) {
        await this.#keep(async () => handingBack(claim, job, await now()), cause);
        return isLast ? 'dead' : 'left';
      }
      if (!(cause instanceof TryLater)) this.#say('failed', cause);
      await this.#keep(async () => failing(claim, job, { cause, nowMs: await now(), random }), cause);
      if (isLast) return 'dead';
      return cause instanceof TryLater ? 'left' : 'failed';
    }
  }

  async #handle(): Promise<Json | undefined> {
    const { context: given, job, claim: { id }, stored } = this.#options;
    const { attempt, trace } = stored;
    const traced = given.traces?.begin(`job ${job.name}`, { link: trace });
    const context = traced === undefined ? given : { ...given, store: traced.over(given.store) };
    let isFailed = true;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`took longer than ${job.timeoutMs} ms`)), job.timeoutMs);
    const signal = AbortSignal.any([late.signal, this.#cut.signal]);
    try {
      signal.throwIfAborted();
      const call = new JobCall(context, {
        id, job, stored, signal, traceparent: traced?.traceparent ?? trace, deadline: context.now() + job.timeoutMs,
        payload: job.payload.parse(JSON.parse(stored.payload)),
        write: (mutations) => this.#write([holding(this.#options.claim), ...mutations]),
        progress: (part) => this.#tell(part),
        atEnd: (mutations) => void this.#atEnd.push(...mutations),
        end: (mutations) => this.#end(undefined, mutations),
      });
      const result = await Promise.race([job.handler(call), untilAborted(signal)]);
      isFailed = false;
      return result;
    } finally {
      traced?.end({ request: `job_${id}`, attempt }, isFailed);
      clearTimeout(timer);
    }
  }

  async #end(result: Json | undefined, mutations: readonly Mutation[]): Promise<void> {
    const { claim, now, context } = this.#options;
    await writeAll(context.store, [ending(claim, await now(), toResult(result)), ...mutations]);
    this.#isEnded = true;
  }

  async #tell(part: number): Promise<void> {
    this.#progress = part;
    if (performance.now() - this.#toldAtMs < progressMs) return;
    this.#toldAtMs = performance.now();
    await this.#write([this.beat(await this.#options.now())]);
    this.beaten(true);
  }

  async #write(mutations: readonly Mutation[]): Promise<void> {
    this.#cut.signal.throwIfAborted();
    await writeAll(this.#options.context.store, mutations);
  }

  /** Where it cannot be kept the lease ends, and the job is taken up again. */
  async #keep(toMutation: () => Promise<Mutation>, why: unknown): Promise<void> {
    try {
      await writeAll(this.#options.context.store, [await toMutation()]);
    } catch (cause) {
      if (cause !== lost) this.#say('could not be kept, and its lease ends', cause ?? why);
    }
  }

  #say(what: string, cause: unknown): void {
    const { job: { name }, claim: { id }, stored: { attempt }, onTrouble } = this.#options;
    onTrouble(`job ${name} ${id}: attempt ${attempt} ${what}`, cause);
  }
}

async function writeAll(store: Pick<Store, 'write'>, mutations: readonly Mutation[]): Promise<void> {
  const together = mutations.length > 1 ? { atomic: true } as const : {};
  const { outcomes } = await store.write(mutations, { deadline: Date.now() + writeMsMax, ...together });
  mustNoneBeRefused(outcomes);
}

function toResult(result: Json | undefined): string | undefined {
  const text = result === undefined ? undefined : JSON.stringify(result);
  const bytes = text === undefined ? 0 : Buffer.byteLength(text);
  if (bytes > jobLimits.resultBytesMax) throw new Error(`a result of ${bytes} bytes; ${jobLimits.resultBytesMax} are the most`);
  return text;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
