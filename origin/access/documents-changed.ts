/**
 * Changes that an endpoint's effect makes of documents, each decided inside one transaction on the document as it is there:
 * by the rules of its resource, the field rules and conditions, or past them as the system. To the handler a change is
 * opaque; what stands behind it is found here, by `write` alone.
 */
import type * as z from 'zod';
import { bodiesOf, mustBody } from '../../shared/contract/documents.ts';
import { toCanonicalId } from '../../shared/contract/ids.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { creating, type Decide, merging, type Now, removing } from '../documents/decisions.ts';
import { newId } from '../documents/new-document.ts';
import { type Deciding, toDecide } from '../documents/write-one.ts';
import type { Mutation } from '../store/store.ts';
import { asDocument, type DocumentOf } from './document-of.ts';
import { DocumentsSeen, mustBeServed, type OnBehalf } from './documents-seen.ts';
import type { ReadLedger } from './read-ledger.ts';
import { type Enqueuing, enqueuing } from '../job-queue/enqueue.ts';
import type { JobKind } from '../job-queue/job-kind.ts';

declare const leaves: unique symbol;

/** `Left`: what the document is after it, as seen by whoever made the change. */
export interface Change<Left = unknown> {
  readonly [leaves]: Left;
}

interface Planned {
  readonly asked: Asked;
  readonly mutation: Mutation;
}

const planned = new WeakMap<Change, Planned>();

export function plannedOf(change: Change): Planned {
  const found = planned.get(change);
  if (found === undefined) throw new Error('a change is made by create(), merge() or remove()');
  return found;
}

/** What of an enqueued job is told at once. */
export interface Enqueued {
  readonly id: string;
}

/** A merge patch (RFC 7396): `null` takes a field out. */
export type Patch = Readonly<Record<string, Json>>;

export interface Condition {
  /** The ETag of the document as it was read. */
  readonly ifMatch?: string;
}

export class DocumentsChanged extends DocumentsSeen {
  readonly #deciding: Deciding;
  readonly #now: Now;
  readonly #onBehalf: OnBehalf;
  readonly #served: (resource: Resource) => Resource;

  constructor(context: Context, onBehalf: OnBehalf, ledger: ReadLedger) {
    super(context, onBehalf, ledger);
    this.#deciding = context;
    this.#now = () => context.now();
    this.#onBehalf = onBehalf;
    this.#served = (resource) => mustBeServed(context, resource);
  }

  /** A new document, under the id in it where callers name documents. */
  create<R extends Resource>(declared: R, body: JsonObject): Change<DocumentOf<R>> {
    const resource = this.#served(declared);
    const { id: given, ...value } = mustBody(bodiesOf(resource).create, body);
    const isFresh = typeof given !== 'string';
    const id = isFresh ? newId(resource, this.#now()) : given;
    const asked = this.#onBehalf(resource, id);
    return plan<DocumentOf<R>>(this.#deciding, asked, creating(asked, value, this.#now), isFresh);
  }

  /**
   * Lays a merge patch over a document, whose result must be valid. `toPatch` runs inside the transaction, maybe more than
   * once, on the document as it is there; it answers at once, and a Fault that it throws refuses the whole write.
   */
  merge<R extends Resource>(
    declared: R,
    given: string,
    toPatch: (seen: DocumentOf<R>) => Patch,
    condition: Condition = {},
  ): Change<DocumentOf<R>> {
    const resource = this.#served(declared);
    const asked = under(this.#onBehalf(resource, toCanonicalId(resource, given)), condition);
    const toSent = (seen: () => JsonObject) => mustBody(bodiesOf(resource).patch, toPatch(asDocument<R>(seen())));
    return plan<DocumentOf<R>>(this.#deciding, asked, merging(asked, toSent, this.#now));
  }

  /** A job that is there once the write is committed; its owner is whoever the call is of. */
  enqueue<Payload extends z.ZodType>(job: JobKind<Payload>, payload: z.input<Payload>, how: Enqueuing = {}): Change<Enqueued> {
    const asked = this.#onBehalf(jobs);
    const mutation = enqueuing(job, payload, how, { ...asked, nowMs: this.#now() });
    const change = opaque<Enqueued>();
    planned.set(change, { asked: { ...asked, id: mutation.id }, mutation });
    return change;
  }

  remove(declared: Resource, given: string, condition: Condition = {}): Change<undefined> {
    const resource = this.#served(declared);
    const asked = under(this.#onBehalf(resource, toCanonicalId(resource, given)), condition);
    return plan<undefined>(this.#deciding, asked, removing(asked, this.#now));
  }
}

function under(asked: Asked, { ifMatch }: Condition): Asked {
  return ifMatch === undefined ? asked : { ...asked, preconditions: { ifMatch, ifNoneMatch: undefined } };
}

function plan<Left>(deciding: Deciding, asked: Asked, decide: Decide, isFresh = false): Change<Left> {
  const change = opaque<Left>();
  const { resource, id } = asked;
  planned.set(change, { asked, mutation: { resource, id, isFresh, decide: toDecide(deciding, asked, decide, isFresh) } });
  return change;
}

/** The type of what is left is for the compiler alone. */
function opaque<Left>(): Change<Left> {
  return Object.freeze({}) as Change<Left>;
}
