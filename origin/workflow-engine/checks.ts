/** What is wrong with workflows: each by itself, and all of them together. With any, nothing starts. */
import type { Contract } from '../../shared/contract/contract.ts';
import { DeclarationError, Mistakes, type Refuse } from '../../shared/checks/mistakes.ts';
import { isActionName } from '../../shared/contract/reserved-names.ts';
import { workflowLimits } from '../../shared/workflows/limits.ts';
import { checkJob, checkQueue } from '../job-queue/checks.ts';
import { stepJob } from './step-jobs.ts';
import type { Workflows } from './stored-workflow.ts';
import type { Step, Workflow } from './workflow.ts';

export function mustWorkflows(declared: readonly Workflow[], { resources }: Contract): Workflows {
  const mistakes = new Mistakes('origin/workflows/all.ts');
  for (const each of declared) checkWorkflow(each, resources, (key, detail) => mistakes.add(`workflow "${each.workflow}": ${key}`, detail));
  for (const [name, same] of Map.groupBy(declared, ({ workflow }) => workflow)) {
    if (same.length > 1) mistakes.add(`workflow "${name}"`, 'more than one has this name');
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
  return new Map(declared.map((each) => [each.workflow, each]));
}

/** The types of a declaration are not checked when it runs. */
function checkWorkflow(of: Workflow, served: Contract['resources'], refuse: Refuse): void {
  const { workflow, payload, steps, withinMs } = of;
  if (!isStepName(workflow)) refuse('name', nameRule);
  if (typeof payload?.safeParse !== 'function') refuse('input', 'must be a schema of zod');
  if (steps.length < 1 || steps.length > workflowLimits.stepsMax) refuse('steps', `must be 1 to ${workflowLimits.stepsMax}`);
  mustBeTime(withinMs, 'withinMs', refuse);
  for (const [name, same] of Map.groupBy(steps, (step) => step.name)) if (same.length > 1) refuse(`step "${name}"`, 'stands there twice');
  for (const step of steps) checkStep(of, step, served, (key, detail) => refuse(`step "${step.name}": ${key}`, detail));
}

function checkStep(of: Workflow, step: Step, served: Contract['resources'], refuse: Refuse): void {
  if (!isStepName(step.name)) refuse('name', nameRule);
  const kinds = ['run', 'of', 'signal', 'until'].filter((key) => key in step);
  if (kinds.length !== 1) return refuse('run', 'a step has one of: run, of, signal, until');
  if ('withinMs' in step) mustBeTime(step.withinMs, 'withinMs', refuse);
  if ('of' in step && !served.has(step.of.name)) refuse('of', `"${step.of.name}" is not served`);
  if (!('run' in step)) return;
  if ('holds' in step && step.holds !== true) refuse('holds', 'is true, or not there');
  // Its job has a name of ours and attempts of ours beside its own.
  const { attempts = 1, queue } = step;
  checkJob({ ...stepJob(of, step, false), name: step.name, attempts }, refuse);
  if (queue !== undefined) checkQueue(queue, refuse);
}

const nameRule = `must be lower-case letters, digits and hyphens, ${workflowLimits.nameCharactersMax} at most`;

function isStepName(name: unknown): boolean {
  return typeof name === 'string' && isActionName(name) && name.length <= workflowLimits.nameCharactersMax;
}

function mustBeTime(ms: number, key: string, refuse: Refuse): void {
  if (!Number.isInteger(ms) || ms < 1 || ms > workflowLimits.withinMsMax) {
    refuse(key, `must be a whole number from 1 to ${workflowLimits.withinMsMax}`);
  }
}
