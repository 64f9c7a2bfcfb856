/** What the handler of an operation on workflows is given: workflows as its caller may see them, their beginning, and what moves them. */
import { documentInvalid } from '../../shared/contract/documents.ts';
import { toIdKey } from '../../shared/contract/ids.ts';
import { type Predicate, reduce } from '../../shared/contract/rules.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import { workflowLimits } from '../../shared/workflows/limits.ts';
import type { NewWorkflow, Retry, Signal, WorkflowsPage } from '../../shared/workflows/operations.ts';
import { type StoredWorkflow, workflows, workflowStates } from '../../shared/workflows/resource.ts';
import type { FeedInput } from '../../shared/operations/feed.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { parametersRefused } from '../../shared/wire/parameters.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { toSortValue } from '../../shared/wire/values.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { OriginContext } from '../origin-context.ts';
import { absentAt, conditional, readOptions } from '../documents/representation.ts';
import { writeRecorded } from '../documents/write-one.ts';
import { isEnded, jobIn } from '../job-queue/stored-job.ts';
import { follow } from '../live/follow.ts';
import type { Decision, ListRequest, Mutation, Outcome } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { inHand, isOpen } from '../workflow-engine/advance.ts';
import { toShownWorkflow, workflowIn } from '../workflow-engine/stored-workflow.ts';
import { beginning, cancelling, decided } from '../workflow-engine/transitions.ts';
import type { Workflow } from '../workflow-engine/workflow.ts';
import { isSeenBy, mustBeThere, mustBeWritten, refusing } from './own-writes.ts';
import { isAdmin, seenBy } from './seen-by.ts';

const json = 'application/json';
const newestFirst = [{ field: 'made', descending: true }, { field: 'id', descending: true }];

export class WorkflowsAccess {
  readonly #context: OriginContext;
  readonly #call: Asked;

  constructor(context: OriginContext, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  async start({ workflow: name, input }: NewWorkflow): Promise<Answer> {
    const { principal, traceparent: trace } = this.#call;
    const of = this.#context.workflows.get(name);
    if (of?.start === undefined || reduce(of.start, principal) !== true) {
      throw invalid('/workflow', 'no workflow of this name that you may begin');
    }
    mustFit('/input', of.payload.safeParse(input), input, workflowLimits.inputBytesMax);
    const { subject: owner = '', claims: { tenant } } = principal;
    await this.#mustHavePlace(owner);
    const id = Bun.randomUUIDv7();
    const made = beginning(of, id, {
      owner, input: JSON.stringify(input), nowMs: this.#context.now(), ...(trace === undefined ? {} : { trace }),
      ...(tenant === undefined ? {} : { tenant: String(tenant) }),
    });
    return this.#write(made, (outcome) => ({ outcome: 'created', createdId: id, mediaType: json, body: this.#left(outcome) }));
  }

  async get(): Promise<StateAnswer> {
    const { id, principal } = this.#call;
    const { value: found, position } = await this.#find();
    if (isSeenBy(found, principal)) return conditional(this.#call, [this.#shown(id, workflowIn(found))], { readAt: position });
    return absentAt(position);
  }

  async list({ limit, state, after }: WorkflowsPage): Promise<StateAnswer> {
    const seen = seenBy(this.#call.principal);
    const request: ListRequest = {
      equal: { ...(seen === true ? {} : { [seen.field]: [seen.value] }), state: state === undefined ? [...workflowStates] : [state] },
      range: undefined, sort: newestFirst, where: true, limit: limit + 1,
      after: after === undefined ? undefined : [toSortValue(after.made, 'instant'), toIdKey(workflows, after.id)],
    };
    const { value: rows, position } = await this.#context.store.list(workflows, request, readOptions(this.#call));
    const page = rows.slice(0, limit).map(({ document }) => ({ id: document.id, workflow: workflowIn(document) }));
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? `${last.workflow.made}_${last.id}` : null;
    const data = page.map(({ id, workflow }) => this.#shown(id, workflow)).join();
    return conditional(this.#call, [`{"data":[${data}],"page":${JSON.stringify({ limit, next })}}`], { readAt: position });
  }

  /** Its changes, for whoever may get it. */
  async follow(input: FeedInput): Promise<Answer> {
    const { id, principal } = this.#call;
    if (!isSeenBy((await this.#find()).value, principal)) throw new Fault('document_not_found');
    const readable: Predicate = { kind: 'all', of: [{ kind: 'equals', field: 'id', value: id }, seenBy(principal)] };
    return follow(this.#context, this.#call, input, {
      resource: workflows, readable, audience: JSON.stringify([workflows.name, readable, isAdmin(principal)]),
      present: (document) => this.#shown(document.id, workflowIn(document)),
    });
  }

  /** What was done is undone; one that has yet to begin never does. One that has ended, or is being undone, stays as it is. */
  cancel(): Promise<Answer> {
    return this.#change((workflow, of, isToBegin) => {
      if (isToBegin) return { kind: 'keep', also: [cancelling(this.#call.id, this.#context.now())] };
      if (workflow.why === 'cancelled') return { kind: 'keep' };
      return this.#decided(of, workflow, { kind: 'cancelled' });
    }, (outcome) => (mustBeWritten(outcome), { outcome: 'removed' }));
  }

  retry({ from }: Retry): Promise<Answer> {
    return this.#change((workflow, of) => {
      if (from !== undefined && !of.steps.some(({ name }) => name === from)) {
        throw parametersRefused([['from', `workflow "${workflow.name}" has no step of this name`]]);
      }
      return this.#decided(of, workflow, { kind: 'retried', from }, from === undefined ? '' : `, and cannot go on from "${from}"`);
    });
  }

  /** Its owner's alone: an admin sees a workflow, and does not speak for its owner. */
  signal({ step: name, payload = null }: Signal): Promise<Answer> {
    return this.#change((workflow, of) => {
      if (workflow.owner !== this.#call.principal.subject) throw new Fault('forbidden', { detail: 'a workflow is signalled by its owner' });
      const step = of.steps.find((each) => each.name === name);
      if (step === undefined || !('signal' in step)) throw invalid('/step', 'no step of this name waits for a signal');
      mustFit('/payload', step.signal.safeParse(payload), payload, workflowLimits.resultBytesMax);
      if (inHand(workflow)?.name !== name) throw new Fault('document_conflict', { detail: `the workflow does not wait at "${name}"` });
      return this.#decided(of, workflow, { kind: 'done', result: JSON.stringify(payload) });
    });
  }

  /** Where its job has yet to begin it, it is shown as it will begin. */
  async #find(): ReturnType<OriginContext['store']['get']> {
    const { id } = this.#call;
    const { store } = this.#context;
    const read = await store.get(workflows, id, readOptions(this.#call));
    if (!mayBegin(read.value)) return read;
    const { value: job } = await store.get(jobs, id, readOptions(this.#call));
    if (job === undefined) return read;
    const value = this.#toBegin(job, read.value);
    return value === undefined ? store.get(workflows, id, readOptions(this.#call)) : { ...read, value };
  }

  /** `before`: as it ended, where it is begun again. That is what it is to whoever may not see what begins. */
  #toBegin(found: StoredDocument, before: StoredDocument | undefined): StoredDocument | undefined {
    const job = jobIn(found);
    const of = [...this.#context.workflows.values()].find(({ name }) => name === job.name);
    if (of === undefined || isEnded(job)) return undefined;
    const value = toBegin(found.id, of, job, before === undefined ? 1 : workflowIn(before).round + 1);
    return isSeenBy(value, this.#call.principal) ? value : undefined;
  }

  #change(decide: (workflow: StoredWorkflow, of: Workflow, isToBegin: boolean) => Decision, toAnswer?: ToAnswer): Promise<Answer> {
    const mutation: Mutation = {
      resource: workflows, id: this.#call.id,
      decide: (begun, reach) => refusing(() => {
        const job = mayBegin(begun) ? reach.named(jobs, this.#call.id, { stays: false }) : undefined;
        const next = job && this.#toBegin(job, begun);
        const found = next ?? begun;
        if (!isSeenBy(found, this.#call.principal)) throw new Fault('document_not_found');
        const workflow = workflowIn(found);
        const of = this.#context.workflows.get(workflow.name);
        if (of === undefined) throw new Fault('document_conflict', { detail: `workflow "${workflow.name}" is not declared any more` });
        return decide(workflow, of, next !== undefined);
      }),
    };
    return this.#write(mutation, toAnswer ?? ((outcome) => ({ outcome: 'written', mediaType: json, body: this.#left(outcome) })));
  }

  #decided(of: Workflow, workflow: StoredWorkflow, outcome: Parameters<typeof decided>[3]['outcome'], beside = ''): Decision {
    const found = decided(of, this.#call.id, workflow, { outcome, nowMs: this.#context.now() });
    if (found === undefined) throw new Fault('document_conflict', { detail: `the workflow is ${workflow.state}${beside}` });
    return found;
  }

  async #write(mutation: Mutation, toAnswer: ToAnswer): Promise<Answer> {
    const told = ([outcome]: readonly Outcome[]) => toAnswer(outcome);
    return (await writeRecorded(this.#context.store, this.#call, { mutations: [mutation], atomic: false, toAnswer: told })).answer;
  }

  async #mustHavePlace(owner: string): Promise<void> {
    const open = workflowStates.filter((state) => isOpen({ state }));
    const request = { equal: { owner: [owner], state: open }, range: undefined, sort: newestFirst, where: true } as const;
    const { openOfOneMax: max } = workflowLimits;
    const { value: count } = await this.#context.store.count(workflows, request, max, readOptions(this.#call));
    if (count >= max) throw new Fault('document_conflict', { detail: `${max} of your workflows have not ended: cancel one of them` });
  }

  #left(outcome: Outcome | undefined): string {
    const left = mustBeThere(outcome);
    return this.#shown(left.id, workflowIn(left));
  }

  #shown(id: string, workflow: StoredWorkflow): string {
    return JSON.stringify(toShownWorkflow(id, workflow, isAdmin(this.#call.principal)));
  }
}

type ToAnswer = (outcome: Outcome | undefined) => Answer;

/** What is open is not begun again. */
function mayBegin(stored: StoredDocument | undefined): boolean {
  return stored === undefined || !isOpen(workflowIn(stored));
}

function toBegin(id: string, of: Workflow, { owner, tenant, payload, made }: ReturnType<typeof jobIn>, round: number): StoredDocument {
  const workflow = {
    name: of.workflow, state: 'running', steps: [], turn: 0, round, owner, input: payload, made,
    ...(tenant === undefined ? {} : { tenant }),
  };
  return new StoredDocument(id, JSON.stringify(workflow), workflow);
}

type Parsed = ReturnType<Workflow['payload']['safeParse']>;

function mustFit(at: string, { error }: Parsed, value: unknown, bytesMax: number): void {
  if (error !== undefined) {
    throw documentInvalid(error.issues.map(({ path, message }) => ({ at: `${at}${toPointer(path)}`, in: 'body', detail: message })));
  }
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes > bytesMax) throw invalid(at, `has ${bytes} bytes as JSON; ${bytesMax} are the most`);
}

function invalid(at: string, detail: string): Fault {
  return documentInvalid([{ at, in: 'body', detail }]);
}
