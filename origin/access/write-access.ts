/**
 * What the handler of an operation that changes something is given: the reads of the others, and writes that hold to
 * the rule of what is done on both images, to the field rules and to the preconditions, in the order of SEMANTICS §8,
 * inside the transaction and on the document as it is there. Each answers the document as its caller may see it.
 *
 * A call writes once: its nonce and its idempotency key are spent in that write's own transaction.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import type { ChangedItem, Patch } from '../../shared/operations/changed-items.ts';
import type { Step } from '../../shared/operations/steps.ts';
import type { OnDuplicate } from '../../shared/operations/import-query.ts';
import type { BufferedBody } from '../../shared/operations/operation.ts';
import type { UniqueValues } from '../../shared/operations/upsert-query.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { merging, type Now, patching, putting, removing } from '../documents/decisions.ts';
import { mustBePossible } from '../documents/impossible-change.ts';
import { mustMake, newId, taken } from '../documents/new-document.ts';
import { findFirst } from '../documents/page.ts';
import { asFound, partsOfChanges, partsOfOneChange, partsOfRemoved } from '../documents/parts.ts';
import { upsertOne } from '../documents/upsert.ts';
import { type OneWrite, writeOne } from '../documents/write-one.ts';
import { mustBeRemoved, mustRestore } from '../documents/removed.ts';
import { type Part, type Together, writeTogether } from '../documents/write-together.ts';
import { RowWriter } from '../import/row-writer.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { ReadAccess } from './read-access.ts';
import { transact } from './transaction-parts.ts';

export class WriteAccess extends ReadAccess {
  readonly #context: Context;
  readonly #call: Asked;
  readonly #now: Now;
  #hasWritten = false;

  constructor(context: Context, call: Asked) {
    super(context, call);
    this.#context = context;
    this.#call = call;
    this.#now = () => context.now();
  }

  /** A new document of what the schema made of a body, under the id in it or one of Tombolo's. */
  create({ id: given, ...body }: JsonObject): Promise<Answer> {
    const isFresh = typeof given !== 'string';
    const id = isFresh ? newId(this.#call.resource, this.now()) : given;
    const document = mustMake(this.#call, { id, body, nowMs: this.now() });
    const decide = (found: StoredDocument | undefined) => {
      if (found !== undefined) throw taken(id);
      return document;
    };
    return this.#write({ id, decide, also: { createdId: id }, isFresh });
  }

  /**
   * Lays a merge patch (RFC 7396) over the call's document. `toPatch` runs inside the transaction, maybe more than once,
   * and may look at a copy of the document as the caller sees it.
   */
  merge(toPatch: (seen: () => JsonObject) => JsonObject): Promise<Answer> {
    return this.#write({ id: this.#call.id, decide: merging(this.#call, toPatch, this.#now) });
  }

  /** Changes the call's document by a patch of any form. */
  patch(patch: Patch): Promise<Answer> {
    return this.#write({ id: this.#call.id, decide: patching(this.#call, patch, this.#now) });
  }

  /** Puts a whole document in the place of the call's. */
  put(body: BufferedBody): Promise<Answer> {
    return this.#write({ id: this.#call.id, decide: putting(this.#call, body, this.#now) });
  }

  /** Puts a whole document in the place of the one that has a unique key, or makes one. */
  upsert(body: BufferedBody, key: UniqueValues): Promise<Answer> {
    this.#mustBeFirst();
    return upsertOne(this.#context, this.#call, { body, ...key, now: () => this.now() });
  }

  remove(): Promise<Answer> {
    return this.#write({ id: this.#call.id, decide: removing(this.#call, this.#now) });
  }

  restore(): Promise<Answer> {
    const call = this.#call;
    return this.#write({ id: call.id, decide: (found) => mustRestore(call, found, this.now()) });
  }

  /** Takes a removed document out of the database. */
  erase(): Promise<Answer> {
    const call = this.#call;
    return this.#write({ id: call.id, decide: (found) => (mustBeRemoved(call, found), 'remove') });
  }

  /** Changes several documents of the call's resource, in one transaction. */
  patchEach(items: readonly ChangedItem[], how: Together): Promise<Answer> {
    return this.#together(partsOfChanges(this.#call, items, this.#now), how);
  }

  removeEach(ids: readonly string[], how: Together): Promise<Answer> {
    return this.#together(partsOfRemoved(this.#call, ids, this.#now), how);
  }

  /** Removes the first documents that a query finds among those that the caller sees, unless they change meanwhile. */
  removeFound(query: ListQuery, how: Together): Promise<Answer> {
    return this.#found(query, (ids) => partsOfRemoved(this.#call, ids, this.#now), how);
  }

  /** Changes the first documents that a query finds among those that the caller sees, unless others change them meanwhile. */
  async patchFound(query: ListQuery, patch: Patch, how: Together): Promise<Answer> {
    mustBePossible(this.#call.resource, patch);
    return this.#found(query, (ids) => partsOfOneChange(this.#call, ids, { patch, now: this.#now }), how);
  }

  async #found(query: ListQuery, partsOf: (ids: readonly string[]) => readonly Part[], how: Together): Promise<Answer> {
    const { documents, isMore } = await findFirst(this.#context.store, this.#call, query);
    return this.#together(asFound(partsOf(documents.map(({ id }) => id)), documents), { ...how, told: { more: isMore } });
  }

  /** Operations on documents of any served resource, all or none. */
  transact(steps: readonly Step[]): Promise<Answer> {
    this.#mustBeFirst();
    return transact(this.#context, this.#call, steps);
  }

  /** Rows of an upload, committed by batches. */
  rows(onDuplicate: OnDuplicate): Promise<RowWriter> {
    this.#mustBeFirst();
    return RowWriter.open(this.#context, this.#call, onDuplicate);
  }

  #write(write: OneWrite): Promise<Answer> {
    this.#mustBeFirst();
    return writeOne(this.#context, this.#call, write);
  }

  #together(parts: readonly Part[], how: Together): Promise<Answer> {
    this.#mustBeFirst();
    return writeTogether(this.#context, this.#call, parts, how);
  }

  #mustBeFirst(): void {
    if (this.#hasWritten) throw new Error(`operation ${this.#call.operation.name}: a call writes once`);
    this.#hasWritten = true;
  }
}
