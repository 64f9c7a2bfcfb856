/** One document's write and its answer: what creating, replacing, patching and removing have in common. */
import { isRemoved } from '../../shared/contract/removal.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { causedByRemoval } from './caused-changes.ts';
import { toETag } from './etag.ts';
import { withEvents } from '../history/logging.ts';
import { mustNameOthers } from './named-documents.ts';
import { presenter } from './present.ts';
import type { About, Decision, Mutation, Outcome, Reach, Store, WriteOptions } from '../store/store.ts';
import { standing } from './removed.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { noteOfCause } from '../webhooks/causes.ts';
import { causesOf } from './caused.ts';
import { type Decide, toldInPatch } from './decisions.ts';

type WrittenDocument = Extract<Outcome, { kind: 'written' }>;

/** What a decision needs beside its call. */
export type Deciding = Pick<Context, 'store' | 'now' | 'traces'>;

export interface OneWrite {
  readonly id: string;
  /** Throws a Fault to refuse; nothing is written then. */
  readonly decide: Decide;
  /** What the answer says beside the document. */
  readonly also?: Pick<Answer, 'createdId'>;
  readonly isFresh?: About['isFresh'];
}

export async function writeOne(deciding: Deciding, call: Asked, { id, decide, also, isFresh }: OneWrite): Promise<Answer> {
  const mutation = toMutation(deciding, { ...call, id }, decide, isFresh);
  const toAnswer = ([outcome]: readonly Outcome[]): Answer => ({ ...toWrittenAnswer(call, mustWritten(mutation.told(outcome))), ...also });
  return (await writeRecorded(deciding.store, call, { mutations: [mutation], atomic: false, toAnswer })).answer;
}

/** What is decided of a document, and how its outcome is told. */
export interface ToldMutation extends Mutation {
  /** A refusal of the database's names the place in what was sent, like those of decisions. */
  told(outcome: Outcome | undefined): Outcome | undefined;
}

export function toMutation(deciding: Deciding, call: Asked, decide: Decide, isFresh?: About['isFresh']): ToldMutation {
  const { resource, id } = call;
  let decided: ReturnType<Decide> | undefined;
  const noted: Decide = (before) => {
    decided = undefined;
    decided = decide(before);
    return decided;
  };
  return {
    resource, id, isFresh, decide: toDecide(deciding, call, noted, isFresh),
    told: (outcome) => (outcome?.kind === 'refused' ? { ...outcome, fault: toldInPatch(outcome.fault, decided) } : outcome),
  };
}

interface RecordedWrite {
  readonly mutations: readonly Mutation[];
  readonly atomic: boolean;
  /** Runs inside the transaction too, where the answer is recorded. */
  toAnswer(outcomes: readonly Outcome[]): Answer;
}

/**
 * The one write of a call, which spends its nonce and its idempotency key, and its answer, made of the outcomes or the one
 * that is recorded; then there are no outcomes. The record is the first insert of the write's own transaction, so a crash
 * leaves both or neither (SEMANTICS §10).
 */
export async function writeRecorded(
  store: Store, call: Asked, { mutations, atomic, toAnswer }: RecordedWrite,
): Promise<{ readonly answer: Answer; readonly outcomes: readonly Outcome[] }> {
  const { idempotency, deadline } = call;
  const once = idempotency && { ...idempotency, answer: (outcomes: readonly Outcome[]) => JSON.stringify(toAnswer(outcomes)) };
  const options: WriteOptions = { deadline, ...nonceOf(call), ...(atomic ? { atomic } : {}), ...(once === undefined ? {} : { once }) };
  const { outcomes, position, replayed } = await store.write(mutations, options);
  const answer = replayed === undefined ? toAnswer(outcomes) : (JSON.parse(replayed) as Answer);
  return { answer: { ...answer, writtenAt: position }, outcomes };
}

/** What the store asks, maybe more than once: with what relations demand of the write, and what follows from them and from hooks. */
export function toDecide(deciding: Deciding, call: Asked, decide: Decide, isFresh?: About['isFresh']): Mutation['decide'] {
  const jobIds: string[] = [];
  return (before, reach) => {
    try {
      return toDecision(deciding, call, { decided: decide(before), before, reach, jobIds, isFresh });
    } catch (thrown) {
      return { kind: 'refuse', fault: toFault(thrown) };
    }
  };
}

interface Decided {
  readonly decided: ReturnType<Decide>;
  readonly before: StoredDocument | undefined;
  readonly reach: Reach;
  /** Of the jobs that were enqueued when it was decided before. */
  readonly jobIds: string[];
  readonly isFresh: About['isFresh'];
}

function toDecision({ store, now, traces }: Deciding, call: Asked, { decided, before, reach, jobIds, isFresh }: Decided): Decision {
  const { resource, id } = call;
  if (decided === 'keep') return { kind: 'keep' };
  const isGone = decided === 'remove' || isRemoved(resource, decided);
  // What was removed before is named by nobody.
  const isLeaving = isGone && standing(resource, before) !== undefined;
  const nowMs = now();
  const caused = [
    ...(isLeaving ? causedByRemoval({ resource, id }, { store, reach, nowMs }) : []),
    ...(decided === 'remove' ? [] : causesOf(decided, jobIds)),
    ...noteOfCause(traces, call, { document: decided === 'remove' ? undefined : decided, reach }),
  ];
  const also = withEvents({ resource, id, isFresh, before }, caused, { cause: call, reach, nowMs });
  if (!isGone) mustNameOthers(call, decided, { before, store, reach });
  return { ...(decided === 'remove' ? { kind: decided } : { kind: 'put', document: decided }), ...(also.length === 0 ? {} : { also }) };
}

function mustWritten(outcome: Outcome | undefined): WrittenDocument {
  if (outcome === undefined || outcome.kind === 'undone') {
    throw new Fault('unknown', { cause: new Error('a write of one mutation gave no outcome of its own') });
  }
  if (outcome.kind === 'refused') throw outcome.fault;
  return outcome;
}

/** The document after the write, as its caller may see it. */
function toWrittenAnswer(call: Asked, { before, after: left }: WrittenDocument): Answer {
  const after = standing(call.resource, left);
  if (after === undefined) return { outcome: 'removed' };
  const body = presenter(call.resource, call.principal, undefined)(after);
  return { outcome: before === undefined ? 'created' : 'written', body, etag: toETag(body), mediaType: 'application/json' };
}

/** Spent in the transaction, where there is one. */
export function nonceOf({ nonce }: Asked): Pick<WriteOptions, 'nonce'> {
  return nonce === undefined ? {} : { nonce };
}
