/**
 * What the handler of an operation that changes something is given: the reads of the others, and writes that hold to
 * the rule of what is done on both images, to the field rules and to the preconditions, in the order of SEMANTICS §8,
 * inside the transaction and on the document as it is there. Each answers the document as its caller may see it.
 *
 * A call writes once: its nonce and its idempotency key are spent in that write's own transaction.
 */
import type { Edit } from '../../shared/changes/edit.ts';
import { bodiesOf, documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import { mustKnow } from '../../shared/contract/settled.ts';
import { withoutKept } from '../../shared/contract/system-fields.ts';
import type { OnDuplicate } from '../../shared/operations/import-query.ts';
import type { BufferedBody } from '../../shared/operations/operation.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { mustMake, newId, taken } from '../documents/new-document.ts';
import { shownCopy, visible } from '../documents/present.ts';
import { type OneWrite, writeOne } from '../documents/write-one.ts';
import { mustChange, mustMerge, mustReplace, mustTouch } from '../documents/write-rules.ts';
import { RowWriter } from '../import/row-writer.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { ReadAccess } from './read-access.ts';

export class WriteAccess extends ReadAccess {
  readonly #context: Context;
  readonly #call: Asked;
  #hasWritten = false;

  constructor(context: Context, call: Asked) {
    super(context, call);
    this.#context = context;
    this.#call = call;
  }

  /** A new document of what the schema made of a body, under the id in it or one of Tombolo's. */
  create({ id: given, ...body }: JsonObject): Promise<Answer> {
    const id = typeof given === 'string' ? given : newId(this.#call.resource, this.now());
    const document = mustMake(this.#call, { id, body, nowMs: this.now() });
    const decide = (found: StoredDocument | undefined) => {
      if (found !== undefined) throw taken(id);
      return document;
    };
    return this.#write({ id, decide, also: { createdId: id } });
  }

  /**
   * Lays a merge patch (RFC 7396) over the call's document. `toPatch` runs inside the transaction, maybe more than once,
   * and may look at a copy of the document as the caller sees it.
   */
  merge(toPatch: (seen: () => JsonObject) => JsonObject): Promise<Answer> {
    const call = this.#call;
    const decide = (found: StoredDocument | undefined) => {
      const before = mustTouch(call, 'update', found);
      return mustMerge(call, { id: call.id, before: before.value, sent: toPatch(() => shownCopy(call, before)), nowMs: this.now() });
    };
    return this.#write({ id: call.id, decide });
  }

  /** Changes the call's document place by place, as the caller sees it; `change` runs inside the transaction, maybe more than once. */
  change(change: (edit: Edit) => void): Promise<Answer> {
    const call = this.#call;
    const decide = (found: StoredDocument | undefined) => {
      const before = mustTouch(call, 'update', found);
      return mustChange(call, { id: call.id, before: before.value, seen: shownCopy(call, before), change, nowMs: this.now() });
    };
    return this.#write({ id: call.id, decide });
  }

  /**
   * Puts a whole document in the place of the call's. Where callers name documents it also creates (RFC 9110 §9.3.4),
   * which `If-None-Match: *` asks for alone; where Tombolo names them an unknown id is a 404. A document that the caller
   * may not see is answered like one that is not there; where one of its name would be made, its name is taken.
   */
  put(body: BufferedBody): Promise<Answer> {
    const call = this.#call;
    const decide = (found: StoredDocument | undefined) => {
      if (visible(found, call.rights.readable) === undefined && isNamedByCallers(call.resource)) return this.#mustMake(body, found);
      return mustReplace(call, { id: call.id, before: mustTouch(call, 'update', found).value, ...body, nowMs: this.now() });
    };
    return this.#write({ id: call.id, decide });
  }

  remove(): Promise<Answer> {
    const call = this.#call;
    return this.#write({ id: call.id, decide: (found) => (mustTouch(call, 'remove', found), 'remove') });
  }

  /** Rows of an upload, committed by batches. */
  rows(onDuplicate: OnDuplicate): Promise<RowWriter> {
    this.#mustBeFirst();
    return RowWriter.open(this.#context, this.#call, onDuplicate);
  }

  /** The document that a call makes under the id that it names, unless one of that name is hidden. */
  #mustMake({ sent, value }: BufferedBody, found: StoredDocument | undefined): JsonObject {
    const { id, resource } = this.#call;
    const named = bodiesOf(resource).id.safeParse(id);
    if (!named.success) throw documentInvalid(toFieldErrors(named.error).map((error) => ({ ...error, at: '/id' })));
    mustKnow(resource, withoutKept(resource, sent), undefined);
    const document = mustMake(this.#call, { id, body: withoutKept(resource, value), nowMs: this.now() });
    if (found !== undefined) throw taken(id);
    return document;
  }

  #write(write: OneWrite): Promise<Answer> {
    this.#mustBeFirst();
    return writeOne(this.#context.store, this.#call, write);
  }

  #mustBeFirst(): void {
    if (this.#hasWritten) throw new Error(`operation ${this.#call.operation.name}: a call writes once`);
    this.#hasWritten = true;
  }
}
