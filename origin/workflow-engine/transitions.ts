/**
 * What becomes of stored workflows, as writes that are decided on the workflow as it is there: its next state, the job of what is
 * then in hand, and its timer, in one commit. A turn is the fence: whatever an earlier one leads to is refused.
 */
import { toCanonicalId } from '../../shared/contract/ids.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { type StoredWorkflow, workflows } from '../../shared/workflows/resource.ts';
import { workflowLimits } from '../../shared/workflows/limits.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { instantAt } from '../../shared/wire/values.ts';
import { enqueuing } from '../job-queue/enqueue.ts';
import { toEnded, toWords } from '../job-queue/job-writes.ts';
import { isEnded, jobIn, putting } from '../job-queue/stored-job.ts';
import type { Decision, FollowUp, Mutation } from '../store/store.ts';
import { advance, begin, type Course, inHand, isOpen, type Outcome } from './advance.ts';
import { stepKind, timerKind } from './step-kinds.ts';
import { documentOf, givenOf, workflowIn } from './stored-workflow.ts';
import type { Step, Workflow } from './workflow.ts';

/** The workflow is in another turn by now. */
export const moved = new Fault('document_conflict', { detail: 'the workflow went on meanwhile' });

export interface Causing extends Pick<StoredWorkflow, 'owner' | 'input' | 'tenant' | 'trace'> {
  readonly nowMs: number;
}

/** One that is there and has not ended stays as it is. */
export function beginning(of: Workflow, id: string, { nowMs, ...causing }: Causing): Mutation {
  const fresh = { ...causing, name: of.workflow, state: 'running' as const, steps: [], round: 0, made: instantAt(nowMs) };
  return {
    resource: workflows, id,
    decide: (found) => {
      const there = found === undefined ? undefined : workflowIn(found);
      if (there !== undefined && isOpen(there)) return { kind: 'keep' };
      // The turns go on, since ids of jobs are made of them, and the rounds, since keys of steps are.
      const before = { ...fresh, turn: there?.turn ?? 0, ...(there?.timer === undefined ? {} : { timer: there.timer }) };
      return following(of, id, before, begin(of.plan, (there?.round ?? 0) + 1), { nowMs });
    },
  };
}

/** For whoever operates this, and for the owner. */
export type Failure = Pick<StoredWorkflow, 'error' | 'told'>;

export interface Advancing {
  readonly id: string;
  readonly turn: number;
  readonly outcome: Outcome;
  readonly nowMs: number;
  /** Why it failed, where it has. */
  readonly failure?: Failure;
  /** The job that writes this, and ends with it. */
  readonly by?: string;
}

/** `otherwise` is decided where the workflow is in another turn, or nothing of the kind can happen to it: a refusal unless said. */
export function advancing(of: Workflow, { id, turn, ...happened }: Advancing, otherwise: Decision = refusing(moved)): Mutation {
  return {
    resource: workflows, id,
    decide: (found) => {
      const before = found === undefined ? undefined : workflowIn(found);
      return before?.turn === turn ? decided(of, id, before, happened) ?? otherwise : otherwise;
    },
  };
}

type Happened = Omit<Advancing, 'id' | 'turn'>;

/** `undefined`: as the workflow is, that cannot happen to it. */
export function decided(of: Workflow, id: string, before: StoredWorkflow, { outcome, ...happened }: Happened): Decision | undefined {
  const course = advance(of.plan, before, outcome);
  return course === undefined ? undefined : following(of, id, before, course, happened);
}

/** Removes what was kept for its time after its end. */
export function forgetting(id: string, timer: string): Mutation {
  return {
    resource: workflows, id,
    decide: (found) => {
      const there = found === undefined ? undefined : workflowIn(found);
      return there !== undefined && !isOpen(there) && there.timer === timer ? { kind: 'remove' } : { kind: 'keep' };
    },
  };
}

function following(of: Workflow, id: string, before: StoredWorkflow, course: Course, happened: Omit<Happened, 'outcome'>): Decision {
  const { nowMs, failure, by } = happened;
  const turn = before.turn + 1;
  const after: StoredWorkflow = { ...before, state: course.state, steps: course.steps, round: course.round, turn };
  const step = of.steps.find(({ name }) => name === inHand(course)?.name);
  const next = step === undefined ? {} : nextOf(of, id, after, step, nowMs);
  if ('failure' in next) return following(of, id, before, mustFail(of, course), { ...happened, failure: next.failure });
  const { job, waitsFor } = next;
  const timing = timingOf(before, course);
  const timer = timing === 'new' ? newTimer(of, id, after, nowMs) : undefined;
  const given = [before.job, timing === 'same' ? undefined : before.timer].filter((each) => each !== undefined && each !== by);
  return {
    kind: 'put',
    document: documentOf({
      ...after, job: job?.id, timer: timing === 'same' ? before.timer : timer?.id,
      waitsFor,
      error: course.why === undefined && course.state !== 'stuck' ? undefined : failure?.error ?? before.error,
      told: course.why === undefined && course.state !== 'stuck' ? undefined : failure?.told ?? before.told,
      why: course.why, from: course.from, ended: isOpen(course) ? undefined : instantAt(nowMs),
    }),
    also: [
      ...given.map((each) => cancelling(String(each), nowMs)),
      ...[job, timer].filter((each) => each !== undefined),
    ],
  };
}

interface Next {
  /** `undefined`: nothing is in hand that goes on by itself. */
  readonly job?: FollowUp | undefined;
  readonly waitsFor?: string | undefined;
}

/** What a wait is for is the team's to say; where that throws, the wait has failed, and not whatever came before it. */
function nextOf(of: Workflow, id: string, after: StoredWorkflow, step: Step, nowMs: number): Next | { readonly failure: Failure } {
  if (after.state !== 'waiting') return { job: after.state === 'stuck' ? undefined : jobInHand(of, id, after, step, nowMs) };
  try {
    return { job: jobInHand(of, id, after, step, nowMs), waitsFor: placeOf(of, id, after, step) };
  } catch (cause) {
    return { failure: toWords(cause) };
  }
}

function mustFail(of: Workflow, course: Course): Course {
  const failed = advance(of.plan, course, { kind: 'failed' });
  if (failed === undefined) throw new Error(`workflow "${of.workflow}" cannot fail where it is ${course.state}`);
  return failed;
}

/** While it goes on the timer ends the whole; once it has ended, it is forgotten by one. What is undone, or stuck, has none. */
function timingOf(before: StoredWorkflow, after: Course): 'same' | 'new' | 'none' {
  const goesOn = (state: Course['state']) => state === 'running' || state === 'waiting';
  const isSame = before.round === after.round && before.timer !== undefined && goesOn(before.state);
  if (goesOn(after.state)) return isSame ? 'same' : 'new';
  return isOpen(after) ? 'none' : 'new';
}

function newTimer(of: Workflow, id: string, after: StoredWorkflow, nowMs: number): FollowUp {
  const runAt = nowMs + (isOpen(after) ? of.withinMs : workflowLimits.keptMs);
  return enqueuing(timerKind(of), { workflow: id }, { runAt, dedupe: `${id} ${after.turn}` }, toCausing(after, nowMs));
}

function jobInHand(of: Workflow, id: string, after: StoredWorkflow, step: Step, nowMs: number): FollowUp {
  const runAt = after.state === 'waiting' ? endOfWait(of, id, after, step, nowMs) : nowMs;
  const payload = { workflow: id, turn: after.turn };
  const how = { runAt, dedupe: `${id} ${after.turn}` };
  return enqueuing(stepKind(of, step, after.state === 'undoing'), payload, how, toCausing(after, nowMs));
}

function endOfWait(of: Workflow, id: string, after: StoredWorkflow, step: Step, nowMs: number): number {
  if ('withinMs' in step) return nowMs + step.withinMs;
  if ('until' in step) return Math.max(nowMs, Math.min(step.until(givenOf(of, id, after, step.name), nowMs), nowMs + jobLimits.delayMsMax));
  throw new Error(`step "${step.name}" of workflow "${of.workflow}" waits for nothing`);
}

/** Of a document that is waited for, as it stands in `waitsFor`. */
function placeOf(of: Workflow, id: string, after: StoredWorkflow, step: Step): string | undefined {
  return 'of' in step ? `${step.of.name}/${toCanonicalId(step.of, step.id(givenOf(of, id, after, step.name)))}` : undefined;
}

function toCausing({ owner, tenant, trace }: StoredWorkflow, nowMs: number) {
  const claims = tenant === undefined ? {} : { tenant };
  return { principal: { ...(owner === '' ? {} : { subject: owner }), claims }, nowMs, traceparent: trace };
}

/** What an attempt at the job would still write is refused. */
export function cancelling(id: string, nowMs: number): FollowUp {
  return {
    resource: jobs, id,
    decide: (found) => {
      const job = found === undefined ? undefined : jobIn(found);
      return job === undefined || isEnded(job) ? { kind: 'keep' } : putting(toEnded(job, 'cancelled', nowMs));
    },
  };
}

function refusing(fault: Fault): Decision {
  return { kind: 'refuse', fault };
}
