/** The operations of `shared/workflows`, by the names of their rows. */
import { newWorkflowIn, signalIn, type workflowOperations as rows } from '../../shared/workflows/operations.ts';
import type { WorkflowsAccess } from '../access/workflows-access.ts';
import type { Call } from '../call.ts';

export const workflowHandlers = {
  startWorkflow: (access: WorkflowsAccess, { body }: Call<typeof rows.startWorkflow>) => access.start(newWorkflowIn(body.value)),
  listWorkflows: (access: WorkflowsAccess, { input }: Call<typeof rows.listWorkflows>) => access.list(input),
  getWorkflow: (access: WorkflowsAccess) => access.get(),
  cancelWorkflow: (access: WorkflowsAccess) => access.cancel(),
  retryWorkflow: (access: WorkflowsAccess) => access.retry(),
  signalWorkflow: (access: WorkflowsAccess, { body }: Call<typeof rows.signalWorkflow>) => access.signal(signalIn(body.value)),
} as const;
