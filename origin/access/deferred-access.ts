/** What the handler of an operation on operations is given: those that its caller may see, and what their own answered. */
import { deferred } from '../../shared/deferred/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { OriginContext } from '../origin-context.ts';
import { hasPassed, isLost, isOpen, isOwn, isSeen, type StoredOperation, toShown } from '../deferred/stored-operation.ts';
import { absentAt, conditional, readOptions } from '../documents/representation.ts';
import { nonceOf } from '../documents/write-one.ts';
import { openPacedStream } from '../export/paced-stream.ts';
import { toTrouble } from '../trouble.ts';

export class DeferredAccess {
  readonly #context: OriginContext;
  readonly #call: Asked;

  constructor(context: OriginContext, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  async get(): Promise<StateAnswer> {
    const { operation, position } = await this.#context.deferrals.kept.find(this.#call.id, readOptions(this.#call));
    if (operation === undefined || !this.#sees(operation)) return absentAt(position);
    return conditional(this.#call, [this.#shown(operation)], { readAt: position });
  }

  /** Answers with its status as it was last; one that has ended is forgotten. */
  async cancel(): Promise<Answer> {
    const { deferrals } = this.#context;
    const { id, deadline } = this.#call;
    let last: StoredOperation | undefined;
    await deferrals.kept.change(id, (there) => {
      if (there === undefined || !this.#sees(there)) throw new Fault('document_not_found');
      last = this.#goesOn(there) ? { ...there, isCancelled: true } : there;
      return last;
    }, { deadline, ...nonceOf(this.#call) });
    if (last === undefined) throw new Error(`operation ${id} was written without a decision`);
    const answer = { body: this.#shown(last), mediaType: 'application/json' };
    if (this.#goesOn(last)) {
      deferrals.cancel(id);
      return { outcome: 'accepted', ...answer };
    }
    await deferrals.kept.forget(id);
    return { outcome: 'written', ...answer };
  }

  async result(): Promise<Answer> {
    const { deferrals, log } = this.#context;
    const { id, principal, requestId, traceId } = this.#call;
    const { operation } = await deferrals.kept.find(id, readOptions(this.#call));
    if (operation === undefined || !this.#sees(operation)) throw new Fault('document_not_found');
    if (!isOwn(operation, principal)) throw new Fault('forbidden', { detail: 'what it answered is for whoever asked' });
    const { mediaType, parts, state } = operation;
    if (mediaType === undefined) {
      const detail = this.#goesOn(operation) ? `it is ${state}: there is no answer yet` : 'it ended without an answer';
      throw new Fault('document_conflict', { detail });
    }
    const pace = { silenceMsMax: limits.exportSilenceMsMax, bytesPerSecondMin: limits.exportBytesPerSecondMin };
    const onCut = (cause: unknown) =>
      log.info({ requestId, traceId, ...toTrouble(cause) }, 'what an operation answered is not read to its end');
    return { outcome: 'streaming', mediaType, body: await openPacedStream(deferrals.kept.parts(id, parts), { pace, onCut }) };
  }

  #sees(operation: StoredOperation): boolean {
    return !hasPassed(operation, this.#context.now()) && isSeen(operation, this.#call.principal);
  }

  #goesOn(operation: StoredOperation): boolean {
    return isOpen(operation) && !isLost(operation, this.#context.now());
  }

  #shown(operation: StoredOperation): string {
    const { contract, now } = this.#context;
    const path = `/${contract.versions.current.name}/${deferred.name}/${this.#call.id}`;
    return JSON.stringify(toShown(this.#call.id, operation, { path, nowMs: now() }));
  }
}
