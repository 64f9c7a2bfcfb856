/**
 * A job as a write: put by itself, or in the transaction of the write that causes it, so that there is one exactly where that
 * write is committed.
 */
import type * as z from 'zod';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { instantAt } from '../../shared/wire/values.ts';
import type { FollowUp, PlainDecision } from '../store/store.ts';
import type { JobKind } from './job-kind.ts';
import { isEnded, jobIn } from './stored-job.ts';

export interface Enqueuing {
  /** Milliseconds of the epoch before which no attempt begins; at once unless said. */
  readonly runAt?: number;
  /** Of the jobs of a queue that are ready, those of the greatest are begun first; 0 unless said. */
  readonly priority?: number;
  /** Of unfinished jobs of this name there is one for each such text: while there is, nothing is enqueued. */
  readonly dedupe?: string;
}

/** Exported for hooks, endpoints and jobs, each of which has it as a method. */
export type Enqueue<Made> = <Payload extends z.ZodType>(job: JobKind<Payload>, payload: z.input<Payload>, how?: Enqueuing) => Made;

interface Causing {
  readonly principal: Pick<Principal, 'subject' | 'claims'>;
  readonly nowMs: number;
  readonly traceparent?: string | undefined;
}

export interface EnqueuedJob extends FollowUp {
  /** Whether its id follows from what it is; otherwise it is another each time. */
  readonly isNamed: boolean;
}

/** Throws an Error for what the job does not take: a mistake of the code that enqueues. */
export function enqueuing<Payload extends z.ZodType>(
  job: JobKind<Payload>, payload: z.input<Payload>, { runAt, priority = 0, dedupe }: Enqueuing, { principal, nowMs, traceparent }: Causing,
): EnqueuedJob {
  const text = mustPayload(job, payload);
  if (!Number.isInteger(priority) || Math.abs(priority) > jobLimits.priorityMax) throw mistaken(job, `priority ${priority}`);
  const isLater = runAt !== undefined && runAt > nowMs;
  if (runAt !== undefined && !(Math.abs(runAt - nowMs) <= jobLimits.delayMsMax)) throw mistaken(job, `runAt ${runAt}`);
  const { tenant } = principal.claims;
  const now = instantAt(nowMs);
  const document = {
    // What indexes are made of comes first: SQLite finds a member by passing over those before it.
    state: isLater ? 'delayed' : 'ready', queue: job.queue.name, priority, ...(tenant === undefined ? {} : { tenant: String(tenant) }),
    dueAt: isLater ? instantAt(runAt) : now, made: now,
    name: job.name, attempt: 0, owner: principal.subject ?? '', payload: text, ...(traceparent === undefined ? {} : { trace: traceparent }),
  };
  const made: PlainDecision = { kind: 'put', document };
  return {
    resource: jobs, isNamed: dedupe !== undefined, isFresh: dedupe === undefined,
    id: dedupe === undefined ? Bun.randomUUIDv7() : idOf(job, dedupe),
    decide: (found) => (found === undefined || isEnded(jobIn(found)) ? made : { kind: 'keep' }),
  };
}

function mustPayload(job: JobKind, payload: unknown): string {
  const text = JSON.stringify(payload) ?? 'null';
  const bytes = Buffer.byteLength(text);
  if (bytes > jobLimits.payloadBytesMax) throw mistaken(job, `a payload of ${bytes} bytes; ${jobLimits.payloadBytesMax} are the most`);
  const { error } = job.payload.safeParse(JSON.parse(text));
  const [issue] = error?.issues ?? [];
  if (issue !== undefined) throw mistaken(job, `its payload at /${issue.path.join('/')}: ${issue.message}`);
  return text;
}

/** One id for each text of a name, a UUID of an own making (RFC 9562 §5.8). */
function idOf(job: JobKind, dedupe: string): string {
  if (dedupe === '' || dedupe.length > jobLimits.dedupeCharactersMax) throw mistaken(job, `dedupe of ${dedupe.length} characters`);
  const hex = new Bun.CryptoHasher('sha256').update(JSON.stringify([job.name, dedupe])).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join('-');
}

function mistaken({ name }: JobKind, detail: string): Error {
  return new Error(`job "${name}" is not enqueued: ${detail}`);
}
