/** What the jobs of a workflow are called, where they wait and what they are given: all that whoever enqueues them goes by. */
import * as z from 'zod';
import type { JobKind } from '../job-queue/job-kind.ts';
import type { Queue } from '../job-queue/job.ts';
import type { Step, Workflow } from './workflow.ts';

const queue: Queue = { name: 'workflows', concurrency: 20 };

const ofTurn = z.object({ workflow: z.string(), turn: z.int() });
const ofWhole = z.object({ workflow: z.string() });

export type OfTurn = typeof ofTurn;
export type OfWhole = typeof ofWhole;

/** Its queue as a whole, which a job that runs needs. */
interface QueuedKind<Payload extends z.ZodType> extends JobKind<Payload> {
  readonly queue: Queue;
}

/** No job of a team has such a name, with a space in it. */
const prefix = 'workflow ';

/** Whether a job of that name is a step's, or a timer: what becomes of it, its workflow decides. */
export function isOfWorkflow(name: string): boolean {
  return name.startsWith(prefix) && /[/ ]/.test(name.slice(prefix.length));
}

export function startKind<Input extends z.ZodType>(name: string, input: Input): QueuedKind<Input> {
  return { name: `${prefix}${name}`, payload: input, queue };
}

export function stepKind(of: Workflow, step: Step, isUndoing: boolean): QueuedKind<OfTurn> {
  const own = 'run' in step ? step.queue : undefined;
  return { name: `${prefix}${of.workflow}/${step.name}${isUndoing ? '/undo' : ''}`, payload: ofTurn, queue: own ?? queue };
}

export function timerKind(of: Workflow): QueuedKind<OfWhole> {
  return { name: `${prefix}${of.workflow} timer`, payload: ofWhole, queue };
}
