/** Workflows of a few steps that write notes, as their owner and others ask for them at an origin in this process. */
import { expect } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../origin/execute.ts';
import { type Given, type RunStep, type Step, type StepCall, type Workflow, workflow } from '../../origin/workflow-engine/workflow.ts';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone, signedIn } from '../../shared/contract/rules.ts';
import { workflowOperations as rows } from '../../shared/workflows/operations.ts';
import { workflows } from '../../shared/workflows/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { DirectAsking, DirectAnswer, DirectOrigin } from './direct-origin.ts';
import { eventually } from './eventually.ts';

export const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone },
  schema: z.object({ text: z.string() }),
});
export const served = contract(notes);

/** Their owner. */
export const ada: Principal = { subject: 'ada', roles: [], claims: { tenant: 'odeon' } };
export const bob: Principal = { ...ada, subject: 'bob' };
export const olga: Principal = { ...ada, subject: 'olga', roles: ['admin'] };
export const otherAdmin: Principal = { subject: 'oda', roles: ['admin'], claims: { tenant: 'rex' } };

export const input = z.strictObject({ note: z.string() });
export type Input = z.output<typeof input>;
export const quick = { firstMs: 1, maxMs: 2 };
export function flow(steps: readonly Step<Input>[], given: { readonly withinMs?: number } = {}): Workflow<typeof input> {
  return workflow({ name: 'flow', input, steps, start: signedIn, ...given });
}

export function refuses(): never {
  throw new Fault('document_conflict', { detail: 'sold out' });
}

/** Writes a note of its name when it is done, and takes it out when it is undone. */
export const noting = (name: string, run: (call: StepCall, given: Given<Input>) => unknown = () => undefined): RunStep<Input> => ({
  name, backoff: quick, attempts: 3,
  run: async (call, given) => {
    await run(call, given);
    return { writes: [call.create(notes, { id: name, text: given.input.note })], result: { by: name } };
  },
  undo: async (call, { isDone }) => ({ writes: isDone ? [call.remove(notes, name)] : [] }),
});

export function ask(origin: DirectOrigin, name: keyof typeof rows, asking: DirectAsking): Promise<DirectAnswer> {
  return origin.askBy(rows[name], execute, workflows, { principal: ada, ...asking });
}

export async function start(origin: DirectOrigin, note = 'n'): Promise<string> {
  const { json, outcome } = await ask(origin, 'startWorkflow', { body: { workflow: 'flow', input: { note } } });
  expect(outcome).toBe('created');
  return String(json['id']);
}

export async function shown(origin: DirectOrigin, id: string, principal = ada): Promise<JsonObject> {
  return (await ask(origin, 'getWorkflow', { id, principal })).json;
}

export async function until(origin: DirectOrigin, id: string, state: string): Promise<JsonObject> {
  return eventually(`workflow ${id} is ${state}`, async () => {
    const found = await shown(origin, id);
    return found['state'] === state && found;
  }, { msMax: 60_000, everyMs: 40 });
}

/** Which of the notes are there. */
export function noted(origin: DirectOrigin, ...names: string[]): Promise<readonly boolean[]> {
  return Promise.all(names.map(async (name) => (await origin.stored(notes, name)) !== undefined));
}

export function states({ steps }: JsonObject): readonly string[] {
  return (steps as readonly JsonObject[]).map(({ name, state }) => `${String(name)} ${String(state)}`);
}
