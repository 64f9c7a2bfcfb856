/** What the handler of an operation on jobs is given: jobs as its caller may see them, and their end or another beginning. */
import { toIdKey } from '../../shared/contract/ids.ts';
import type { JobsPage } from '../../shared/jobs/operations.ts';
import { jobs, type StoredJob } from '../../shared/jobs/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { instantAt, toSortValue } from '../../shared/wire/values.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { OriginContext } from '../origin-context.ts';
import { absentAt, conditional, readOptions } from '../documents/representation.ts';
import { writeRecorded } from '../documents/write-one.ts';
import { queueOf, toEnded } from '../job-queue/job-writes.ts';
import { isEnded, jobIn, putting, toDeadJob, toShownJob } from '../job-queue/stored-job.ts';
import { retriedWith } from '../webhooks/lost-jobs.ts';
import { isOfWorkflow } from '../workflow-engine/step-kinds.ts';
import type { Decision, ListRequest, Mutation, Outcome, Reach } from '../store/store.ts';
import { isSeenBy, mustBeThere, refusing } from './own-writes.ts';
import { seenBy } from './seen-by.ts';

export class JobsAccess {
  readonly #context: OriginContext;
  readonly #call: Asked;

  constructor(context: OriginContext, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  async get(): Promise<StateAnswer> {
    const { id } = this.#call;
    const { value: found, position } = await this.#context.store.get(jobs, id, readOptions(this.#call));
    if (!isSeenBy(found, this.#call.principal)) return absentAt(position);
    return conditional(this.#call, [JSON.stringify(toShownJob(id, jobIn(found)))], { readAt: position });
  }

  async listDead({ limit, after }: JobsPage): Promise<StateAnswer> {
    const request = this.#toRequest(limit + 1, after);
    const { value: rows, position } = await this.#context.store.list(jobs, request, readOptions(this.#call));
    const page = rows.slice(0, limit).map(({ document }) => ({ id: document.id, job: jobIn(document) }));
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? `${last.job.dueAt}_${last.id}` : null;
    const data = page.map(({ id, job }) => toDeadJob(id, job));
    return conditional(this.#call, [JSON.stringify({ data, page: { limit, next } })], { readAt: position });
  }

  /** One that has ended stays as it is. */
  async cancel(): Promise<Answer> {
    const decide = (job: StoredJob): Decision => {
      if (job.state === 'cancelled') return { kind: 'keep' };
      if (isEnded(job)) throw new Fault('document_conflict', { detail: `the job is ${job.state}` });
      return putting(toEnded(job, 'cancelled', this.#context.now()));
    };
    return this.#write(decide, () => ({ outcome: 'removed' }));
  }

  async retry(): Promise<Answer> {
    const { id } = this.#call;
    const decide = (job: StoredJob, reach: Reach): Decision => {
      if (job.state !== 'dead') throw new Fault('document_conflict', { detail: `the job is ${job.state}` });
      const queue = queueOf(job, this.#context.jobs.get(job.name));
      const nowMs = this.#context.now();
      const ready = putting({ ...job, state: 'ready', queue, attempt: 0, dueAt: instantAt(nowMs), ended: undefined });
      return { ...ready, also: retriedWith(job, reach, nowMs) };
    };
    return this.#write(decide, (job) => ({
      outcome: 'written', mediaType: 'application/json', body: JSON.stringify(toShownJob(id, job)),
    }));
  }

  async #write(decide: (job: StoredJob, reach: Reach) => Decision, toAnswer: (job: StoredJob) => Answer): Promise<Answer> {
    const mutation: Mutation = {
      resource: jobs, id: this.#call.id,
      decide: (found, reach) => refusing(() => {
        if (!isSeenBy(found, this.#call.principal)) throw new Fault('document_not_found');
        const job = jobIn(found);
        if (isOfWorkflow(job.name)) throw new Fault('document_conflict', { detail: 'the job is of a workflow: cancel or retry that' });
        return decide(job, reach);
      }),
    };
    const told = ([outcome]: readonly Outcome[]) => toAnswer(jobIn(mustBeThere(outcome)));
    return (await writeRecorded(this.#context.store, this.#call, { mutations: [mutation], atomic: false, toAnswer: told })).answer;
  }

  #toRequest(limit: number, after: JobsPage['after']): ListRequest {
    const seen = seenBy(this.#call.principal);
    if (seen !== true && seen.field !== 'tenant') throw new Error('dead jobs are listed for admins');
    const from = after === undefined ? undefined : [toSortValue(after.dueAt, 'instant'), toIdKey(jobs, after.id)];
    return {
      equal: { state: ['dead'], ...(seen === true ? {} : { tenant: [seen.value] }) }, range: undefined, where: true, after: from, limit,
      sort: [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }],
    };
  }
}
