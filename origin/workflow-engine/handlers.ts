/** The operations of `shared/workflows`, by the names of their rows. */
import { newWorkflowIn, signalIn, type workflowOperations as rows } from '../../shared/workflows/operations.ts';
import type { WorkflowsAccess } from '../access/workflows-access.ts';
import type { Call } from '../call.ts';

export const workflowHandlers = {
  startWorkflow: (access: WorkflowsAccess, { body }: Call<typeof rows.startWorkflow>) => access.start(newWorkflowIn(body.value)),
  listWorkflows: (access: WorkflowsAccess, { input }: Call<typeof rows.listWorkflows>) => access.list(input),
  getWorkflow: (access: WorkflowsAccess) => access.get(),
  cancelWorkflow: (access: WorkflowsAccess) => access.cancel(),
  retryWorkflow: (access: WorkflowsAccess, { input }: Call<typeof rows.retryWorkflow>) => access.retry(input),
  followWorkflow: (access: WorkflowsAccess, { input }: Call<typeof rows.followWorkflow>) => access.follow(input),
  signalWorkflow: (access: WorkflowsAccess, { body }: Call<typeof rows.signalWorkflow>) => access.signal(signalIn(body.value)),
} as const;
