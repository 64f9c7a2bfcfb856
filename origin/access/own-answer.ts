/**
 * Carries out a call of an endpoint: the document of its path, its handler, and the answer that is made of what that gives.
 * A state's answer states what it was made of; an effect's is recorded with its write, and told again for the same key.
 */
import type * as z from 'zod';
import type { Endpoint } from '../../shared/operations/endpoint.ts';
import { isOfDocument } from '../../shared/operations/operation.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { Context } from '../context.ts';
import { mustMeetConditions, toETag } from '../documents/etag.ts';
import { presenter, shownCopy, visible } from '../documents/present.ts';
import { conditional, readOptions } from '../documents/representation.ts';
import { standing } from '../documents/removed.ts';
import { nonceOf, toDecide, writeRecorded } from '../documents/write-one.ts';
import { mustAllow } from '../documents/write-rules.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Outcome } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { type Change, plannedOf } from './documents-changed.ts';
import { asDocument } from './document-of.ts';
import { WriteCall, type EndpointCall, ReadCall, readerOf, type Wrote } from './own-call.ts';
import { ReadLedger } from './read-ledger.ts';

type Output<Row extends Endpoint> = z.output<Row['output']>;

/** What the compiler asks of a file in `origin/endpoints`. */
export type EndpointHandler<Row extends Endpoint> = Row['answers'] extends 'state'
  ? (call: ReadCall<Row>) => Promise<Output<Row>>
  : (call: WriteCall<Row>) => Promise<Wrote<Output<Row>>>;

export type EndpointHandlers<Table extends Readonly<Record<string, Endpoint>>> = {
  readonly [Name in keyof Table]: EndpointHandler<Table[Name]>;
};

export type StateHandler = (call: ReadCall) => Promise<unknown>;
export type EffectHandler = (call: WriteCall) => Promise<Wrote<unknown>>;

/** A call of an endpoint as `toCall` made it. */
export interface Parsed extends Asked {
  readonly operation: Endpoint;
  readonly input: unknown;
  readonly body: { readonly value: unknown } | undefined;
}

export async function answerState(context: Context, parsed: Parsed, handler: StateHandler): Promise<StateAnswer> {
  const ledger = new ReadLedger();
  const call = toEndpointCall(parsed, parsed.input);
  const reading = new ReadCall(context, call, ledger);
  const shown = isOfDocument(call.operation) ? await reading.get(call.resource, call.id) : undefined;
  if (shown === undefined && isOfDocument(call.operation)) throw new Fault('document_not_found');
  const output = await handler(new ReadCall(context, { ...call, shown }, ledger));
  const alsoRead = call.operation.reads.filter(({ name }) => context.contract.resources.has(name));
  const stated = { ...ledger.stated(call.operation.digest), reader: readerOf(call) };
  return conditional(call, [toText(context, call, output)], { readAt: ledger.position ?? (await context.store.head()), alsoRead, stated });
}

/**
 * A key that was used before is answered before the handler runs, so that what it does beside its write is not done again.
 * The document of the path is looked at before and, since it may change meanwhile, once more in the write.
 */
export async function answerEffect(context: Context, parsed: Parsed, handler: EffectHandler): Promise<Answer> {
  const replayed = parsed.idempotency === undefined ? undefined : await recordedAnswer(context, parsed);
  if (replayed !== undefined) return replayed;
  const call = toEndpointCall(parsed, parsed.body?.value ?? {});
  const shown = isOfDocument(call.operation) ? await mustStandNow(context, call) : undefined;
  let hasBegun = false;
  let answer: Answer | undefined;
  const writing = new WriteCall(context, { ...call, shown }, async (changes, toOutput) => {
    if (hasBegun) throw new Error(`endpoint "${call.operation.name}": a call writes once`);
    hasBegun = true;
    answer = await write(context, call, changes, toOutput);
    return asWrote(answer);
  });
  await handler(writing);
  if (answer === undefined) throw new Error(`endpoint "${call.operation.name}": an effect answers with what write() gives`);
  return answer;
}

function toEndpointCall(call: Parsed, given: unknown): EndpointCall {
  return { ...call, given: asGiven(given), shown: undefined };
}

/** Its row parsed it. */
function asGiven(given: unknown): EndpointCall['given'] {
  return given as EndpointCall['given'];
}

function asWrote<Made>(answer: Answer): Wrote<Made> {
  return answer as unknown as Wrote<Made>;
}

async function mustStandNow(context: Context, call: EndpointCall) {
  const { value } = await context.store.get(call.resource, call.id, readOptions(call));
  return asDocument<typeof call.resource>(shownCopy(call, mustStand(call, value)));
}

/** The document of the path: its caller sees it, the endpoint's rule holds of it, and so do the call's conditions, in that order. */
function mustStand(call: Asked, before: StoredDocument | undefined): StoredDocument {
  const found = visible(before, call.rights.readable);
  if (found === undefined) throw new Fault('document_not_found');
  mustAllow(found.value, call.rights.writable);
  mustMeetConditions(call.preconditions, () => toETag(presenter(call.resource, call.principal, undefined)(found)));
  return found;
}

type ToOutput = (left: readonly unknown[]) => unknown;

async function write(context: Context, call: EndpointCall, changes: readonly Change[], toOutput: ToOutput): Promise<Answer> {
  const plans = changes.map(plannedOf);
  const stands = toDecide(context, call, (found) => (mustStand(call, found), 'keep'));
  const guards = isOfDocument(call.operation) ? [{ resource: call.resource, id: call.id, decide: stands }] : [];
  const toAnswer = (outcomes: readonly Outcome[]): Answer => {
    const left = mustBeWritten(outcomes).slice(guards.length)
      .map((after, index) => {
        const asked = plans[index]?.asked ?? call;
        const left = standing(asked.resource, after);
        return left && shownCopy(asked, left);
      });
    return { outcome: 'written', mediaType: 'application/json', body: toText(context, call, toOutput(left)) };
  };
  const mutations = [...guards, ...plans.map(({ mutation }) => mutation)];
  return (await writeRecorded(context.store, call, { mutations, atomic: true, toAnswer })).answer;
}

/** What each left; throws for the first that was refused, which undid the others. */
function mustBeWritten(outcomes: readonly Outcome[]): readonly (StoredDocument | undefined)[] {
  mustNoneBeRefused(outcomes);
  return outcomes.map((outcome) => (outcome.kind === 'written' ? outcome.after : undefined));
}

/** Asks the store for the record by a write that ends, with nothing done, where there is none. */
async function recordedAnswer({ store }: Context, call: Asked): Promise<Answer | undefined> {
  if (call.idempotency === undefined) return undefined;
  const isNew = new Fault('unknown', { detail: 'this key is new' });
  const answer = () => {
    throw isNew;
  };
  try {
    const once = { ...call.idempotency, answer };
    const { replayed, position } = await store.write([], { deadline: call.deadline, ...nonceOf(call), once });
    return replayed === undefined ? undefined : { ...(JSON.parse(replayed) as Answer), writtenAt: position };
  } catch (thrown) {
    if (thrown === isNew) return undefined;
    throw thrown;
  }
}

/** In development what does not fit the declaration is told at once, with its place; in production it is sent as it is. */
function toText({ settings }: Context, { operation: { name, output: schema } }: EndpointCall, output: unknown): string {
  const text = JSON.stringify(output);
  if (settings.environment === 'production') return text;
  const { error } = schema.safeParse(JSON.parse(text ?? 'null'));
  if (error === undefined) return text;
  const places = error.issues.map(({ path, message }) => `${toPointer(path) || '/'}: ${message}`).join('; ');
  const detail = `the answer of endpoint "${name}" is not what it declares: ${places}`;
  throw new Fault('unknown', { detail, cause: new Error(detail) });
}
