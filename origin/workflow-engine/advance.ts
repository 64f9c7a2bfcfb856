/**
 * What a workflow is after something happened: pure, and all that decides about it (SEMANTICS §21). Steps run one after the
 * other. When one fails for good, those that began are undone, the last first: the one that failed too, since what it did
 * beside its write is not known.
 */
import type { StoredWorkflow, WorkflowState } from '../../shared/workflows/resource.ts';

/** Of a step, what the way of a workflow depends on. */
export interface PlannedStep {
  readonly name: string;
  readonly kind: 'run' | 'wait';
  readonly isUndoable: boolean;
  /** Where it fails for good the workflow is stuck there, and nothing is undone unless that is asked for. */
  readonly holds: boolean;
}

export type Begun = StoredWorkflow['steps'][number];
export type UndoReason = NonNullable<StoredWorkflow['why']>;

export interface Course {
  readonly state: WorkflowState;
  readonly steps: readonly Begun[];
  readonly why?: UndoReason | undefined;
  /** The step that it goes on with once it is undone; `undefined`: with none. */
  readonly from?: string | undefined;
  readonly round: number;
}

export type Outcome =
  /** What is in hand is done, or undone. */
  | { readonly kind: 'done'; readonly result?: string | undefined }
  /** It has failed for good. */
  | { readonly kind: 'failed' }
  /** The whole is not wanted any more. */
  | { readonly kind: 'cancelled' | 'late' }
  /** `from`: a step that it has come to; without it, where it is stuck, or from its beginning. */
  | { readonly kind: 'retried'; readonly from?: string | undefined };

export function begin(plan: readonly PlannedStep[], round = 1): Course {
  return next(plan, { state: 'running', steps: [], round });
}

/** `undefined`: as it is, that cannot happen to it. */
export function advance(plan: readonly PlannedStep[], course: Course, outcome: Outcome): Course | undefined {
  if (outcome.kind === 'retried' && outcome.from !== undefined) return retryFrom(plan, course, outcome.from);
  switch (course.state) {
    case 'running':
    case 'waiting':
      return goOn(plan, course, outcome);
    case 'undoing':
      if (outcome.kind === 'done') return undo(plan, withLast(course, { state: 'undone' }));
      if (outcome.kind === 'cancelled' && course.from !== undefined) return { ...course, why: 'cancelled', from: undefined };
      return outcome.kind === 'failed' ? { ...withLast(course, { state: 'stuck' }), state: 'stuck' } : undefined;
    case 'stuck':
      return leave(plan, course, outcome);
    case 'undone':
      return outcome.kind === 'retried' ? begin(plan, course.round + 1) : undefined;
    case 'done':
      return undefined;
  }
}

/** The step in hand: the last one that is not over. */
export function inHand({ steps }: Pick<Course, 'steps'>): Begun | undefined {
  return steps.findLast(({ state }) => state === 'running' || state === 'waiting' || state === 'undoing' || state === 'stuck');
}

export function isOpen({ state }: Pick<Course, 'state'>): boolean {
  return state !== 'done' && state !== 'undone';
}

function goOn(plan: readonly PlannedStep[], course: Course, outcome: Outcome): Course | undefined {
  switch (outcome.kind) {
    case 'done':
      return next(plan, withLast(course, {
        state: 'done', isDone: true, ...(outcome.result === undefined ? {} : { result: outcome.result }),
      }));
    case 'failed':
      if (planned(plan, inHand(course)?.name).holds) return { ...withLast(course, { state: 'stuck' }), state: 'stuck' };
      return undo(plan, { ...withLast(course, { state: 'failed' }), why: 'failed' });
    case 'cancelled':
    case 'late':
      return undo(plan, { ...withLast(course, { state: 'failed' }), why: outcome.kind });
    case 'retried':
      return undefined;
  }
}

/** A step that holds goes on or is given up; an undoing goes on alone. */
function leave(plan: readonly PlannedStep[], course: Course, { kind }: Outcome): Course | undefined {
  const isUndoing = course.why !== undefined;
  if (kind === 'retried') {
    return isUndoing ? { ...withLast(course, { state: 'undoing' }), state: 'undoing' } : again(plan, course);
  }
  return kind === 'cancelled' && !isUndoing ? undo(plan, { ...withLast(course, { state: 'failed' }), why: 'cancelled' }) : undefined;
}

/** Where a step before it was given up, what it goes by is not there any more. */
function retryFrom(plan: readonly PlannedStep[], course: Course, from: string): Course | undefined {
  const at = course.steps.findIndex(({ name }) => name === from);
  const isThere = at >= 0 && course.steps.slice(0, at).every(({ state }) => state === 'done');
  if (!isThere || course.state === 'undoing') return undefined;
  const given = course.why === undefined ? withLast(course, { state: 'failed' }) : course;
  return undo(plan, { ...given, why: 'retried', from });
}

function again(plan: readonly PlannedStep[], course: Course): Course {
  const state = stateOf(planned(plan, inHand(course)?.name));
  return { ...withLast(course, { state }), state };
}

function next(plan: readonly PlannedStep[], course: Course): Course {
  const step = plan[course.steps.length];
  if (step === undefined) return { ...course, state: 'done' };
  const state = stateOf(step);
  return { ...course, state, steps: [...course.steps, { name: step.name, state }] };
}

function undo(plan: readonly PlannedStep[], course: Course): Course {
  const { steps, from, round } = course;
  const first = from === undefined ? 0 : steps.findIndex(({ name }) => name === from);
  const at = steps.findLastIndex(({ name, state }, index) => index >= first && state !== 'undone' && planned(plan, name).isUndoable);
  if (at < 0 && from === undefined) return { ...course, state: 'undone' };
  // What stays was done in the round that is over now, and is undone under the key that it was done under.
  if (at < 0) return next(plan, { state: 'running', round: round + 1, steps: steps.slice(0, first).map((step) => ({ round, ...step })) });
  return { ...course, state: 'undoing', steps: course.steps.map((step, index) => (index === at ? { ...step, state: 'undoing' } : step)) };
}

function withLast(course: Course, change: Partial<Begun>): Course {
  const step = inHand(course);
  return { ...course, steps: course.steps.map((each) => (each === step ? { ...each, ...change } : each)) };
}

function stateOf({ kind }: PlannedStep): 'running' | 'waiting' {
  return kind === 'run' ? 'running' : 'waiting';
}

/** A release that does not know the step leaves the workflow to one that does. */
function planned(plan: readonly PlannedStep[], name: string | undefined): PlannedStep {
  const found = plan.find((step) => step.name === name);
  if (found === undefined) throw new Error(`a workflow is at step "${name}", which is not declared`);
  return found;
}
