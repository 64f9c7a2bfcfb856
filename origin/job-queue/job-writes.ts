/**
 * What becomes of stored jobs, as writes that are decided on the job as it is there. Those of an attempt are fenced by its claim:
 * they are refused with `lost` once the job is another's, or nobody's.
 */
import { jobLimits } from '../../shared/jobs/limits.ts';
import { jobs, type JobState, type StoredJob } from '../../shared/jobs/resource.ts';
import { Fault, problemKindOf } from '../../shared/wire/fault.ts';
import { instantAt } from '../../shared/wire/values.ts';
import type { FollowUp, Mutation } from '../store/store.ts';
import { backoffMs, type Job } from './job.ts';
import { changing, jobIn, putting } from './stored-job.ts';
import { TryLater } from './try-later.ts';

export interface Claim {
  readonly id: string;
  readonly claim: string;
}

export const lost = new Fault('cursor_moved', { detail: 'the job is not this attempt\'s any more' });

/** A job whose name this process does not know is put off for so long: another release may know it. */
const unknownPutOffMs = 60_000;

interface Claiming extends Claim {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly isKnown: (name: string) => boolean;
}

export function claiming({ id, claim, nowMs, leaseMs, isKnown }: Claiming): FollowUp {
  return changing(id, (job) => {
    if (job.state !== 'ready') return undefined;
    if (!isKnown(job.name)) return putting({ ...job, state: 'delayed', dueAt: instantAt(nowMs + unknownPutOffMs) });
    return putting({ ...job, state: 'running', claim, attempt: job.attempt + 1, dueAt: instantAt(nowMs + leaseMs), progress: undefined });
  });
}

/** Nothing is changed; what is written beside it is refused where the claim is lost. */
export function holding(claim: Claim): Mutation {
  return fenced(claim, undefined);
}

export function extending(claim: Claim, until: number, progress: number | undefined): Mutation {
  return fenced(claim, (job) => ({ ...job, dueAt: instantAt(until), progress: progress ?? job.progress }));
}

export function ending(claim: Claim, nowMs: number, result: string | undefined): Mutation {
  return fenced(claim, (job) => ({ ...toEnded(job, 'done', nowMs), result, error: undefined, told: undefined }));
}

export interface Failure {
  readonly cause: unknown;
  readonly nowMs: number;
  readonly random: () => number;
}

/** Its next attempt comes later, or it is dead. */
export function failing(claim: Claim, of: Pick<Job, 'attempts' | 'backoff'>, { cause, nowMs, random }: Failure): Mutation {
  return fenced(claim, (job) => {
    const failed = { ...job, ...toWords(cause) };
    if (job.attempt >= of.attempts) return toEnded(failed, 'dead', nowMs);
    const pauseMs = cause instanceof TryLater ? cause.pauseMs : backoffMs(of, job.attempt, random);
    return { ...failed, state: 'delayed', claim: undefined, dueAt: instantAt(nowMs + pauseMs) };
  });
}

/** What a process that stops could not end: the attempt counts, and the next one begins at once. */
export function handingBack(claim: Claim, of: Pick<Job, 'attempts' | 'queue'>, nowMs: number): Mutation {
  return fenced(claim, (job) => toFreed(job, of, nowMs, 'the process stopped'));
}

type Declared = Pick<Job, 'attempts' | 'queue'> | undefined;

/** What is due: delayed jobs are ready, those whose lease has ended are free again, those that ended long ago are forgotten. */
export function duly(id: string, nowMs: number, of: (name: string) => Declared): Mutation {
  return changing(id, (job) => {
    if (Date.parse(job.dueAt) > nowMs || job.state === 'ready') return undefined;
    if (job.state === 'delayed') return putting({ ...job, state: 'ready', queue: queueOf(job, of(job.name)) });
    if (job.state === 'running') return putting(toFreed(job, of(job.name), nowMs, 'its process was lost'));
    return { kind: 'remove' };
  });
}

/** Puts a ready one into the queue that is declared for it by now. */
export function requeueing(id: string, of: (name: string) => Declared): FollowUp {
  return changing(id, (job) => {
    const queue = queueOf(job, of(job.name));
    return job.state === 'ready' && job.queue !== queue ? putting({ ...job, queue }) : undefined;
  });
}

/** As it is declared by now, whatever was declared when the job was stored; one in a lane stays there. */
export function queueOf({ queue }: Pick<StoredJob, 'queue'>, of: Pick<Job, 'queue'> | undefined): string {
  return of === undefined || of.queue.ofLane !== undefined ? queue : of.queue.name;
}

type Changed = { readonly [Name in keyof StoredJob]: StoredJob[Name] | undefined };

function toFreed(job: StoredJob, of: Declared, nowMs: number, why: string): Changed {
  const failed = { ...job, error: why, told: why };
  if (of !== undefined && job.attempt >= of.attempts) return toEnded(failed, 'dead', nowMs);
  return { ...failed, state: 'ready', queue: queueOf(job, of), claim: undefined, dueAt: instantAt(nowMs) };
}

/** No attempt's claim holds any more. */
export function toEnded(job: StoredJob, state: JobState, nowMs: number): Changed {
  const keptMs = state === 'dead' ? jobLimits.deadKeptMs : jobLimits.endedKeptMs;
  return { ...job, state, claim: undefined, ended: instantAt(nowMs), dueAt: instantAt(nowMs + keptMs) };
}

function fenced({ id, claim }: Claim, change: ((job: StoredJob) => Changed) | undefined): Mutation {
  return {
    resource: jobs, id,
    decide: (found) => {
      const job = found === undefined ? undefined : jobIn(found);
      if (job?.state !== 'running' || job.claim !== claim) return { kind: 'refuse', fault: lost };
      return change === undefined ? { kind: 'keep' } : putting(change(job));
    },
  };
}

/** Of an Error that is no Fault its owner is told nothing: what it says may be of the inside. */
export function toWords(cause: unknown): { readonly error: string; readonly told: string } {
  const told = cause instanceof Fault ? (cause.detail ?? problemKindOf(cause.reason).title) : 'it failed';
  const error = cause instanceof Error && cause.message !== '' ? cause.message : 'it failed';
  const inShort = (text: string) => text.slice(0, jobLimits.errorCharactersMax).toWellFormed();
  return { error: inShort(cause instanceof Fault ? told : error), told: inShort(told) };
}
