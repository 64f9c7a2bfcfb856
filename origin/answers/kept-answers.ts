/**
 * Answers of states as they were made, in memory, so that what has not changed since is neither read nor written anew. One
 * is shown to whoever would get the same bytes: it is kept under the name that the edge's cache has for it, the scope of its
 * caller and the key that signs its cursors. It stands while nothing has changed that its row says it depends on
 * (SEMANTICS §1). It can be lost at any time, and is when the bytes are too many: the least recently used goes first.
 */
import type { Contract } from '../../shared/contract/contract.ts';
import type { Dependencies } from '../../shared/contract/dependencies.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import type { Cached, Operation } from '../../shared/operations/operation.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { Answer, Call } from '../call.ts';
import { type Representation, underConditions } from '../documents/representation.ts';
import type { Store, StoreNews } from '../store/store.ts';
import { Generations } from './generations.ts';

/** What an answer is kept under, and what it depends on. */
type Named = Pick<Cached, 'name' | 'dependencies'>;

interface Kept {
  readonly representation: Representation;
  /** The answer to whoever asks without conditions, as it was given last. */
  plain: Answer | undefined;
  readonly dependencies: Dependencies;
  readonly readAt: Position;
  /** As its collection had it. */
  readonly resource: Resource;
  readonly bytes: number;
}

export interface KeptAnswersOptions {
  readonly store: Pick<Store, 'news'>;
  readonly contract: Contract;
  /** What bodies, names and their surroundings may take together. */
  readonly bytesMax: number;
}

/** What an entry takes beside its body and its name, roughly. */
const entryBytes = 512;
/** One answer takes no more than this share of all. */
const shareMax = 1 / 16;

/**
 * `undefined`: nothing is to be kept, or the store does not tell what is new at the moment that it is asked. MongoDB tells by
 * its feed, and what is a little behind there would come on top of what the edge allows itself.
 */
export function openKeptAnswers({ store: { news }, contract, bytesMax }: KeptAnswersOptions): KeptAnswers | undefined {
  return bytesMax === 0 || news === undefined ? undefined : new KeptAnswers(news, contract, bytesMax);
}

export class KeptAnswers {
  readonly #bytesMax: number;
  readonly #news: StoreNews;
  readonly #generations: Generations;
  /** Up to here all that has changed is raised. */
  #through: Position;
  /** Answers by name, in order of use: a Map keeps insertion order, and a hit is inserted again. */
  readonly #kept = new Map<string, Kept>();
  /** How many there are of each resource. */
  readonly #counts = new Map<string, number>();
  #bytes = 0;
  #shown = 0;
  #made = 0;
  readonly #names = new WeakMap<Call<Operation>, Named>();

  constructor(news: StoreNews, contract: Contract, bytesMax: number) {
    this.#news = news;
    this.#bytesMax = bytesMax;
    this.#through = news.head();
    this.#generations = new Generations(contract, this.#through, (resource) => (this.#counts.get(resource) ?? 0) > 0);
  }

  /** Answers that were shown again, and that were made, since the start; and what those that are kept take. */
  get counts(): { readonly shown: number; readonly made: number; readonly bytes: number } {
    return { shown: this.#shown, made: this.#made, bytes: this.#bytes };
  }

  /** The answer that is kept to a call that is asked again. Where nobody could have changed it in between, it is the same object. */
  find(call: Call<Operation>): Answer | undefined {
    const named = this.#nameOf(call);
    return named === undefined ? undefined : this.#find(named.name, call);
  }

  /** The answer that is kept, under the conditions of this call; else the one that `make` makes, which is kept. */
  async answer(call: Call<Operation>, make: () => Promise<Answer>): Promise<Answer> {
    const named = this.#nameOf(call);
    if (named === undefined) return make();
    const { name, dependencies } = named;
    const known = this.#find(name, call);
    if (known !== undefined) return known;
    const answer = await make();
    this.#made++;
    this.#keep(name, call, dependencies, answer);
    return answer;
  }

  /** `undefined`: nothing is kept of its kind. */
  #nameOf(call: Call<Operation>): Named | undefined {
    const known = this.#names.get(call);
    if (known !== undefined) return known;
    const { operation, resource, id, input, principal, tokenKey } = call;
    const cached = operation.cached?.({ resource, id, input });
    if (cached === undefined) return undefined;
    const { name, dependencies } = cached;
    const named = { name: `${resource.name} ${tokenKey.id} ${scopeOf(resource, principal)} ${name}`, dependencies };
    this.#names.set(call, named);
    return named;
  }

  #find(name: string, call: Call<Operation>): Answer | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    const at = this.#look();
    const { atLeast } = call;
    if (at === undefined || !reaches(at, kept.readAt) || (atLeast !== undefined && !reaches(at, atLeast))) return undefined;
    if (kept.resource !== call.resource || !this.#generations.stand(kept.dependencies, kept.readAt)) {
      this.#drop(name, kept);
      return undefined;
    }
    this.#shown++;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    if (isConditional(call)) return underConditions(call, kept.representation, at);
    if (kept.plain?.readAt !== at) kept.plain = underConditions(call, kept.representation, at);
    return kept.plain;
  }

  /** Raises what has changed, also by other programs. Up to where all is known; `undefined`: not now. */
  #look(): Position | undefined {
    const news = this.#news.since(this.#through);
    if (news === undefined) return undefined;
    if (news.changes === undefined) this.#generations.restart(news.head);
    else if (news.changes.length > 0) this.#generations.raise(news.changes);
    this.#through = news.head;
    return this.#through;
  }

  #keep(name: string, { resource }: Call<Operation>, dependencies: Dependencies, answer: Answer): void {
    const { outcome, body, etag, mediaType, pages, readAt, alsoRead, stated } = answer;
    const isOfOne = alsoRead === undefined && stated === undefined && dependencies.every((each) => each.resource === resource.name);
    if (outcome !== 'found' || !isOfOne || !(body instanceof Uint8Array)) return;
    if (etag === undefined || mediaType === undefined || readAt === undefined) return;
    const bytes = body.byteLength + name.length * 2 + entryBytes;
    if (bytes > this.#bytesMax * shareMax) return;
    const known = this.#kept.get(name);
    if (known !== undefined) this.#drop(name, known);
    this.#put(name, { representation: { body, etag, mediaType, pages }, plain: undefined, dependencies, readAt, resource, bytes });
    for (const [oldest, entry] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest, entry);
    }
  }

  #put(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
    this.#bytes += kept.bytes;
    this.#count(kept, 1);
  }

  #drop(name: string, kept: Kept): void {
    this.#kept.delete(name);
    this.#bytes -= kept.bytes;
    this.#count(kept, -1);
  }

  #count({ resource: { name } }: Kept, by: 1 | -1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }
}

function isConditional({ preconditions: { ifMatch, ifNoneMatch } }: Call<Operation>): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined;
}
