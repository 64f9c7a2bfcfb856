/** A job as it is stored, and what is shown of it. */
import { jobs, type StoredJob } from '../../shared/jobs/resource.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { FollowUp, PlainDecision } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

/** Code alone writes it, so a stored job is one. */
export function jobIn({ value: { id: _id, ...job } }: Pick<StoredDocument, 'value'>): StoredJob {
  return job as unknown as StoredJob;
}

/** Members that are `undefined` are not stored. */
export function putting(job: { readonly [Name in keyof StoredJob]: StoredJob[Name] | undefined }): Extract<PlainDecision, { kind: 'put' }> {
  const document: Record<string, Json> = {};
  for (const [name, value] of Object.entries(job)) if (value !== undefined) document[name] = value;
  return { kind: 'put', document };
}

/** Changes a job that is there; `undefined` leaves it as it is. */
export function changing(id: string, change: (job: StoredJob) => PlainDecision | undefined): FollowUp {
  return {
    resource: jobs, id,
    decide: (found) => (found === undefined ? undefined : change(jobIn(found))) ?? { kind: 'keep' },
  };
}

export function isEnded({ state }: Pick<StoredJob, 'state'>): boolean {
  return state === 'done' || state === 'dead' || state === 'cancelled';
}

/** To its owner. */
export function toShownJob(id: string, job: StoredJob): JsonObject {
  const { name, queue, state, attempt, progress, result, told, made, dueAt, ended } = job;
  return {
    id, name, queue, state, attempt, ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result: JSON.parse(result) as Json }), ...(told === undefined ? {} : { error: told }),
    createdAt: made, ...(state === 'delayed' ? { runAt: dueAt } : {}), ...(ended === undefined ? {} : { endedAt: ended }),
  };
}

/** To whoever operates this: what it was to do, and what went wrong. */
export function toDeadJob(id: string, job: StoredJob): JsonObject {
  const { owner, tenant, payload, error } = job;
  return {
    ...toShownJob(id, job), owner, ...(tenant === undefined ? {} : { tenant }), ...(error === undefined ? {} : { error }),
    payload: JSON.parse(payload) as Json,
  };
}

