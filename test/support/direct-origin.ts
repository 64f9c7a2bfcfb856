/** The origin in this process, asked without HTTP: calls as an endpoint, a job or a transaction makes them. */
import { type SentBody, toCall } from '../../origin/calls.ts';
import type { Answer, Outcome } from '../../origin/call.ts';
import type { OriginContext } from '../../origin/origin-context.ts';
import { execute } from '../../origin/execute.ts';
import { toCanonicalId } from '../../shared/contract/ids.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { documents } from '../../shared/operations/documents.ts';
import type { CarriedHeader, InputOf, Operation } from '../../shared/operations/operation.ts';
import { Fault, type FaultReason, type FieldError } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { OpenedOrigin } from './opened-origin.ts';

export interface DirectAsking {
  readonly id?: string;
  readonly principal?: Principal;
  /** The query with its question mark. */
  readonly query?: string;
  /** A document or its JSON; the rows of an upload, as text. */
  readonly body?: object | string;
  /** The media type of the body: NDJSON of an upload, else the first that the operation takes, unless said. */
  readonly mediaType?: string;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** What the caller's version of the API has no name for. */
  readonly keeps?: readonly string[];
  /** What the edge tells of a webhook. */
  readonly delivery?: string;
  readonly msLeft?: number;
  readonly atLeast?: Position;
}

export type DocumentOperation = keyof typeof documents;

interface Parsed<Name extends DocumentOperation> {
  /** The input, in place of `query`. */
  readonly parsed?: InputOf<(typeof documents)[Name]>;
}

/** What became of a call, a refusal as well as an answer. */
export interface DirectAnswer extends Omit<Answer, 'outcome' | 'body'> {
  readonly outcome: Outcome | FaultReason;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly text: string;
  /** The body, where it is an object. */
  readonly json: JsonObject;
}

export const ada: Principal = { subject: 'ada', roles: ['editor'], claims: {} };

/** Carries out the calls of its own rows alone. */
type Executor = (context: OriginContext, call: never) => Promise<Answer>;

export class DirectOrigin extends OpenedOrigin {
  ask<Name extends DocumentOperation>(
    name: Name,
    resource: Resource,
    asking: DirectAsking & Parsed<Name> = {},
  ): Promise<DirectAnswer> {
    return this.askBy(documents[name], execute, resource, asking);
  }

  /** By a row of another table than that of documents, and the executor of that table. */
  async askBy(row: Operation, executor: Executor, resource: Resource, asking: DirectAsking): Promise<DirectAnswer> {
    try {
      const call = await toCall(this.#toAsking(row, resource, asking), Date.now());
      return await toDirectAnswer(await executor(this.context, call as never));
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      return { outcome: thrown.reason, detail: thrown.detail, errors: thrown.errors, text: '', json: {} };
    }
  }

  /** The same for a stream, as it comes; throws what refuses it. */
  async streamBy(row: Operation, executor: Executor, resource: Resource, asking: DirectAsking): Promise<Response> {
    const { body } = await executor(this.context, (await toCall(this.#toAsking(row, resource, asking), Date.now())) as never);
    return new Response(body);
  }

  #toAsking(operation: Operation, resource: Resource, asking: DirectAsking & { readonly parsed?: unknown }) {
    const { id = '', principal = ada, query = '', ifMatch, ifNoneMatch, idempotencyKey, msLeft = operation.msMax, atLeast } = asking;
    const headers: Partial<Record<CarriedHeader, string | undefined>> = {
      'if-match': ifMatch, 'if-none-match': ifNoneMatch, 'idempotency-key': idempotencyKey, 'tombolo-keeps': asking.keeps?.join(),
      'tombolo-delivery': asking.delivery,
    };
    return {
      operation, resource, principal, atLeast,
      id: id === '' ? '' : toCanonicalId(resource, id),
      input: 'parsed' in asking ? { parsed: asking.parsed } : { query },
      header: (header: CarriedHeader) => headers[header] ?? null,
      body: async () => toSent(operation, asking),
      deadline: Date.now() + msLeft,
      nonce: undefined, traceId: undefined, requestId: `req_${crypto.randomUUID()}`,
      tokenKey: this.context.settings.keys[0],
    };
  }
}

function toSent({ body: kind }: Operation, { body = '', mediaType }: DirectAsking): SentBody {
  if (kind === 'none') return undefined;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (kind === 'buffered') return { text, contentType: mediaType ?? null };
  return { mediaType: mediaType ?? 'application/x-ndjson', chunks: new Blob([text]).stream() };
}

async function toDirectAnswer({ body, ...answer }: Answer): Promise<DirectAnswer> {
  const text = body === undefined ? '' : await new Response(body).text();
  const isDocument = answer.mediaType === 'application/json';
  return { ...answer, detail: undefined, errors: [], text, json: isDocument ? (JSON.parse(text) as JsonObject) : {} };
}
