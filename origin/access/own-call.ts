/**
 * What the handler of an endpoint is given (SEMANTICS §18): its input, the documents of every served resource as its caller
 * may see them, a guarded way out, the call's signal, log and clock; and, for an effect, changes of several documents in one
 * transaction. The store stays in private members, out of reach of a cast. What a state's answer is made of is noted.
 */
import type * as z from 'zod';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Endpoint } from '../../shared/operations/endpoint.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import type { Environment } from '../../shared/settings/reader.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import type { Enqueuing } from '../job-queue/enqueue.ts';
import type { Job } from '../job-queue/job.ts';
import type { DocumentOf } from './document-of.ts';
import { type Change, type Condition, DocumentsChanged, type Enqueued, type Patch } from './documents-changed.ts';
import { DocumentsSeen, type OnBehalf } from './documents-seen.ts';
import { type Fetched, type Fetching, guardedFetch } from './guarded-fetch.ts';
import { asSystem, onBehalfOf } from './on-behalf.ts';
import { ReadLedger } from './read-ledger.ts';

/** A call of an endpoint, parsed by its row. */
export type EndpointCall<Row extends Endpoint = Endpoint> = Asked & {
  readonly operation: Row;
  readonly given: z.output<Row['input']>;
  /** The document of its path, where it has one, as its caller sees it. */
  readonly shown: DocumentOf<Row['of']> | undefined;
};

/** Whoever the answer is read for. */
export function readerOf({ operation, principal }: Pick<EndpointCall, 'operation' | 'principal'>): Principal {
  return operation.audience === 'everybody' ? anonymous : principal;
}

export class ReadCall<Row extends Endpoint = Endpoint> extends DocumentsSeen {
  readonly #context: Context;
  readonly #call: EndpointCall<Row>;
  readonly #ledger: ReadLedger;
  /** Made for those who ask for it, since each is a timer. */
  #signal: AbortSignal | undefined;
  readonly input: z.output<Row['input']>;
  /** The id in the path; empty where there is none. */
  readonly id: string;
  readonly environment: Environment;

  constructor(context: Context, call: EndpointCall<Row>, ledger: ReadLedger) {
    super(context, noting(call, ledger, onBehalfOf(call, readerOf(call))), ledger);
    this.#context = context;
    this.#call = call;
    this.#ledger = ledger;
    this.input = call.given;
    this.id = call.id;
    this.environment = context.settings.environment;
  }

  /** Reads past all rules: what of it is answered is the handler's to decide. A list needs an index that begins without the rule. */
  get asSystem(): DocumentsSeen {
    return new DocumentsSeen(this.#context, noting(this.#call, this.#ledger, asSystem(this.#call)), this.#ledger);
  }

  /** The document of the path as the caller sees it; one that is not there, or hidden, was answered 404 before. */
  get document(): DocumentOf<Row['of']> {
    if (this.#call.shown === undefined) throw new Error(`endpoint "${this.#call.operation.name}" is about no document`);
    return this.#call.shown;
  }

  /** Whoever asks. A state for everybody is read for nobody; another that looks here depends on more than what it reads. */
  get principal(): Principal {
    this.#ledger.cannotBeCached('principal');
    return readerOf(this.#call);
  }

  /** Aborts when the call's time is over. */
  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.timeout(Math.max(1, this.#call.deadline - this.#context.now()));
    return this.#signal;
  }

  /** Its lines name the endpoint and the request. */
  get log(): Context['log'] {
    const { operation, requestId, traceId } = this.#call;
    return this.#context.log.child({ endpoint: operation.name, requestId, traceId });
  }

  /** HTTPS to the hosts that the endpoint declares. No change of the database says when such an answer is an old one. */
  fetch(url: string, fetching?: Fetching): Promise<Fetched> {
    this.#ledger.cannotBeCached('fetch');
    return guardedFetch({ hosts: this.#call.operation.fetches, signal: this.signal })(url, fetching);
  }

  /** Milliseconds of the epoch. A state that looks at the clock is not cached. */
  now(): number {
    this.#ledger.cannotBeCached('clock');
    return this.#context.now();
  }
}

/** A state answers for the resources that it declares: an edge knows of no other that the answer depends on. */
function noting({ operation }: EndpointCall, ledger: ReadLedger, onBehalf: OnBehalf): OnBehalf {
  const declared = new Set([operation.of, ...operation.reads].map(({ name }) => name));
  return (resource, id) => {
    if (isSafe(operation) && !declared.has(resource.name)) ledger.cannotBeCached('undeclared-read');
    return onBehalf(resource, id);
  };
}

declare const written: unique symbol;

/** What `write` gives, and an effect's handler answers with. */
export interface Wrote<Output> {
  readonly [written]: Output;
}

/** What each change leaves, in order. */
type Left<Changes extends readonly Change[]> = {
  readonly [Index in keyof Changes]: Changes[Index] extends Change<infer One> ? One : never;
};

/** Carries the changes out in one transaction; `toOutput` runs inside it where the answer is recorded. */
export type Write<Output> = (changes: readonly Change[], toOutput: (left: readonly unknown[]) => Output) => Promise<Wrote<Output>>;

export class WriteCall<Row extends Endpoint = Endpoint> extends ReadCall<Row> {
  readonly #own: DocumentsChanged;
  readonly #system: DocumentsChanged;
  readonly #write: Write<z.output<Row['output']>>;

  constructor(context: Context, call: EndpointCall<Row>, write: Write<z.output<Row['output']>>) {
    const ledger = new ReadLedger();
    super(context, call, ledger);
    this.#own = new DocumentsChanged(context, onBehalfOf(call, call.principal), ledger);
    this.#system = new DocumentsChanged(context, asSystem(call), ledger);
    this.#write = write;
  }

  /** Reads and changes past all rules: who may ask for them, the endpoint's own rule says, and what, its handler. */
  override get asSystem(): DocumentsChanged {
    return this.#system;
  }

  create<R extends Resource>(resource: R, body: JsonObject): Change<DocumentOf<R>> {
    return this.#own.create(resource, body);
  }

  merge<R extends Resource>(
    resource: R,
    id: string,
    toPatch: (seen: DocumentOf<R>) => Patch,
    condition?: Condition,
  ): Change<DocumentOf<R>> {
    return this.#own.merge(resource, id, toPatch, condition);
  }

  /** A job that is committed with the changes of the write; its owner is the caller. */
  enqueue<Payload extends z.ZodType>(job: Job<Payload>, payload: z.input<Payload>, how?: Enqueuing): Change<Enqueued> {
    return this.#own.enqueue(job, payload, how);
  }

  remove(resource: Resource, id: string, condition?: Condition): Change<undefined> {
    return this.#own.remove(resource, id, condition);
  }

  /**
   * All of the changes or none, in one transaction, which spends the call's nonce and its idempotency key: a call writes
   * once. `toOutput` makes the answer of what each change leaves, in their order.
   */
  write<const Changes extends readonly Change[]>(
    changes: Changes,
    toOutput: (left: Left<Changes>) => z.output<Row['output']>,
  ): Promise<Wrote<z.output<Row['output']>>> {
    return this.#write(changes, (left) => toOutput(left as Left<Changes>));
  }
}
