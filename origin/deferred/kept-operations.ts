/** Operations that go on behind their answers, and what they answered, in the store. */
import { deferredLimits } from '../../shared/deferred/limits.ts';
import { deferred, deferredParts } from '../../shared/deferred/resource.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { ListRequest, Mutation, ReadOptions, Row, Store, WriteOptions } from '../store/store.ts';
import { documentOf, operationIn, type StoredOperation } from './stored-operation.ts';

/** Throws a Fault where it is refused; `undefined` removes it. */
type Change = (there: StoredOperation | undefined) => StoredOperation | undefined;

type InTime = Pick<WriteOptions, 'deadline' | 'nonce'>;

export class KeptOperations {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async find(id: string, options: ReadOptions) {
    const { value, position } = await this.#store.get(deferred, id, options);
    return { operation: value === undefined ? undefined : operationIn(value), position };
  }

  async change(id: string, change: Change, options: InTime = inTime()): Promise<void> {
    const mutation: Mutation = {
      resource: deferred, id,
      decide: (before) => {
        try {
          const operation = change(before === undefined ? undefined : operationIn(before));
          return operation === undefined ? { kind: 'remove' } : { kind: 'put', document: documentOf(operation) };
        } catch (thrown) {
          return { kind: 'refuse', fault: toFault(thrown) };
        }
      },
    };
    const { outcomes: [outcome] } = await this.#store.write([mutation], options);
    if (outcome?.kind === 'refused') throw outcome.fault;
  }

  /** Those of an owner, the first made first. */
  async of(owner: string): Promise<readonly { id: string; operation: StoredOperation }[]> {
    const { keptOfOneMax, ofOneMax } = deferredLimits;
    const request = { ...oldest, equal: { owner: [owner] }, limit: 2 * (keptOfOneMax + ofOneMax) };
    const { value } = await this.#store.list(deferred, request, inTime());
    return value.map(({ document }) => ({ id: document.id, operation: operationIn(document) }));
  }

  /** Removes what has been kept until then; whether there may be more. */
  async sweep(nowMs: number): Promise<boolean> {
    const { value } = await this.#store.list(deferred, toEnded(nowMs), inTime());
    for (const { document: { id } } of value) await this.forget(id);
    return value.length === deferredLimits.removedAtOnce;
  }

  /** What it answered goes first: who is interrupted leaves an operation that is found again. */
  async forget(id: string): Promise<void> {
    await this.forgetParts(id);
    await this.#store.write([removalOf(deferred, id)], inTime());
  }

  async forgetParts(id: string): Promise<void> {
    for (let parts = await this.#partsOf(id); parts.length > 0; parts = await this.#partsOf(id)) {
      await this.#store.write(parts.map(({ document }) => removalOf(deferredParts, document.id)), inTime());
    }
  }

  async #partsOf(id: string): Promise<readonly Row[]> {
    const request = { ...oldest, equal: { of: [id] }, limit: deferredLimits.removedAtOnce };
    return (await this.#store.list(deferredParts, request, inTime())).value;
  }

  async keepPart(of: string, number: number, text: string): Promise<void> {
    const document: JsonObject = { of, text };
    const mutation: Mutation = { resource: deferredParts, id: `${of}-${number}`, decide: () => ({ kind: 'put', document }) };
    const { outcomes: [outcome] } = await this.#store.write([mutation], inTime());
    if (outcome?.kind === 'refused') throw outcome.fault;
  }

  async *parts(of: string, count: number): AsyncGenerator<Uint8Array, void> {
    for (let number = 0; number < count; number++) {
      const { value } = await this.#store.get(deferredParts, `${of}-${number}`, inTime());
      if (value === undefined) throw new Fault('document_not_found', { detail: 'it was forgotten meanwhile' });
      yield new TextEncoder().encode(String(value.value['text']));
    }
  }
}

function inTime(): { readonly deadline: number } {
  return { deadline: Date.now() + limits.requestMsMax };
}

const oldest = { range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined } as const;

function toEnded(nowMs: number): ListRequest {
  return {
    equal: {}, range: { field: 'keptUntil', bounds: { lt: new Date(nowMs).toISOString() } }, where: true, after: undefined,
    sort: [{ field: 'keptUntil', descending: false }, { field: 'id', descending: false }], limit: deferredLimits.removedAtOnce,
  };
}

function removalOf(resource: Mutation['resource'], id: string): Mutation {
  return { resource, id, decide: (before) => ({ kind: before === undefined ? 'keep' : 'remove' }) };
}
