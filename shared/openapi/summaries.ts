/**
 * One sentence for each operation of ours, for whoever reads the description of the API: nothing is served by them, and the Worker
 * has none of them. What is added, a team's endpoints too, says its own in its row.
 */
import { apiKeyOperations } from '../api-keys/operations.ts';
import { deferredOperations } from '../deferred/operations.ts';
import { historyOperations } from '../history/operations.ts';
import { incomingOperations } from '../incoming/operations.ts';
import { jobOperations } from '../jobs/operations.ts';
import { bulk } from '../operations/bulk.ts';
import { documents } from '../operations/documents.ts';
import { removals } from '../operations/removals.ts';
import { transaction } from '../operations/transaction.ts';
import { usageOperations } from '../usage/operations.ts';
import { webhookOperations } from '../webhooks/operations.ts';
import { workflowOperations } from '../workflows/operations.ts';
import type { Operation } from '../operations/operation.ts';

type Sentences<Rows> = { readonly [Name in keyof Rows]: string };

const ofDocuments: Sentences<typeof documents> = {
  list: 'Lists documents by a declared shape, a page at a time.',
  get: 'Gets one document.',
  create: 'Creates a document.',
  replace: 'Replaces a document, or creates it where callers name documents.',
  upsert: 'Replaces the document that has a unique key, or creates it.',
  patch: 'Changes what a merge patch (RFC 7396), a JSON Patch (RFC 6902) or operators name.',
  remove: 'Removes a document.',
  aggregate: 'Groups documents, and counts and sums up what is in each group.',
  import: 'Takes rows in, streamed, and reports each that it rejects.',
  export: 'Gives out all documents that a declared shape finds, of one state, streamed.',
  changes: 'Follows the changes of a resource, live.',
};

const ofBulk: Sentences<typeof bulk> = {
  patchMany: 'Changes several documents, each in its own way, or in one way the first that a filter finds.',
  removeMany: 'Removes documents by their ids, or the first that a filter finds.',
};

const ofTransaction: Sentences<typeof transaction> = {
  transaction: 'Carries out operations on documents of several resources, all or none.',
};

const ofRemovals: Sentences<typeof removals> = {
  removed: 'Lists removed documents, the last removed first.',
  removedOne: 'Gets one removed document.',
  restore: 'Restores a removed document.',
  erase: 'Erases a removed document for good.',
};

const ofHistoryOperations: Sentences<typeof historyOperations> = {
  history: 'Tells what was changed of a document, the last first.',
};

const ofApiKeyOperations: Sentences<typeof apiKeyOperations> = {
  makeKey: 'Makes an API key that asks in its maker’s name, and shows it, this once.',
  listKeys: 'Lists API keys: one’s own; for an admin those of the tenant, or all.',
  getKey: 'Gets an API key, without its text, which nobody has kept.',
  revokeKey: 'Revokes an API key: it is taken nowhere any more.',
  rotateKey: 'Gives one’s API key another text, and shows it, this once; the text before is taken for a while longer.',
  findKey: 'Finds the key of an id, for the edge to judge who brings it.',
  noteKeyUses: 'Notes when keys were last used, as the edge tells now and then.',
};

const ofJobOperations: Sentences<typeof jobOperations> = {
  listJobs: 'Lists jobs that were given up, the oldest first: those of the admin’s tenant, or all.',
  getJob: 'Tells how a job is that the caller caused.',
  cancelJob: 'Cancels a job that has not ended; an attempt that runs is told to stop, and its end is not accepted.',
  retryJob: 'Has a job that was given up begin again, with all of its attempts.',
};

const ofDeferredOperations: Sentences<typeof deferredOperations> = {
  getOperation:
    'Says how far an operation is that was asked for with `Prefer: respond-async`: one’s own; for an admin those of the tenant.',
  cancelOperation: 'Cancels an operation: what it has committed stays. One that has ended is forgotten, with what it answered.',
  getResult: 'Gives out what one’s own operation answered, as it would have been answered without `Prefer`.',
};

const ofWebhookOperations: Sentences<typeof webhookOperations> = {
  makeWebhook: 'Makes a webhook, and shows the secret that it signs with, this once.',
  listWebhooks: 'Lists webhooks: one’s own; for an admin those of the tenant, or all.',
  getWebhook: 'Gets a webhook, without its secret.',
  changeWebhook: 'Changes where and what a webhook tells, pauses it, or has it go on.',
  removeWebhook: 'Removes a webhook, and what was to be delivered by it.',
  rotateWebhook: 'Gives a webhook another secret, and shows it, this once; the one before signs too for a while longer.',
  testWebhook: 'Delivers an event of type `webhook.test`.',
  listDeliveries: 'Lists what a webhook delivered, was to deliver, or gave up.',
  resendDeliveries: 'Sends a delivery again, or those of a range in time that have ended, under the ids that they have.',
};

const ofIncomingOperations: Sentences<typeof incomingOperations> = {
  receive: 'Takes a webhook of a declared source, which its signature proves.',
};

const ofWorkflowOperations: Sentences<typeof workflowOperations> = {
  startWorkflow: 'Begins a workflow that the caller may begin.',
  listWorkflows: 'Lists workflows, the newest first: one’s own; for an admin those of the tenant, or all.',
  getWorkflow: 'Tells how a workflow is that the caller caused, step by step.',
  cancelWorkflow: 'Cancels a workflow that has not ended: what was done is undone, the last first.',
  retryWorkflow: 'Has a workflow go on where it is stuck, begin again where all of it is undone, or go on anew from a step.',
  followWorkflow: 'Follows a workflow that the caller caused, as server-sent events.',
  signalWorkflow: 'Tells a step of one’s own workflow what it waits for.',
};

const ofUsageOperations: Sentences<typeof usageOperations> = {
  noteUsageAlert: 'Notes that so much of a quota is used, as the edge tells.',
};

const byRow: ReadonlyMap<Operation, string> = new Map([
  ...toEntries(documents, ofDocuments), ...toEntries(bulk, ofBulk), ...toEntries(transaction, ofTransaction),
  ...toEntries(removals, ofRemovals), ...toEntries(historyOperations, ofHistoryOperations),
  ...toEntries(apiKeyOperations, ofApiKeyOperations), ...toEntries(jobOperations, ofJobOperations),
  ...toEntries(deferredOperations, ofDeferredOperations), ...toEntries(webhookOperations, ofWebhookOperations),
  ...toEntries(incomingOperations, ofIncomingOperations), ...toEntries(workflowOperations, ofWorkflowOperations),
  ...toEntries(usageOperations, ofUsageOperations),
]);

export function summaryOf(row: Operation): string {
  const summary = row.summary ?? byRow.get(row);
  if (summary === undefined) throw new Error(`operation ${row.name} says nothing of itself`);
  return summary;
}

function toEntries<Rows extends Readonly<Record<string, Operation>>>(
  rows: Rows,
  sentences: Sentences<Rows>,
): (readonly [Operation, string])[] {
  return Object.entries(rows).map(([name, row]) => [row, sentences[name as keyof Rows]] as const);
}
