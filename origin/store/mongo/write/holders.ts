/**
 * Who has which unique key inside a transaction, as read and as decided so far: the mutation that would make a second one is
 * refused where it stands in its order, as on the other engine. What others commit meanwhile the unique index refuses.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type Unique, uniqueKeyOf } from '../../../../shared/contract/unique.ts';
import { valueAt } from '../../../../shared/contract/path.ts';
import type { Fault } from '../../../../shared/wire/fault.ts';
import type { Json, JsonObject } from '../../../../shared/wire/values.ts';
import { toConflict } from '../../conflict.ts';
import type { About } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';

/** A key of which nobody knows yet who has it. */
export interface Asked {
  readonly resource: Resource;
  readonly unique: Unique;
  readonly key: string;
  /** One for each field of the key. */
  readonly values: readonly (Json | undefined)[];
}

const nobody = undefined;

export class Holders {
  readonly #below: Holders | undefined;
  /** By key: the id of its document. */
  readonly #own = new Map<string, string | typeof nobody>();
  readonly unheld: Asked[] = [];

  constructor(below?: Holders) {
    this.#below = below;
  }

  /** Moves what was decided here to what lies below. */
  keep(): void {
    const below = this.#below;
    if (below === undefined) return;
    for (const [name, id] of this.#own) below.#own.set(name, id);
    below.unheld.push(...this.unheld);
  }

  /** Notes who was found to have the keys that were asked for. */
  know(asked: readonly Asked[], documents: readonly StoredDocument[]): void {
    for (const each of asked) this.#own.set(nameOf(each), nobody);
    const [first] = asked;
    if (first === undefined) return;
    for (const { id, value } of documents) {
      const key = uniqueKeyOf(first.resource, first.unique, value);
      if (key !== undefined) this.#own.set(nameOf({ ...first, key }), id);
    }
  }

  /** Gives the keys of a document to what it becomes; the refusal where another document has one of them. */
  move({ resource, id }: About, before: JsonObject | undefined, after: JsonObject | undefined): Fault | undefined {
    if (resource.unique.length === 0 || before === after) return undefined;
    const moved = resource.unique.map((unique) => ({
      unique, from: before === undefined ? undefined : uniqueKeyOf(resource, unique, before),
      to: after === undefined ? undefined : uniqueKeyOf(resource, unique, after),
    })).filter(({ from, to }) => from !== to);
    for (const { unique, to } of moved) {
      if (to === undefined || after === undefined) continue;
      const asked = { resource, unique, key: to, values: unique.fields.map((path) => valueAt(after, path)) };
      const holder = this.#holder(nameOf(asked));
      if (holder === 'unknown') this.unheld.push(asked);
      else if (holder.id !== undefined && holder.id !== id) return toConflict(unique.fields);
    }
    for (const { unique, from } of moved) if (from !== undefined) this.#own.set(nameOf({ resource, unique, key: from }), nobody);
    for (const { unique, to } of moved) if (to !== undefined) this.#own.set(nameOf({ resource, unique, key: to }), id);
    return undefined;
  }

  #holder(name: string): { readonly id: string | undefined } | 'unknown' {
    if (this.#own.has(name)) return { id: this.#own.get(name) };
    return this.#below === undefined ? 'unknown' : this.#below.#holder(name);
  }
}

/** Together what is one question. */
export function byUnique(asked: readonly Asked[]): readonly (readonly [Asked, readonly Asked[]])[] {
  const groups = Map.groupBy(asked, ({ resource, unique }) => JSON.stringify([resource.name, unique.name]));
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [[group[0], group] as const]));
}

function nameOf({ resource, unique, key }: Pick<Asked, 'resource' | 'unique' | 'key'>): string {
  return JSON.stringify([resource.name, unique.name, key]);
}
