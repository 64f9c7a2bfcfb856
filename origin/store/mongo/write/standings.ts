/** Documents inside a transaction: as they were read, and as they are decided so far. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { About } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Stored } from '../read/documents.ts';
import type { Changes } from './changes.ts';
import { Holders } from './holders.ts';

/** A document inside the transaction, as read or as decided; `nothing` where there is none. */
export interface Standing {
  readonly document: StoredDocument | undefined;
  readonly stored: Stored | undefined;
  /** What makes it of the one that stood here. */
  readonly changes?: Changes;
}

/** No document stands there. */
export const nothing: Standing = { document: undefined, stored: undefined };

/** Documents that named others when the transaction began: all of them, where they are fewer than `max`. */
export interface Listed {
  readonly documents: readonly StoredDocument[];
  readonly max: number;
}

export function keyOf({ resource, id }: About): string {
  return `${resource.name}/${id}`;
}

/** Documents as decided so far over those that stood before: kept, or forgotten as if nothing had been decided. */
export class Standings {
  readonly #below: Standings | undefined;
  readonly #own = new Map<string, Standing>();
  readonly holders: Holders;
  /** What named others when the transaction began, by what was asked. */
  readonly listed: Map<string, Listed>;

  constructor(below?: Standings) {
    this.#below = below;
    this.holders = new Holders(below?.holders);
    this.listed = below?.listed ?? new Map();
  }

  get(key: string): Standing | undefined {
    return this.#own.get(key) ?? this.#below?.get(key);
  }

  set(key: string, standing: Standing): void {
    this.#own.set(key, standing);
  }

  /** Those of one resource, by id. */
  of(resource: Resource): Map<string, Standing> {
    const found = this.#below?.of(resource) ?? new Map<string, Standing>();
    const start = keyOf({ resource, id: '' });
    for (const [key, standing] of this.#own) if (key.startsWith(start)) found.set(key.slice(start.length), standing);
    return found;
  }

  /** Moves what was decided here to what lies below. */
  keep(): void {
    for (const [key, standing] of this.#own) this.#below?.set(key, standing);
    this.holders.keep();
  }
}
