/**
 * The jobs by which a workflow goes on: one that begins it, one for each step and each undoing, and its timer. Where a step's
 * attempts are used up, one more tells the workflow, so that such a job is never dead.
 */
import type * as z from 'zod';
import { workflows, type StoredWorkflow } from '../../shared/workflows/resource.ts';
import { workflowLimits } from '../../shared/workflows/limits.ts';
import { Fault, problemKindOf } from '../../shared/wire/fault.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { JobCall } from '../job-queue/job-call.ts';
import { lost, toWords } from '../job-queue/job-writes.ts';
import { job, type Job } from '../job-queue/job.ts';
import type { Change } from '../access/documents-changed.ts';
import { isOpen, type Outcome } from './advance.ts';
import { givenOf, workflowIn } from './stored-workflow.ts';
import { type OfTurn, type OfWhole, startKind, stepKind, timerKind } from './step-kinds.ts';
import { advancing, beginning, type Failure, forgetting, moved } from './transitions.ts';
import type { Done, Step, Workflow } from './workflow.ts';

/** Beside those of a step: to tell its workflow that they are used up takes as many as an outage of the database asks for. */
const spareAttempts = 1_000;
const usualAttempts = 10;
/** What is taken back is tried for longer: about two hours by the usual pauses. */
const undoAttempts = 20;
const backoff = { firstMs: 1_000, maxMs: 600_000 } as const;

export function startJob<Input extends z.ZodType>(name: string, input: Input, toWorkflow: () => Workflow<Input>): Job<Input> {
  return job({
    ...startKind(name, input),
    handler: async (call) => {
      const { owner, tenant, trace, payload } = call.stored;
      await call.end([], [beginning(toWorkflow(), call.id, { owner, tenant, trace, input: payload, nowMs: call.now() })]);
      return undefined;
    },
  });
}

export function jobsOf(of: Workflow): readonly Job[] {
  const undoable = of.steps.filter((step) => 'undo' in step && step.undo !== undefined);
  return [...of.steps.map((step) => stepJob(of, step, false)), ...undoable.map((step) => stepJob(of, step, true)), timerJob(of)];
}

export function stepJob(of: Workflow, step: Step, isUndoing: boolean): Job<OfTurn> {
  const own = 'run' in step ? step : undefined;
  const attempts = isUndoing ? undoAttempts : own?.attempts ?? usualAttempts;
  return job({
    ...stepKind(of, step, isUndoing),
    attempts: attempts + spareAttempts, backoff: own?.backoff ?? backoff, fetches: own?.fetches ?? [],
    ...(own?.timeoutMs === undefined ? {} : { timeoutMs: own.timeoutMs }),
    handler: async (call) => {
      const { workflow: id, turn } = call.payload;
      const stored = await find(call, id);
      if (stored?.turn !== turn) return undefined;
      await new Acting(of, step, { call, id, stored, isUndoing, attempts }).run();
      return undefined;
    },
  });
}

/** Ends the whole when its time is over, and forgets it some time after its end. */
function timerJob(of: Workflow): Job<OfWhole> {
  return job({
    ...timerKind(of), attempts: spareAttempts, backoff,
    handler: async (call) => {
      const { workflow: id } = call.payload;
      const stored = await find(call, id);
      if (stored === undefined || stored.timer !== call.id) return undefined;
      const happened = { id, turn: stored.turn, outcome: { kind: 'late' }, nowMs: call.now(), by: call.id } as const;
      await call.end([], [isOpen(stored) ? advancing(of, happened) : forgetting(id, call.id)]);
      return undefined;
    },
  });
}

async function find(call: Pick<JobCall, 'find'>, id: string): Promise<StoredWorkflow | undefined> {
  const found = await call.find(workflows, id);
  return found === undefined ? undefined : workflowIn(found);
}

interface Attempted {
  readonly call: JobCall<z.output<OfTurn>>;
  readonly id: string;
  readonly stored: StoredWorkflow;
  readonly isUndoing: boolean;
  readonly attempts: number;
}

/** One attempt at what is in hand. */
class Acting {
  readonly #of: Workflow;
  readonly #step: Step;
  readonly #attempted: Attempted;

  constructor(of: Workflow, step: Step, attempted: Attempted) {
    this.#of = of;
    this.#step = step;
    this.#attempted = attempted;
  }

  async run(): Promise<void> {
    const { call, attempts } = this.#attempted;
    if (call.attempt > attempts) {
      this.#say(new Error(call.stored.error ?? 'its attempts are used up'));
      return this.#end([], { kind: 'failed' }, failureOf(call.stored));
    }
    try {
      const { writes = [], result } = await this.#act();
      await this.#end(writes, { kind: 'done', result: toResult(result) });
    } catch (cause) {
      const isForGood = isRefusal(cause) || call.attempt >= attempts;
      if (call.signal.aborted || cause === lost || cause === moved || !isForGood) throw cause;
      this.#say(cause);
      await this.#end([], { kind: 'failed' }, toWords(cause));
    }
  }

  async #act(): Promise<Done> {
    const { call, id, stored, isUndoing } = this.#attempted;
    const step = this.#step;
    if ('until' in step) return {};
    if (!('run' in step)) throw new Fault('document_conflict', { detail: `what "${step.name}" waits for did not come in time` });
    const given = givenOf(this.#of, id, stored, step.name);
    return isUndoing ? await step.undo?.(call, given) ?? {} : step.run(call, given);
  }

  /** Somebody has to mend a workflow that is stuck; one that is undone mends itself. */
  #say(err: unknown): void {
    const { call, id, isUndoing } = this.#attempted;
    const isStuck = isUndoing || ('holds' in this.#step && this.#step.holds === true);
    const facts = { err, workflow: id, step: this.#step.name };
    if (isStuck) call.log.error(facts, 'a workflow is stuck: POST …/retry has it go on');
    else call.log.warn(facts, 'a step of a workflow failed for good');
  }

  #end(writes: readonly Change[], outcome: Outcome, failure: Failure = {}): Promise<void> {
    const { call, id, stored: { turn } } = this.#attempted;
    return call.end(writes, [advancing(this.#of, { id, turn, outcome, failure, nowMs: call.now(), by: call.id })]);
  }
}

/** Of the attempt before. */
function failureOf({ error, told }: Pick<JobCall['stored'], 'error' | 'told'>): Failure {
  return { ...(error === undefined ? {} : { error }), ...(told === undefined ? {} : { told }) };
}

/** What a caller would be told to mend; to wait and ask again is no refusal. */
function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof Fault)) return false;
  const { status } = problemKindOf(cause.reason);
  return status < 500 && status !== 408 && status !== 429;
}

function toResult(result: Json | undefined): string | undefined {
  const text = result === undefined ? undefined : JSON.stringify(result);
  const bytes = text === undefined ? 0 : Buffer.byteLength(text);
  if (bytes > workflowLimits.resultBytesMax) throw new Error(`a result of ${bytes} bytes; ${workflowLimits.resultBytesMax} are the most`);
  return text;
}
