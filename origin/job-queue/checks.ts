/** What is wrong with jobs: each by itself, and all of them together. With any, nothing starts. */
import { existsSync } from 'node:fs';
import { DeclarationError, Mistakes, type Refuse } from '../../shared/checks/mistakes.ts';
import { isActionName } from '../../shared/contract/reserved-names.ts';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { isHostName } from '../../shared/checks/endpoint-mistakes.ts';
import type { Job, Queue } from './job.ts';
import { momentsOf, type Schedule } from './schedule.ts';
import { messageOf } from '../../shared/message-of.ts';

/** By their names. */
export type Jobs = ReadonlyMap<string, Job>;

/** Those of Tombolo's own jobs. */
const reservedQueues: ReadonlySet<string> = new Set(['webhooks', 'workflows', 'departures']);

/** `ofWorkflows`, each of which is found to be right by itself, share queues with them. */
export function mustJobs(declared: readonly Job[], ofWorkflows: readonly Job[] = []): Jobs {
  const mistakes = new Mistakes('origin/jobs/all.ts');
  for (const job of declared) {
    const refuse = (key: string, detail: string) => mistakes.add(`job "${job.name}": ${key}`, detail);
    checkJob(job, refuse);
    checkQueue(job.queue, refuse);
  }
  for (const [name, same] of Map.groupBy(declared, (job) => job.name)) {
    if (same.length > 1) mistakes.add(`job "${name}"`, 'more than one has this name');
  }
  const all = [...declared, ...ofWorkflows];
  for (const [name, same] of Map.groupBy(all, ({ queue }) => queue?.name)) {
    for (const bound of ['concurrency', 'rate'] as const) {
      const bounds = new Set(same.map(({ queue }) => JSON.stringify(queue?.[bound] ?? 'none')));
      if (bounds.size > 1) mistakes.add(`queue "${name}"`, `has more than one ${bound}: ${[...bounds].join(', ')}`);
    }
    if (new Set(same.map(({ queue }) => queue?.share)).size > 1) mistakes.add(`queue "${name}"`, 'has more than one share');
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
  return new Map(all.map((job) => [job.name, job]));
}

export function mustSchedules(schedules: readonly Schedule[], declared: Jobs): void {
  const mistakes = new Mistakes('origin/jobs/all.ts');
  for (const { name, job, missed, ...times } of schedules) {
    const refuse = (key: string, detail: string) => mistakes.add(`schedule "${name}": ${key}`, detail);
    if (typeof name !== 'string' || !isActionName(name)) refuse('name', 'must be lower-case letters, digits and hyphens');
    if (schedules.filter((each) => each.name === name).length > 1) refuse('name', 'more than one has this name');
    if (declared.get(job?.name) !== job) refuse('job', `"${job?.name}" is not among the jobs`);
    if (missed !== 'once' && missed !== 'skip') refuse('missed', 'must be "once" or "skip"');
    try {
      if (momentsOf(times).next(Date.now()) === undefined) refuse('pattern', `"${times.pattern}" never comes`);
    } catch (cause) {
      refuse('pattern', messageOf(cause));
    }
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
}

/** The types of a declaration are not checked when it runs. */
export function checkJob({ name, payload, attempts, backoff, timeoutMs, fetches, computes, handler }: Job, refuse: Refuse): void {
  if (typeof name !== 'string' || !isActionName(name)) refuse('name', 'must be lower-case letters, digits and hyphens');
  if (typeof payload?.safeParse !== 'function') refuse('payload', 'must be a schema of zod');
  mustBeWhole(attempts, jobLimits.attemptsMax, 'attempts', refuse);
  mustBeWhole(timeoutMs, jobLimits.timeoutMsMax, 'timeoutMs', refuse);
  mustBeWhole(backoff?.firstMs, jobLimits.delayMsMax, 'backoff.firstMs', refuse);
  mustBeWhole(backoff?.maxMs, jobLimits.delayMsMax, 'backoff.maxMs', refuse);
  for (const host of fetches) if (!isHostName(host)) refuse('fetches', `"${host}" is no name of a host, as in "api.example.com"`);
  for (const { file } of computes) if (!existsSync(file)) refuse('computes', `there is no file ${file.href}`);
  if (typeof handler !== 'function') refuse('handler', 'must be a function');
}

export function checkQueue(queue: Queue, refuse: Refuse): void {
  if (!isActionName(queue?.name ?? '')) refuse('queue.name', 'must be lower-case letters, digits and hyphens');
  else if (reservedQueues.has(queue.name)) refuse('queue.name', `"${queue.name}" is a queue of Tombolo's own jobs`);
  if (queue?.ofLane !== undefined) refuse('queue.ofLane', 'is for queues of Tombolo\'s own jobs');
  mustBeWhole(queue?.concurrency, jobLimits.concurrencyMax, 'queue.concurrency', refuse);
  if (queue?.rate !== undefined) {
    mustBeWhole(queue.rate.attempts, jobLimits.rateAttemptsMax, 'queue.rate.attempts', refuse);
    mustBeWhole(queue.rate.perMs, jobLimits.ratePerMsMax, 'queue.rate.perMs', refuse, jobLimits.ratePerMsMin);
  }
  if (queue?.share !== undefined && typeof queue.share !== 'function') refuse('queue.share', 'must be a function of a tenant');
}

function mustBeWhole(value: number | undefined, max: number, key: string, refuse: Refuse, min = 1): void {
  if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) refuse(key, `must be a whole number from ${min} to ${max}`);
}
