/**
 * Several documents written in one transaction, each as if alone, and what became of each (SEMANTICS §17). Where they go all
 * or none, the first that is refused is the answer, which says where it stands in the request.
 */
import { documentInvalid } from '../../shared/contract/documents.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import { Fault, type FieldError, problemKindOf } from '../../shared/wire/fault.ts';
import { toProblem } from '../../shared/wire/problem.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import type { About, Outcome } from '../store/store.ts';
import { toTrouble } from '../trouble.ts';
import type { Decide } from './decisions.ts';
import { toETag } from './etag.ts';
import { presenter } from './present.ts';
import { standing } from './removed.ts';
import { type ToldMutation, toMutation, writeRecorded } from './write-one.ts';

/** One write of several. */
export interface Part {
  /** The call as if it had been about this document alone. */
  readonly asked: Asked;
  /**
   * Where it stands in the request's body (RFC 6901), and its own body in there; the whole body, which all share, is the empty
   * text. `undefined`: it is named by its id alone.
   */
  readonly at: string | undefined;
  readonly body: string;
  readonly decide: Decide;
  readonly isRemoval?: true;
  readonly isFresh?: About['isFresh'];
  /** What its result says beside. */
  readonly told?: JsonObject;
}

interface Place extends Pick<Part, 'at' | 'body'> {
  readonly asked: Pick<Asked, 'id'>;
}

export interface Together {
  readonly atomic: boolean;
  /** Decides, and writes nothing. */
  readonly dryRun?: boolean;
  /** What the answer says beside. */
  readonly told?: JsonObject;
}

export async function writeTogether(context: Context, call: Asked, parts: readonly Part[], together: Together): Promise<Answer> {
  const { atomic, dryRun = false } = together;
  const { store, log } = context;
  const mutations = parts.map(({ asked, decide, isFresh }) => kept(toMutation(context, asked, decide, isFresh), dryRun));
  const toAnswer = (given: readonly Outcome[]): Answer => {
    const outcomes = given.map((outcome, index) => mutations[index]?.told(outcome) ?? outcome);
    if (atomic) mustAllBeWritten(parts, outcomes);
    return { outcome: 'written', mediaType: 'application/json', body: JSON.stringify(toBody(call, parts, outcomes, together)) };
  };
  const { answer, outcomes } = await writeRecorded(store, call, { mutations, atomic, toAnswer });
  call.course?.note({ rows: parts.length, rejected: outcomes.filter(({ kind }) => kind === 'refused').length });
  for (const outcome of outcomes) {
    if (outcome.kind === 'refused' && outcome.fault.status >= 500) {
      log.error({ requestId: call.requestId, traceId: call.traceId, ...toTrouble(outcome.fault) }, 'one of several writes failed');
    }
  }
  return answer;
}

function kept(mutation: ToldMutation, dryRun: boolean): ToldMutation {
  if (!dryRun) return mutation;
  return {
    ...mutation,
    decide(before, reach) {
      const decision = mutation.decide(before, reach);
      return decision.kind === 'refuse' ? decision : { kind: 'keep' };
    },
  };
}

function mustAllBeWritten(parts: readonly Part[], outcomes: readonly Outcome[]): void {
  for (const [index, outcome] of outcomes.entries()) {
    const part = parts[index];
    if (outcome.kind === 'refused' && part !== undefined) throw placed(outcome.fault, part);
  }
}

function toBody(call: Asked, parts: readonly Part[], outcomes: readonly Outcome[], { dryRun = false, told = {} }: Together): JsonObject {
  const results = parts.map((part, index) => toResult(call, part, outcomes[index], dryRun));
  const refused = results.filter((result) => Object.hasOwn(result, 'problem')).length;
  return { results, done: results.length - refused, refused, ...(dryRun ? { dryRun } : {}), ...told };
}

function toResult(call: Asked, part: Part, outcome: Outcome | undefined, dryRun: boolean): JsonObject {
  const { asked: { resource, principal, id }, told = {} } = part;
  const named = { ...told, id: toIdValue(resource, id) };
  if (outcome === undefined || outcome.kind === 'undone') throw new Error('a write gave no outcome of its own');
  if (outcome.kind === 'refused') {
    const problem = toProblem(placed(outcome.fault, part), call);
    return { ...named, status: problem.status, problem: asJson(problem) };
  }
  const { before } = outcome;
  const after = standing(resource, outcome.after);
  if (after === undefined || (dryRun && part.isRemoval === true)) return { ...named, status: 204 };
  if (dryRun) return { ...named, status: 200 };
  return { ...named, status: before === undefined ? 201 : 200, etag: toETag(presenter(resource, principal, undefined)(after)) };
}

/** What `toProblem` makes is JSON. */
function asJson(problem: object): Json {
  return problem as Json;
}

/** A refusal, told of the place in the request that is refused. */
export function placed(fault: Fault, { asked: { id }, at, body }: Place): Fault {
  const { reason, headers, members, facts, cause } = fault;
  const why = fault.detail ?? problemKindOf(reason).title;
  const detail = `${at === undefined || at === '' ? JSON.stringify(id) : at}: ${why}`;
  const told = { detail, headers, members, facts, cause };
  if (at === undefined) return new Fault(reason, { ...told, errors: [{ at: 'id', in: 'query', detail }] });
  const errors = fault.errors.map((error): FieldError => {
    if (error.in === 'header') return { ...error, at: `${at}/${memberOf(error.at)}`, in: 'body' };
    return error.in === 'body' ? { ...error, at: body + error.at } : error;
  });
  if (reason === 'document_invalid' && errors.length > 0) return documentInvalid(errors);
  return new Fault(reason, { ...told, errors: errors.length > 0 ? errors : [{ at: at + conditionOf(fault), in: 'body', detail: why }] });
}

/** The member that stands for a header in a request of several writes. */
function memberOf(header: string): string {
  return header === 'If-None-Match' ? 'ifNoneMatch' : 'ifMatch';
}

/** Where the condition stands that does not hold, or is missing; empty for a refusal that is about none. */
function conditionOf({ reason, detail = '' }: Fault): string {
  if (reason !== 'precondition_failed' && reason !== 'precondition_required') return '';
  return `/${memberOf(detail.split(':', 1)[0] ?? '')}`;
}
