/** A workflow as it is stored, what its steps are given of it, and what is shown of it. */
import type * as z from 'zod';
import type { StoredWorkflow } from '../../shared/workflows/resource.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { Undone, Workflow } from './workflow.ts';

/** By their names. */
export type Workflows = ReadonlyMap<string, Workflow>;

/** Code alone writes it, so a stored workflow is one. */
export function workflowIn({ value: { id: _id, ...workflow } }: Pick<StoredDocument, 'value'>): StoredWorkflow {
  return workflow as unknown as StoredWorkflow;
}

/** Members that are `undefined` are not stored. */
export function documentOf(workflow: { readonly [Name in keyof StoredWorkflow]: StoredWorkflow[Name] | undefined }): JsonObject {
  return JSON.parse(JSON.stringify(workflow)) as JsonObject;
}

/** What the step of that name is given. */
export function givenOf(of: Workflow, id: string, stored: StoredWorkflow, step: string): Undone<unknown> {
  const { input, owner, steps } = stored;
  const { isDone = false, round = stored.round } = steps.find(({ name }) => name === step) ?? {};
  return {
    id, owner, input: of.payload.parse(JSON.parse(input)), key: `${id}-${round}-${step}`, isDone,
    result: <Schema extends z.ZodType>(name: string, schema: Schema) => {
      const found = steps.find((each) => each.name === name);
      return schema.parse(found?.result === undefined ? undefined : JSON.parse(found.result));
    },
  };
}

/** To its owner; admins are told the whole error. */
export function toShownWorkflow(id: string, workflow: StoredWorkflow, isToAdmin: boolean): JsonObject {
  const { name, state, steps, why, from, error, told, owner, tenant, round, made, ended } = workflow;
  const shownError = isToAdmin ? error : told;
  return {
    id, workflow: name, state,
    steps: steps.map(({ name: step, state: at, result }) => ({
      name: step, state: at, ...(result === undefined ? {} : { result: JSON.parse(result) as Json }),
    })),
    ...(why === undefined ? {} : { why }), ...(from === undefined ? {} : { from }),
    ...(shownError === undefined ? {} : { error: shownError }),
    owner, ...(tenant === undefined ? {} : { tenant }), round, createdAt: made, ...(ended === undefined ? {} : { endedAt: ended }),
  };
}

