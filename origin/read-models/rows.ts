/** Rows of a read model, made of the documents of their keys. */
import { isNameable, toCanonicalId } from '../../shared/contract/ids.ts';
import { readRule } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { anyone, branchesOf, type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import { coveringIndex, isByEntries, type SortKey, toIndex } from '../../shared/contract/shapes.ts';
import type { Position } from '../../shared/wire/position.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { asDocument, type DocumentOf } from '../access/document-of.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import { asSystem } from '../access/on-behalf.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { declaredIn } from '../documents/declared.ts';
import { mustMake } from '../documents/new-document.ts';
import { mustRemove } from '../documents/removed.ts';
import { isServable } from '../documents/servable.ts';
import { toDecide } from '../documents/write-one.ts';
import { mustReplace } from '../documents/write-rules.ts';
import { consumerLimits } from '../feed/consumer.ts';
import type { ListRequest, Mutation, ReadOptions } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { readModelLimits } from './limits.ts';
import type { ReadModel, Source, SourceDocuments } from './read-model.ts';
import { writingBeside } from './rows-beside.ts';

/** An order of a shape in whose index the documents of a key stand together; `undefined`: there is none. */
export function orderOf({ of, by, where }: Source): readonly SortKey[] | undefined {
  const shapes = of.shapes.filter(({ equal }) => equal.length === 1 && equal[0] === by).filter((shape) => !isByEntries(shape));
  const branches = branchesOf(readRule(where ?? anyone, of.removal));
  return shapes.flatMap(({ sorts }) => sorts).find((sort) =>
    branches.every((branch) => coveringIndex(of.indexes, toIndex([...branch, by], sort, () => false)) !== undefined));
}

function predicateOf({ of, where }: Source): Predicate {
  return reduce(readRule(where ?? anyone, of.removal), anonymous);
}

/** What a row may be called by; `undefined`: another program wrote what is no key. */
export function keyIn({ into }: ReadModel, { by }: Source, document: JsonObject): string | undefined {
  const value = document[by];
  if (typeof value !== 'string') return undefined;
  const key = toCanonicalId(into, value);
  return isNameable(key) ? key : undefined;
}

export class Rows {
  readonly #model: ReadModel;
  readonly #context: Context;
  readonly #onTrouble: (message: string, cause: unknown) => void;

  constructor(model: ReadModel, context: Context, onTrouble: (message: string, cause: unknown) => void) {
    this.#model = model;
    this.#context = context;
    this.#onTrouble = onTrouble;
  }

  /** Writes of the rows of these keys as their documents are at `atLeast` or later, where they are served or beside. */
  async make(
    keys: Iterable<string>, { isBeside, atLeast }: { readonly isBeside: boolean; readonly atLeast: Position }, signal: AbortSignal,
  ): Promise<readonly Mutation[]> {
    const mutations: Mutation[] = [];
    for (const key of keys) {
      signal.throwIfAborted();
      const row = await this.#made(key, { atLeast, deadline: Date.now() + consumerLimits.handleMsMax });
      mutations.push(isBeside ? writingBeside(this.#model.name, key, row) : this.write(key, row));
    }
    return mutations;
  }

  async #made(key: string, options: ReadOptions): Promise<JsonObject | undefined> {
    const { name, into, make } = this.#model;
    const documents: SourceDocuments = (source) => this.#documents(source, key, options);
    try {
      const made = await make(key, documents);
      if (made === undefined) return undefined;
      const { data, error } = into.schema.safeParse(made);
      if (error === undefined) return data as JsonObject;
      throw new Error(`the row of ${key} does not fit ${into.name} at /${error.issues[0]?.path.map(String).join('/') ?? ''}`);
    } catch (cause) {
      if (!(cause instanceof TooMany)) throw cause;
      this.#onTrouble(`read model ${name}: ${cause.message}, so there is no row of it`, undefined);
      return undefined;
    }
  }

  async *#documents<R extends Resource>(declared: R, key: string, options: ReadOptions): AsyncGenerator<DocumentOf<R>> {
    const source = this.#model.from.find(({ of }) => of.name === declared.name);
    if (source === undefined) throw new Error(`read model ${this.#model.name} does not declare that it reads "${declared.name}"`);
    const resource = mustBeServed(this.#context, declared);
    const where = predicateOf(source);
    let count = 0;
    for await (const document of this.#stored(source, resource, key, options)) {
      if (++count > readModelLimits.documentsOfKeyMax) throw new TooMany(`${key} has more than ${count - 1} ${resource.name}`);
      const { value } = declaredIn(resource, document);
      if (satisfies(document.value, where) && isServable(resource, value)) yield asDocument<R>(value);
    }
  }

  async *#stored(source: Source, resource: Resource, key: string, options: ReadOptions): AsyncGenerator<StoredDocument> {
    const { store } = this.#context;
    if (source.by === 'id') return yield* (await store.many(resource, [key], options)).value;
    const { pageMax } = readModelLimits;
    const where = predicateOf(source);
    const sort = orderOf(source) ?? [];
    let after: ListRequest['after'];
    do {
      const request: ListRequest = { equal: { [source.by]: [key] }, range: undefined, sort, where, after, limit: pageMax };
      const rows: Awaited<ReturnType<typeof store.list>>['value'] = (await store.list(resource, request, options)).value;
      for (const { document } of rows) yield document;
      after = rows.length < pageMax ? undefined : rows.at(-1)?.keys;
    } while (after !== undefined);
  }

  /** The row as it is served; `undefined`: there is none. */
  write(key: string, row: JsonObject | undefined): Mutation {
    const { now } = this.#context;
    const resource = mustBeServed(this.#context, this.#model.into);
    const asked = asSystem(this.#asked())(resource, key);
    const decide = toDecide(this.#context, asked, (found) => {
      if (row === undefined) return found === undefined ? 'keep' : mustRemove(asked, found, now());
      if (found === undefined) return mustMake(asked, { id: key, body: row, nowMs: now() });
      return mustReplace(asked, { id: key, before: found.value, sent: row, value: row, nowMs: now() });
    });
    return { resource: asked.resource, id: key, decide };
  }

  /** What a call would say if anybody had asked. */
  #asked(): Asked {
    const { settings, beforeWrites } = this.#context;
    const { name, into } = this.#model;
    return {
      operation: { name: `read model ${name}`, right: 'read' },
      resource: into, id: '', principal: anonymous, rights: { readable: true, writable: true },
      preconditions: { ifMatch: undefined, ifNoneMatch: undefined }, idempotency: undefined, nonce: undefined,
      deadline: Date.now() + consumerLimits.writeMsMax, atLeast: undefined, tokenKey: settings.keys[0], requestId: `read model ${name}`,
      traceId: undefined, beforeWrites,
    };
  }
}

class TooMany extends Error {}
