/**
 * Workflows that wait for a document: a consumer of the feed (SEMANTICS §21). One is told of each change of the document as of
 * the moment at which it began to wait, and what the document was then counts as well: that a workflow waits is a change too, at
 * which the document is read.
 */
import type { Change, DocumentChange } from '../../shared/contract/change.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import { reduce, satisfies } from '../../shared/contract/rules.ts';
import type { Position } from '../../shared/wire/position.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { type StoredWorkflow, workflows } from '../../shared/workflows/resource.ts';
import type { Context } from '../context.ts';
import { inStore } from '../documents/in-store.ts';
import { beginHere } from '../feed/begin-here.ts';
import { type Consumer, type ConsumerOptions, inTime, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { Started } from '../services/services.ts';
import type { ListRequest, Mutation } from '../store/store.ts';
import { inHand } from './advance.ts';
import { type Workflows, workflowIn } from './stored-workflow.ts';
import { advancing } from './transitions.ts';
import type { DocumentStep, Workflow } from './workflow.ts';

interface WaitOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  readonly leaseTimes?: LeaseTimes | undefined;
}

const consumer = 'workflows';

/** Looked at together. */
const atOnceMax = 100;

export function hasWaits(declared: Workflows): boolean {
  return documentSteps(declared).length > 0;
}

/** Where this process has the store alone, nobody else looks. Where it fails, what is served is right all the same. */
export async function startWaits(declared: Workflows, context: Context, { onTrouble, leaseTimes }: WaitOptions): Promise<Started<void>> {
  const { store, feed } = context;
  // Before any workflow can wait: that it does is told.
  await beginHere(consumer, context);
  const lease = store.isAlone ? {} : { lease: new Lease(store, 'lease of workflows', leaseTimes) };
  const started = startConsumer(new WaitConsumer(declared, context), { store, feed, onTrouble, ...lease });
  return { ...started, state: async () => ({ ...(await started.state()), ready: true }) };
}

interface Waiting {
  readonly id: string;
  readonly stored: StoredWorkflow;
}

class WaitConsumer implements Consumer {
  readonly name = consumer;
  readonly changesAtOnceMax = atOnceMax;
  readonly isRepeatable = true;
  readonly #declared: Workflows;
  readonly #context: Context;
  readonly #watched: ReadonlySet<string>;

  constructor(declared: Workflows, context: Context) {
    this.#declared = declared;
    this.#context = context;
    this.#watched = new Set(documentSteps(declared).map(({ of }) => of.name));
  }

  concerns(change: Change): boolean {
    if (change.resource === workflows.name) return change.kind === 'document' && change.after?.['waitsFor'] !== undefined;
    return this.#watched.has(change.resource);
  }

  async handle(changes: readonly Change[]): Promise<readonly Mutation[]> {
    const last = changes.at(-1);
    if (last === undefined) return [];
    if (changes.some(({ kind }) => kind === 'resource')) return this.#lookAtAll(last.position);
    const found = await Promise.all(changes.flatMap((change) => (change.kind === 'document' ? [this.#hear(change)] : [])));
    return found.flat();
  }

  lost(head: Position): Promise<readonly Mutation[]> {
    return this.#lookAtAll(head);
  }

  async #hear(change: DocumentChange): Promise<readonly Mutation[]> {
    const { resource, id, after, position } = change;
    if (resource === workflows.name) {
      return after == null ? [] : this.#look([{ id, stored: workflowIn({ value: after }) }], position);
    }
    if (after === null) return [];
    const waiting = await this.#waiting({ waitsFor: [`${resource}/${id}`] }, byId, position);
    return after === undefined ? this.#look(waiting, position) : waiting.flatMap((each) => this.#toAdvance(each, after));
  }

  async #lookAtAll(from: Position): Promise<readonly Mutation[]> {
    return this.#look(await this.#waiting({ state: ['waiting'] }, newestFirst, from), from);
  }

  /** The documents as they are now. */
  async #look(waiting: readonly Waiting[], atLeast: Position): Promise<readonly Mutation[]> {
    const found = await Promise.all(waiting.map(async (each) => {
      const step = this.#stepOf(each);
      const { waitsFor = '' } = each.stored;
      if (step === undefined) return [];
      const resource = inStore(this.#context.store, step.of);
      const { value } = await this.#context.store.get(resource, waitsFor.slice(waitsFor.indexOf('/') + 1), { ...inTime(), atLeast });
      return value === undefined ? [] : this.#toAdvance(each, value.value);
    }));
    return found.flat();
  }

  /** One that went on meanwhile stays as it is. */
  #toAdvance(waiting: Waiting, document: JsonObject): readonly Mutation[] {
    const of = this.#declared.get(waiting.stored.name);
    const step = this.#stepOf(waiting);
    if (of === undefined || step === undefined || isRemoved(step.of, document)) return [];
    if (!satisfies(document, reduce(step.where, anonymous))) return [];
    const { id, stored: { turn } } = waiting;
    return [advancing(of, { id, turn, outcome: { kind: 'done' }, nowMs: this.#context.now() }, { kind: 'keep' })];
  }

  #stepOf({ stored }: Waiting): DocumentStep<unknown> | undefined {
    const step = this.#declared.get(stored.name)?.steps.find(({ name }) => name === inHand(stored)?.name);
    return stored.state === 'waiting' && step !== undefined && 'of' in step ? step : undefined;
  }

  async #waiting(equal: ListRequest['equal'], sort: ListRequest['sort'], atLeast: Position): Promise<readonly Waiting[]> {
    const found: Waiting[] = [];
    let after: ListRequest['after'];
    do {
      const request: ListRequest = { equal, range: undefined, sort, where: true, after, limit: atOnceMax };
      const { value: rows } = await this.#context.store.list(workflows, request, { ...inTime(), atLeast });
      found.push(...rows.map(({ document }) => ({ id: document.id, stored: workflowIn(document) })));
      after = rows.length < atOnceMax ? undefined : rows.at(-1)?.keys;
    } while (after !== undefined);
    return found;
  }
}

const byId = [{ field: 'id', descending: false }];
const newestFirst = [{ field: 'made', descending: true }, { field: 'id', descending: true }];

function documentSteps(declared: Workflows): readonly DocumentStep<unknown>[] {
  return [...declared.values()].flatMap(({ steps }: Workflow) => steps.flatMap((step) => ('of' in step ? [step] : [])));
}
