/**
 * Carries out a call: what the pipeline, a transaction, a job and a test share. Nothing from here on knows of HTTP.
 * The compiler asks for a handler for each row of the modules (`shared/modules.ts`), and gives each its row's input. The
 * store goes no further: a handler holds its call's access, or an endpoint's its call, which is all that it reads and
 * writes by.
 */
import { apiKeys } from '../shared/api-keys/resource.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { deferred } from '../shared/deferred/resource.ts';
import { received } from '../shared/incoming/resource.ts';
import { jobs } from '../shared/jobs/resource.ts';
import { usageAlertsName } from '../shared/usage/alert.ts';
import { webhooks } from '../shared/webhooks/resource.ts';
import { workflows } from '../shared/workflows/resource.ts';
import type { ModuleRows } from '../shared/modules.ts';
import { type Endpoint, isEndpoint } from '../shared/operations/endpoint.ts';
import { isOwnPlace, isSafe, type Operation } from '../shared/operations/operation.ts';
import {
  answerEffect, answerState, type EffectHandler, type EndpointHandler, type Parsed, type StateHandler,
} from './access/own-answer.ts';
import { DeferredAccess } from './access/deferred-access.ts';
import { IncomingAccess } from './access/incoming-access.ts';
import { JobsAccess } from './access/jobs-access.ts';
import { KeysAccess } from './access/keys-access.ts';
import { ReadAccess } from './access/read-access.ts';
import { UsageAccess } from './access/usage-access.ts';
import { WebhooksAccess } from './access/webhooks-access.ts';
import { WorkflowsAccess } from './access/workflows-access.ts';
import { WriteAccess } from './access/write-access.ts';
import { keyHandlers } from './api-keys/handlers.ts';
import type { Answer, Asked, Call, StateAnswer } from './call.ts';
import type { CallOf, RoutedCall, Rows } from './routed-call.ts';
import type { OriginContext } from './origin-context.ts';
import { deferredHandlers } from './deferred/handlers.ts';
import { inStore } from './documents/in-store.ts';
import { handlers } from './endpoints/all.ts';
import { incomingHandlers } from './incoming/handlers.ts';
import { jobHandlers } from './job-queue/handlers.ts';
import { aggregate } from './operations/aggregate.ts';
import { changes } from './operations/changes.ts';
import { create } from './operations/create.ts';
import { erase } from './operations/erase.ts';
import { exportRows } from './operations/export.ts';
import { get } from './operations/get.ts';
import { history } from './operations/history.ts';
import { importRows } from './operations/import.ts';
import { list } from './operations/list.ts';
import { patchMany } from './operations/patch-many.ts';
import { patch } from './operations/patch.ts';
import { removeMany } from './operations/remove-many.ts';
import { remove } from './operations/remove.ts';
import { removed } from './operations/removed.ts';
import { removedOne } from './operations/removed-one.ts';
import { replace } from './operations/replace.ts';
import { restore } from './operations/restore.ts';
import { transaction } from './operations/transaction.ts';
import { upsert } from './operations/upsert.ts';
import { usageHandlers } from './usage/handlers.ts';
import { webhookHandlers } from './webhooks/handlers.ts';
import { workflowHandlers } from './workflow-engine/handlers.ts';

type Handler<Row extends Operation> = Row extends Endpoint
  ? EndpointHandler<Row>
  : (access: AccessOf<Row>, call: Call<Row>) => Promise<AnswerOf<Row>>;

/** What handlers are given by whose rows are about a resource of Tombolo's own, by its name. */
interface OwnAccesses {
  readonly keys: KeysAccess;
  readonly tombolo_jobs: JobsAccess;
  readonly operations: DeferredAccess;
  readonly webhooks: WebhooksAccess;
  readonly tombolo_received: IncomingAccess;
  readonly workflows: WorkflowsAccess;
  readonly [usageAlertsName]: UsageAccess;
}

type OwnAccess = new (context: OriginContext, call: Asked) => OwnAccesses[keyof OwnAccesses];

/** Of these nothing is kept: what is answered depends on more of its caller than a scope says. */
const ownAccesses: ReadonlyMap<Resource, OwnAccess> = new Map<Resource, OwnAccess>([
  [apiKeys, KeysAccess], [jobs, JobsAccess], [deferred, DeferredAccess], [webhooks, WebhooksAccess], [received, IncomingAccess],
  [workflows, WorkflowsAccess],
]);

interface Routed {
  readonly operation: Operation;
  readonly resource: Resource;
}

/** A resource of a team's that Tombolo writes itself has its own access there alone. */
function ownAccessOf({ operation: { at }, resource }: Routed): OwnAccess | undefined {
  return ownAccesses.get(resource) ?? (isOwnPlace(at) && at.about === usageAlertsName ? UsageAccess : undefined);
}

type AccessOf<Row extends Operation> = Row['at'] extends { readonly about: infer About extends keyof OwnAccesses }
  ? OwnAccesses[About]
  : Row['answers'] extends 'effect' ? WriteAccess : ReadAccess;

type AnswerOf<Row extends Operation> = Row['answers'] extends 'state' ? StateAnswer : Answer;

/** A handler for each row, told what its row takes. */
type Handlers<Table extends Rows> = { readonly [Name in keyof Table]: Handler<Table[Name]> };

type Executor<Table extends Rows> = (context: OriginContext, call: CallOf<Table>) => Promise<Answer>;

/** Exported for tests that carry out a table of their own. What it returns throws a Fault where a call is refused. */
export function executor<Table extends Rows>(handlers: Handlers<Table>): Executor<Table> {
  return (context, asked) => {
    const resource = inStore(context.store, asked.resource);
    const isAsAsked = resource === asked.resource && isSafe(asked.operation);
    const call = isAsAsked ? asked : { ...asked, resource, beforeWrites: context.beforeWrites };
    if (isEndpoint(call.operation)) return answerOwn(context, call, handlers);
    const carryOut = (each: CallOf<Table> = call) => handlerOf(handlers, each)(accessOf<Table>(context, each), each);
    if (call.isDeferred === true) return context.deferrals.begin(call, carryOut);
    const { answers } = context;
    const isKept = answers !== undefined && call.operation.answers === 'state' && ownAccessOf(call) === undefined;
    return isKept ? answers.answer(call, carryOut) : carryOut();
  };
}

/** The answer that is kept to this call, at once; `undefined`: it is to be carried out. */
export function keptAnswer({ answers, store }: OriginContext, call: RoutedCall): Answer | undefined {
  return answers === undefined || inStore(store, call.resource) !== call.resource ? undefined : answers.find(call);
}

/** An endpoint's handler is given its call alone, which holds whatever it may read and write by. */
function answerOwn(
  context: OriginContext,
  call: Asked & { readonly operation: Operation },
  handlers: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const { state, effect, parsed } = asItsOwn(call, handlers[call.operation.name]);
  return isSafe(call.operation) ? answerState(context, parsed, state) : answerEffect(context, parsed, effect);
}

/** A row of an endpoint and its handler have one name, and what the row answers tells which of the two it is. */
function asItsOwn(call: Asked, handler: unknown) {
  return { parsed: call as Parsed, state: handler as StateHandler, effect: handler as EffectHandler };
}

type HandlerOf<Table extends Rows> = (access: AccessOf<Table[string]>, call: CallOf<Table>) => Promise<Answer>;

/** A call's row and its handler have one name, which ties the types of the two together. */
function handlerOf<Table extends Rows>(handlers: Handlers<Table>, call: CallOf<Table>): HandlerOf<Table> {
  return handlers[call.operation.name] as HandlerOf<Table>;
}

/** The access that its row asks for. */
function accessOf<Table extends Rows>(context: OriginContext, call: CallOf<Table>): AccessOf<Table[string]> {
  const Access = ownAccessOf(call) ?? (isSafe(call.operation) ? ReadAccess : WriteAccess);
  return new Access(context, call) as AccessOf<Table[string]>;
}

export const execute = executor<ModuleRows>({
  list, get, create, replace, upsert, patch, remove, import: importRows, export: exportRows, changes, removed, removedOne, restore, erase,
  patchMany, removeMany, transaction, aggregate, history,
  ...keyHandlers, ...jobHandlers, ...deferredHandlers, ...webhookHandlers, ...incomingHandlers, ...workflowHandlers, ...usageHandlers,
  ...handlers,
});
