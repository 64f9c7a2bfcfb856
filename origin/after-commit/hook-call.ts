/**
 * What the handler of a hook is given: documents of every served resource, changes of those that it declares, a guarded way
 * out to the hosts that it declares, and its event's signal, log and clock. Nobody asked for the event, so all of it is done as
 * the system, past the rules of rows and fields; what a document must be stays, and so do hooks before a write. Reads are of a
 * state at or after the event.
 */
import type * as z from 'zod';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Environment } from '../../shared/settings/reader.ts';
import type { Position } from '../../shared/wire/position.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { DocumentOf } from '../access/document-of.ts';
import { type Change, type Condition, DocumentsChanged, type Enqueued, type Patch } from '../access/documents-changed.ts';
import { DocumentsSeen } from '../access/documents-seen.ts';
import { type Fetched, type Fetching, guardedFetch } from '../access/guarded-fetch.ts';
import { asSystem } from '../access/on-behalf.ts';
import { ReadLedger } from '../access/read-ledger.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import type { Enqueuing } from '../job-queue/enqueue.ts';
import type { Job } from '../job-queue/job.ts';
import type { AfterCommit } from './after-commit.ts';

/** Values of marked fields; `null` takes one out. */
type Marked<Of extends Resource, Mark extends string> = {
  readonly [Name in Mark & keyof z.output<Of['schema']>]?: z.output<Of['schema']>[Name] | null;
};

export interface Telling {
  readonly hook: Pick<AfterCommit, 'name' | 'of' | 'fetches'>;
  readonly position: Position;
  readonly eventId: string;
  readonly signal: AbortSignal;
  /** Milliseconds of the epoch. */
  readonly deadline: number;
}

export class HookCall<Of extends Resource = Resource, To extends Resource = Resource, Mark extends string = string> extends DocumentsSeen {
  readonly #context: Context;
  readonly #telling: Telling;
  readonly #changed: DocumentsChanged;
  readonly environment: Environment;

  constructor(context: Context, telling: Telling) {
    const onBehalf = asSystem(toAsked(context, telling));
    const ledger = new ReadLedger();
    super(context, onBehalf, ledger);
    this.#context = context;
    this.#telling = telling;
    this.#changed = new DocumentsChanged(context, onBehalf, ledger);
    this.environment = context.settings.environment;
  }

  /** A new document, under the id in it where callers name documents. */
  create<R extends To>(resource: R, body: JsonObject): Change<DocumentOf<R>> {
    return this.#changed.create(resource, body);
  }

  /** Lays a merge patch over a document as it is inside the transaction; `toPatch` answers at once, maybe more than once. */
  merge<R extends To>(resource: R, id: string, toPatch: (seen: DocumentOf<R>) => Patch, condition?: Condition): Change<DocumentOf<R>> {
    return this.#changed.merge(resource, id, toPatch, condition);
  }

  /** A job that is enqueued with the hook's other changes, once. It has no owner. */
  enqueue<Payload extends z.ZodType>(job: Job<Payload>, payload: z.input<Payload>, how?: Enqueuing): Change<Enqueued> {
    return this.#changed.enqueue(job, payload, how);
  }

  remove(resource: To, id: string, condition?: Condition): Change<undefined> {
    return this.#changed.remove(resource, id, condition);
  }

  /** Writes marked fields of a document of the hook's own resource. */
  mark(id: string, toMarks: (seen: DocumentOf<Of>) => Marked<Of, Mark>): Change<DocumentOf<Of>> {
    const { of } = this.#telling.hook;
    return asOwn<Of>(this.#changed.merge(of, id, (seen) => toMarks(seen as DocumentOf<Of>) as Patch));
  }

  /** Aborts when the time for the event is over, or the origin stops. */
  get signal(): AbortSignal {
    return this.#telling.signal;
  }

  /** Its lines name the hook and the event. */
  get log(): Context['log'] {
    const { hook, eventId } = this.#telling;
    return this.#context.log.child({ hook: hook.name, eventId });
  }

  /** HTTPS to the hosts that the hook declares. It may be asked again for the same event: send the event's id along. */
  fetch(url: string, fetching?: Fetching): Promise<Fetched> {
    return guardedFetch({ hosts: this.#telling.hook.fetches, signal: this.signal })(url, fetching);
  }

  /** Milliseconds of the epoch. */
  now(): number {
    return this.#context.now();
  }
}

/** A telling's hook is of the resource that the call is typed by. */
function asOwn<Of extends Resource>(change: Change): Change<DocumentOf<Of>> {
  return change as Change<DocumentOf<Of>>;
}

/** What a call would say if anybody had asked. */
function toAsked({ settings, beforeWrites }: Context, { hook, position, eventId, deadline }: Telling): Asked {
  return {
    operation: { name: `hook ${hook.name}`, right: 'read' },
    resource: hook.of, id: '', principal: anonymous, rights: { readable: true, writable: true },
    preconditions: { ifMatch: undefined, ifNoneMatch: undefined }, idempotency: undefined, nonce: undefined,
    deadline, atLeast: position, tokenKey: settings.keys[0], requestId: eventId, traceId: undefined, beforeWrites,
  };
}
