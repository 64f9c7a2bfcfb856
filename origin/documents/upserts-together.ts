/**
 * Which documents the upserts of a transaction are about. Who has a key is looked up before the transaction, and seen again
 * inside it, after the operations before; where that is another by then, the transaction begins again.
 */
import { documentInvalid } from '../../shared/contract/documents.ts';
import { valueAt } from '../../shared/contract/path.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { type Unique, uniqueKeyOf, whyNoKey } from '../../shared/contract/unique.ts';
import type { Upsert } from '../../shared/operations/steps.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject, Scalar } from '../../shared/wire/values.ts';
import { toConflict } from '../store/conflict.ts';
import type { Store } from '../store/store.ts';
import type { Decide } from './decisions.ts';

export interface Target {
  readonly unique: Unique;
  readonly key: string;
  /** `undefined`: nobody has the key, so it is a new document. */
  readonly holder: string | undefined;
  readonly moved: Fault;
}

interface Left {
  readonly resource: Resource;
  readonly id: string;
  readonly document: JsonObject | undefined;
}

/** Of the body. */
export function mustHaveKey(resource: Resource, { unique, value }: Upsert): string {
  const key = uniqueKeyOf(resource, unique, value);
  if (key === undefined) throw documentInvalid(whyNoKey(resource, unique, value));
  return key;
}

export class UpsertTargets {
  readonly #store: Store;
  readonly #deadline: number;
  /** All by the number of the operation. */
  readonly #targets = new Map<number, Target>();
  readonly #ids = new Map<number, string>();
  /** What each left behind when it was last decided. */
  readonly #left = new Map<number, Left>();
  /** Whose document was found without the key. */
  readonly #without = new Map<number, string>();

  constructor(store: Store, deadline: number) {
    this.#store = store;
    this.#deadline = deadline;
  }

  get size(): number {
    return this.#targets.size;
  }

  async target(index: number, resource: Resource, { unique, value }: Upsert, key: string): Promise<Target> {
    const known = this.#targets.get(index);
    // A key may hold an id that an operation before gives, which is another where that one turns out to be another.
    if (known?.key === key) return known;
    const found = { unique, key, holder: await this.#holder(index, resource, { unique, key, value }), moved: toConflict(unique.fields) };
    this.#targets.set(index, found);
    return found;
  }

  /** The id of what an operation makes, the same however often the transaction begins. */
  idOf(index: number, make: () => string): string {
    const id = this.#ids.get(index) ?? make();
    this.#ids.set(index, id);
    return id;
  }

  /** Notes what the decision leaves behind. */
  noting(index: number, { resource, id }: Pick<Left, 'resource' | 'id'>, decide: Decide): Decide {
    return (found) => {
      try {
        const decided = decide(found);
        const document = decided === 'keep' ? found?.value : decided === 'remove' ? undefined : decided;
        this.#left.set(index, { resource, id, document });
        this.#without.delete(index);
        return decided;
      } catch (thrown) {
        if (thrown === this.#targets.get(index)?.moved) this.#without.set(index, id);
        throw thrown;
      }
    };
  }

  /** Whether a transaction was refused because a key is another's than it was taken to be; that one is looked up again. */
  isMoved(thrown: unknown): boolean {
    if (!(thrown instanceof Fault) || thrown.reason !== 'document_conflict') return false;
    const places = thrown.errors.map(({ at }) => at).join();
    for (const [index, { holder, moved }] of this.#targets) {
      const isHere = moved.errors.map(({ at }) => `/operations/${index}/body${at}`).join() === places;
      if (isHere && (holder === undefined || this.#without.has(index))) return this.#targets.delete(index);
    }
    return false;
  }

  /** Throws where an operation before has given the key to a document. */
  mustBeFree(index: number, resource: Resource, target: Target): void {
    if (holderIn(this.#before(index, resource), resource, target) !== undefined) throw target.moved;
  }

  #before(index: number, { name }: Resource): ReadonlyMap<string, JsonObject | undefined> {
    const left = [...this.#left].filter(([before, { resource }]) => before < index && resource.name === name).sort(([a], [b]) => a - b);
    return new Map(left.map(([, { id, document }]) => [id, document]));
  }

  async #holder(
    index: number, resource: Resource, { unique, key, value }: Pick<Target, 'unique' | 'key'> & Pick<Upsert, 'value'>,
  ): Promise<string | undefined> {
    const stood = this.#before(index, resource);
    const within = holderIn(stood, resource, { unique, key });
    if (within !== undefined) return within;
    // Its kinds are those of the fields of a key, as `uniqueKeyOf` has found.
    const values = unique.fields.map((path) => valueAt(value, path) as Scalar);
    const { value: holder } = await this.#store.holder(resource, unique, values, { deadline: this.#deadline });
    const without = this.#without.get(index);
    this.#without.delete(index);
    return holder === undefined || stood.has(holder.id) || holder.id === without ? undefined : holder.id;
  }
}

function holderIn(
  stood: ReadonlyMap<string, JsonObject | undefined>, resource: Resource, { unique, key }: Pick<Target, 'unique' | 'key'>,
): string | undefined {
  return [...stood].find(([, document]) => document !== undefined && uniqueKeyOf(resource, unique, document) === key)?.[0];
}
