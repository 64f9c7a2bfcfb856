/**
 * What the description says of each operation of ours beside what its row says: nothing is served by it, and nothing of it
 * is in the Worker, which hands the description out as a file. A row that is not here is described by what it says itself.
 */
import { jsonPatchType } from '../changes/json-patch.ts';
import { changesType } from '../changes/operators.ts';
import { listingRemoved } from '../contract/removed-query.ts';
import type { Resource } from '../contract/resource.ts';
import { apiKeyOperations } from '../api-keys/operations.ts';
import { deferredOperations } from '../deferred/operations.ts';
import { historyOperations } from '../history/operations.ts';
import { incomingOperations } from '../incoming/operations.ts';
import { jobOperations } from '../jobs/operations.ts';
import { bulk } from '../operations/bulk.ts';
import { documents } from '../operations/documents.ts';
import { isEndpoint } from '../operations/endpoint.ts';
import { onDuplicateChoices } from '../operations/import-query.ts';
import type { Operation } from '../operations/operation.ts';
import { removals } from '../operations/removals.ts';
import { transaction } from '../operations/transaction.ts';
import { webhookOperations } from '../webhooks/operations.ts';
import { workflowOperations } from '../workflows/operations.ts';
import { aggregateAnswer, aggregateParametersOf, aggregatesOf } from './aggregate-parameters.ts';
import {
  createdAnswer, exportAnswer, feedAfter, feedAnswer, oneAnswer, pageAnswer, removedAnswer, replacedAnswer, reportAnswer, upsertedAnswer,
  writtenAnswer,
} from './answers.ts';
import { keyAnswer, keyComponents, keyExamples, keyMadeAnswer, keysAnswer, keysParameters } from './api-keys.ts';
import { cancelledAnswer, operationAnswer, resultAnswer } from './deferred.ts';
import type { Described } from './described.ts';
import { endpointDescribed } from './endpoints.ts';
import { historyAnswer, historyParameters, historyWords } from './history.ts';
import { receivedAnswer, receivedComponents, receivedExample, receivedWords } from './incoming.ts';
import { jobAnswer, jobRetriedAnswer, jobsAnswer, jobsParameters } from './jobs.ts';
import { exportParametersOf, fieldsOf, listParametersOf, shapesOf } from './list-parameters.ts';
import { expandOf, heedsOf } from './related.ts';
import { changesExampleOf, jsonPatchExampleOf, rowsExampleOf } from './resource-schemas.ts';
import {
  changedItemsComponents, changedItemsExampleOf, foundParametersOf, removedParametersOf, resultsAnswer, stepsComponents, stepsExampleOf,
  stepsWords,
} from './together.ts';
import { upsertParametersOf } from './upsert-parameters.ts';
import {
  deliveriesAnswer, deliveriesParameters, resentAnswer, testedAnswer, webhookAnswer, webhookChangedAnswer, webhookComponents,
  webhookExamples, webhookMadeAnswer, webhooksAnswer, webhooksParameters,
} from './webhooks.ts';
import {
  workflowAnswer, workflowComponents, workflowExamples, workflowFeedAnswer, workflowMovedAnswer, workflowRetryParameters, workflowsAnswer,
  workflowsParameters, workflowStartedAnswer,
} from './workflows.ts';

type Words<Rows> = { readonly [Name in keyof Rows]?: Described };

const ofDocuments: Words<typeof documents> = {
  list: { parameters: listParametersOf, answers: pageAnswer, more: shapesOf },
  get: { parameters: (resource, input) => [fieldsOf(resource, input), ...expandOf(resource)], answers: oneAnswer },
  create: { answers: createdAnswer },
  replace: { answers: replacedAnswer },
  upsert: { parameters: upsertParametersOf, answers: upsertedAnswer },
  patch: {
    answers: writtenAnswer, components: { [jsonPatchType]: 'JsonPatch', [changesType]: 'Changes' },
    bodies: (resource) => ({ [jsonPatchType]: jsonPatchExampleOf(resource), [changesType]: changesExampleOf(resource) }),
  },
  remove: { answers: removedAnswer, more: heedsOf },
  aggregate: { parameters: aggregateParametersOf, answers: aggregateAnswer, more: aggregatesOf },
  import: {
    parameters: () => [{
      name: 'onDuplicate', schema: { enum: [...onDuplicateChoices], default: onDuplicateChoices[0] },
      description: 'What becomes of a row whose id exists: rejected, passed over, put in its place, or laid over it as a merge patch.',
    }],
    answers: reportAnswer, bodies: rowsExampleOf,
  },
  export: {
    parameters: exportParametersOf, answers: exportAnswer,
    more: () => ({ words: 'What is found, and in which order, is said as in a list, by the same shapes.', extensions: {} }),
  },
  changes: {
    parameters: () => [feedAfter],
    answers: feedAnswer,
  },
};

const ofBulk: Words<typeof bulk> = {
  patchMany: {
    parameters: foundParametersOf, answers: resultsAnswer, components: changedItemsComponents, bodies: changedItemsExampleOf,
  },
  removeMany: { parameters: removedParametersOf, answers: resultsAnswer, more: heedsOf },
};

const ofTransaction: Words<typeof transaction> = {
  transaction: { answers: resultsAnswer, components: stepsComponents, bodies: stepsExampleOf, more: stepsWords },
};

/** Its removed documents as a resource, for what is described of lists. */
function trashOf(resource: Resource): Resource {
  return resource.removal === undefined ? resource : listingRemoved(resource, resource.removal);
}

const ofRemovals: Words<typeof removals> = {
  removed: {
    parameters: (resource, input) => listParametersOf(trashOf(resource), input),
    answers: (resource) => pageAnswer(trashOf(resource)),
    more: (resource, input) => shapesOf(trashOf(resource), input),
  },
  removedOne: { parameters: (resource, input) => [fieldsOf(resource, input)], answers: (resource) => oneAnswer(trashOf(resource)) },
  restore: { answers: writtenAnswer },
  erase: { answers: removedAnswer },
};

const ofHistory: Words<typeof historyOperations> = {
  history: { parameters: historyParameters, answers: historyAnswer, more: historyWords },
};

const ofIncoming: Words<typeof incomingOperations> = {
  receive: { answers: receivedAnswer, components: receivedComponents, more: receivedWords, bodies: receivedExample },
};

const ofApiKeys: Words<typeof apiKeyOperations> = {
  makeKey: { answers: keyMadeAnswer, components: keyComponents.newKey, bodies: () => keyExamples.newKey },
  listKeys: { answers: keysAnswer, parameters: keysParameters },
  getKey: { answers: keyAnswer },
  revokeKey: { answers: removedAnswer },
  rotateKey: { answers: keyMadeAnswer, components: keyComponents.rotation, bodies: () => keyExamples.rotation },
};

const ofJobs: Words<typeof jobOperations> = {
  listJobs: { answers: jobsAnswer, parameters: jobsParameters },
  getJob: { answers: jobAnswer },
  cancelJob: { answers: removedAnswer },
  retryJob: { answers: jobRetriedAnswer },
};

const ofDeferred: Words<typeof deferredOperations> = {
  getOperation: { answers: operationAnswer },
  cancelOperation: { answers: cancelledAnswer },
  getResult: { answers: resultAnswer },
};

const ofWebhooks: Words<typeof webhookOperations> = {
  makeWebhook: { answers: webhookMadeAnswer, components: webhookComponents.newWebhook, bodies: () => webhookExamples.newWebhook },
  listWebhooks: { answers: webhooksAnswer, parameters: webhooksParameters },
  getWebhook: { answers: webhookAnswer },
  changeWebhook: {
    answers: webhookChangedAnswer, components: webhookComponents.changedWebhook, bodies: () => webhookExamples.changedWebhook,
  },
  removeWebhook: { answers: removedAnswer },
  rotateWebhook: { answers: webhookMadeAnswer, components: webhookComponents.rotation, bodies: () => webhookExamples.rotation },
  testWebhook: { answers: testedAnswer },
  listDeliveries: { answers: deliveriesAnswer, parameters: deliveriesParameters },
  resendDeliveries: { answers: resentAnswer, components: webhookComponents.resending, bodies: () => webhookExamples.resending },
};

const ofWorkflows: Words<typeof workflowOperations> = {
  startWorkflow: {
    answers: workflowStartedAnswer, components: workflowComponents.newWorkflow, bodies: () => workflowExamples.newWorkflow,
  },
  listWorkflows: { answers: workflowsAnswer, parameters: workflowsParameters },
  getWorkflow: { answers: workflowAnswer },
  cancelWorkflow: { answers: removedAnswer },
  retryWorkflow: { answers: workflowMovedAnswer, parameters: workflowRetryParameters },
  followWorkflow: { answers: workflowFeedAnswer, parameters: () => [feedAfter] },
  signalWorkflow: { answers: workflowMovedAnswer, components: workflowComponents.signal, bodies: () => workflowExamples.signal },
};

const byRow: ReadonlyMap<Operation, Described | undefined> = new Map([
  ...toEntries(documents, ofDocuments), ...toEntries(bulk, ofBulk), ...toEntries(transaction, ofTransaction),
  ...toEntries(removals, ofRemovals), ...toEntries(apiKeyOperations, ofApiKeys), ...toEntries(jobOperations, ofJobs),
  ...toEntries(deferredOperations, ofDeferred), ...toEntries(webhookOperations, ofWebhooks), ...toEntries(historyOperations, ofHistory),
  ...toEntries(incomingOperations, ofIncoming), ...toEntries(workflowOperations, ofWorkflows),
]);
const nothingMore: Described = {};

/** A row of a team's own module is described by what it says itself. */
export function describedOf(row: Operation): Described {
  return isEndpoint(row) ? endpointDescribed(row) : byRow.get(row) ?? nothingMore;
}

function toEntries<Rows extends Readonly<Record<string, Operation>>>(
  rows: Rows, words: Words<Rows>,
): readonly (readonly [Operation, Described | undefined])[] {
  return Object.entries<Operation>(rows).map(([name, row]) => [row, words[name as keyof Rows]]);
}
