/** THE list: what Tombolo can do, one word a line. The compiler asks for a handler for each row (`origin/execute.ts`). */
import { apiKeyOperations } from './api-keys/operations.ts';
import { apiKeys, apiKeyUses } from './api-keys/resource.ts';
import { deferredOperations } from './deferred/operations.ts';
import { deferred, deferredParts } from './deferred/resource.ts';
import { endpoints } from './endpoints/all.ts';
import { historyOperations } from './history/operations.ts';
import { incomingOperations } from './incoming/operations.ts';
import { received } from './incoming/resource.ts';
import { jobOperations } from './jobs/operations.ts';
import { jobs, schedules } from './jobs/resource.ts';
import { bulk } from './operations/bulk.ts';
import { documents } from './operations/documents.ts';
import { transaction } from './operations/transaction.ts';
import { moduleList, type RowsOf } from './operations/module.ts';
import { removals } from './operations/removals.ts';
import { usageOperations } from './usage/operations.ts';
import { webhookOperations } from './webhooks/operations.ts';
import { causes, deliveries, turns, webhooks } from './webhooks/resource.ts';
import { workflowOperations } from './workflows/operations.ts';
import { workflows } from './workflows/resource.ts';

export const modules = moduleList({
  documents: { operations: documents },
  bulk: { operations: bulk },
  transaction: { operations: transaction },
  removals: { operations: removals },
  history: { operations: historyOperations },
  apiKeys: { operations: apiKeyOperations, resources: [apiKeys, apiKeyUses], reported: [apiKeys] },
  jobs: { operations: jobOperations, resources: [jobs, schedules] },
  workflows: { operations: workflowOperations, resources: [workflows] },
  deferred: { operations: deferredOperations, resources: [deferred, deferredParts] },
  webhooks: { operations: webhookOperations, resources: [webhooks, deliveries, turns, causes] },
  incoming: { operations: incomingOperations, resources: [received] },
  usage: { operations: usageOperations },
  endpoints,
});

export type ModuleRows = RowsOf<typeof modules>;
