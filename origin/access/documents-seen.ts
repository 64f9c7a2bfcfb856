/**
 * Documents of any served resource, as somebody may see them: what an endpoint's handler reads by. The row rule, the field
 * rules and the shapes hold in each method here; to read past the rules is `asSystem`, by that name.
 */
import { dependenciesOfDocument, dependenciesOfList } from '../../shared/contract/dependencies.ts';
import { toCanonicalId } from '../../shared/contract/ids.ts';
import { type ListQuery, parseListQuery } from '../../shared/contract/query.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { JsonObject, Scalar } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { inStore } from '../documents/in-store.ts';
import { countFound, readPage } from '../documents/page.ts';
import { shownCopy, visible } from '../documents/present.ts';
import { readOptions } from '../documents/representation.ts';
import { mustBeServable } from '../documents/servable.ts';
import { asDocument, type DocumentOf } from './document-of.ts';
import type { ReadLedger } from './read-ledger.ts';

/** The parameters of a list as its URL has them; several values are `[in]`, and what is `undefined` is not asked. */
export type Listing = Readonly<Record<string, Scalar | readonly Scalar[] | undefined>>;

export interface Listed<R extends Resource> {
  readonly data: readonly DocumentOf<R>[];
  /** The cursor of the next page, for `after`. */
  readonly next: string | undefined;
}

/** On whose behalf a resource is read or written: the call as if it had been about that resource. */
export type OnBehalf = (resource: Resource, id?: string) => Asked;

export class DocumentsSeen {
  readonly #context: Context;
  readonly #onBehalf: OnBehalf;
  readonly #ledger: ReadLedger;

  constructor(context: Context, onBehalf: OnBehalf, ledger: ReadLedger) {
    this.#context = context;
    this.#onBehalf = onBehalf;
    this.#ledger = ledger;
  }

  /** `undefined`: there is none, or none that may be seen. */
  async get<R extends Resource>(declared: R, given: string): Promise<DocumentOf<R> | undefined> {
    const asked = this.#asked(declared);
    const { resource } = asked;
    const id = toCanonicalId(resource, given);
    const read = this.#context.store.get(resource, id, readOptions(asked));
    const { value } = await this.#ledger.reading(dependenciesOfDocument(resource, id), read);
    const document = visible(value, asked.rights.readable);
    if (document === undefined) return undefined;
    mustBeServable(resource, document);
    return asDocument<R>(shownCopy(asked, document));
  }

  /** A page, by a shape that the resource declares; 20 documents unless `limit` says otherwise, 200 at most. */
  async list<R extends Resource>(resource: R, listing: Listing = {}): Promise<Listed<R>> {
    const asked = this.#asked(resource);
    if (asksForNone(listing)) return { data: [], next: undefined };
    const query = mustQuery(asked, listing);
    const { shown, pages } = await this.#ledger.reading(dependenciesOfList(resource, query), readPage(this.#context, asked, query));
    return { data: shown.map((pieces) => asDocument<R>(JSON.parse(pieces.join('')) as JsonObject)), next: pages.next };
  }

  /** How many documents a list would find in all, up to 50 000. */
  async count(resource: Resource, listing: Listing = {}): Promise<number> {
    const asked = this.#asked(resource);
    if (asksForNone(listing)) return 0;
    const query = mustQuery(asked, listing);
    const read = countFound(this.#context.store, asked, query, limits.countMax);
    const { value } = await this.#ledger.reading(dependenciesOfList(resource, query), read);
    return value.count;
  }

  #asked(resource: Resource): Asked {
    return this.#onBehalf(mustBeServed(this.#context, resource));
  }
}

/** As it is served: what the contract says of the resource of that name holds, and of a collection that others made. */
export function mustBeServed({ contract, store }: Context, { name }: Resource): Resource {
  const found = contract.resources.get(name);
  if (found === undefined) throw new Error(`the resource "${name}" is not served`);
  return inStore(store, found);
}

/** An `in` of no value, which no document meets. */
function asksForNone(listing: Listing): boolean {
  return Object.values(listing).some((value) => Array.isArray(value) && value.length === 0);
}

/** What no shape serves is a mistake of the handler, and not of its caller. */
function mustQuery({ resource }: Asked, listing: Listing): ListQuery {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(listing)) for (const [key, text] of toParameters(name, value)) parameters.append(key, text);
  try {
    if (listing['distinct'] !== undefined) throw new Error(`list of ${resource.name}: distinct lists no documents`);
    const query = parseListQuery(resource, parameters.size === 0 ? '' : `?${parameters}`);
    if (query.expand === undefined) return query;
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.reason !== 'query_not_served') throw thrown;
    throw new Error(`list of ${resource.name}: ${thrown.detail ?? thrown.reason}`, { cause: thrown });
  }
  throw new Error(`list of ${resource.name}: an endpoint reads related documents by themselves`);
}

function toParameters(name: string, value: Listing[string]): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  const values = typeof value === 'object' ? value : [value];
  return values.length === 1 ? [[name, String(values[0])]] : values.map((each) => [`${name}[in]`, String(each)] as const);
}
