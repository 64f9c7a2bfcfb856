/**
 * Workflows: several steps of a team, one after the other, each done once, and undone, the last first, where one of them fails
 * for good (SEMANTICS §21). Each is a file of `origin/workflows`, which declares it by `workflow()`.
 *
 * Each step is a job. What its handler gives back to be written, its result and the workflow's next state are one commit, fenced
 * by the attempt's claim, so a step has its effect on documents once. What it does beside, by `fetch` or `mail`, may happen
 * again in the next attempt: send `given.key` along.
 *
 * A workflow is a job to whoever enqueues it: `enqueue(order, input)` begins it with the write that causes it, under the job's id.
 */
import type * as z from 'zod';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Rule } from '../../shared/contract/rules.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Change } from '../access/documents-changed.ts';
import type { JobCall } from '../job-queue/job-call.ts';
import type { Backoff, Job, Queue } from '../job-queue/job.ts';
import type { PlannedStep } from './advance.ts';
import { jobsOf, startJob } from './step-jobs.ts';

/** What a step acts by: all that a job's call has, but for writes beside its one commit. */
export type StepCall = Omit<JobCall, 'payload' | 'stored' | 'find' | 'write' | 'atEnd' | 'end'>;

/** What a step goes by. */
export interface Given<Input> {
  /** The workflow's. */
  readonly id: string;
  /** The subject whose request caused it; empty: the system. */
  readonly owner: string;
  readonly input: Input;
  /** Names this step of this workflow, the same in all attempts and in its undoing: others know by it what they were asked before. */
  readonly key: string;
  /** What an earlier step gave, or a signal brought; throws where it is not what the schema says. */
  result<Schema extends z.ZodType>(step: string, schema: Schema): z.output<Schema>;
}

export interface Undone<Input> extends Given<Input> {
  /** Whether the step's writes were committed; otherwise it failed, and may have acted outside. */
  readonly isDone: boolean;
}

/** What is committed with the end of a step. */
export interface Done {
  /** All of them or, where one is refused, none; then the step has failed. */
  readonly writes?: readonly Change[];
  readonly result?: Json;
}

type Acting<Input> = (call: StepCall, given: Input) => Promise<Done>;

interface Named {
  /** Lower-case words with hyphens, in no other step. */
  readonly name: string;
}

/**
 * A step that does something. A Fault below 500 is a refusal: the step has failed for good; whatever else it throws fails the
 * attempt. A Fault's detail is told to the owner.
 */
export interface RunStep<Input> extends Named {
  readonly run: Acting<Given<Input>>;
  /** Takes back what the step did, if it did; without it there is nothing to take back. Where it fails for good, the workflow is stuck. */
  readonly undo?: Acting<Undone<Input>>;
  /** In all, of `run`; 10 unless said. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** The time of an attempt; 30 s unless said. */
  readonly timeoutMs?: number;
  readonly fetches?: readonly string[];
  readonly queue?: Queue;
  /** Where it fails for good the workflow is stuck there, for an admin to retry, or for its owner to cancel. */
  readonly holds?: true;
}

/** A wait for a document to be as `where` says. What it is already counts. */
export interface DocumentStep<Input> extends Named {
  readonly of: Resource;
  /** Pure. */
  readonly id: (given: Given<Input>) => string;
  readonly where: Rule;
  /** After so many milliseconds it has failed. */
  readonly withinMs: number;
}

/** A wait for the workflow's owner, who brings something of this schema: the step's result. */
export interface SignalStep extends Named {
  readonly signal: z.ZodType;
  readonly withinMs: number;
}

/** A wait for a time, in milliseconds of the epoch; a year ahead at most. */
export interface TimeStep<Input> extends Named {
  /** Pure. `nowMs`: when the wait begins. */
  readonly until: (given: Given<Input>, nowMs: number) => number;
}

export type Step<Input = unknown> = RunStep<Input> | DocumentStep<Input> | SignalStep | TimeStep<Input>;

interface WorkflowDeclaration<Input extends z.ZodType> {
  /** Lower-case words with hyphens: the file `origin/workflows/<name>.ts`. Stored workflows are found by it. */
  readonly name: string;
  /** What it begins with, as JSON. Stored workflows of an earlier release must fit as well, by name and order of their steps too. */
  readonly input: Input;
  readonly steps: readonly Step<z.output<Input>>[];
  /** After so many milliseconds what was done is undone; 7 days unless said. */
  readonly withinMs?: number;
  /** Who may begin it by `POST /workflows`; nobody unless said. It speaks of the caller alone. */
  readonly start?: Rule;
}

/** A workflow whatever its input. */
export interface Workflow<Input extends z.ZodType = z.ZodType> extends Job<Input> {
  /** As it is declared; the job that begins it has a name of its own. */
  readonly workflow: string;
  readonly steps: readonly Step[];
  readonly plan: readonly PlannedStep[];
  readonly withinMs: number;
  readonly start: Rule | undefined;
}

const usualWithinMs = 604_800_000;

/** Exported for the files of `origin/workflows`. */
export function workflow<Input extends z.ZodType>(declared: WorkflowDeclaration<Input>): Workflow<Input> {
  const { name, input, withinMs = usualWithinMs, start } = declared;
  const steps = asAnySteps(declared.steps);
  const plan = steps.map((step): PlannedStep => ({
    name: step.name, kind: 'run' in step ? 'run' : 'wait',
    isUndoable: 'undo' in step && step.undo !== undefined, holds: 'holds' in step && step.holds === true,
  }));
  const made: Workflow<Input> = { ...startJob(name, input, () => made), workflow: name, steps, plan, withinMs, start };
  return made;
}

/** All jobs by which it goes on. */
export function jobsOfWorkflow(made: Workflow): readonly Job[] {
  return [made, ...jobsOf(made)];
}

/** Whoever runs a step gives it an input that its workflow's own schema made. */
function asAnySteps<Input>(steps: readonly Step<Input>[]): readonly Step[] {
  return steps as unknown as readonly Step[];
}
