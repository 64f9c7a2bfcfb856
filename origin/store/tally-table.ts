/** Combinations of values with their counts, as either engine finds them. */
import type { SortValue } from '../../shared/wire/values.ts';
import type { Tallied } from './store.ts';

export class TallyTable {
  readonly #max: number;
  readonly #found = new Map<string, { readonly values: readonly SortValue[]; count: number }>();
  #total = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(values: readonly SortValue[], count: number): void {
    this.#total += count;
    const key = JSON.stringify(values);
    const known = this.#found.get(key);
    if (known === undefined) this.#found.set(key, { values, count });
    else known.count += count;
  }

  get isFull(): boolean {
    return this.#total > this.#max;
  }

  get tallied(): readonly Tallied[] | undefined {
    return this.isFull ? undefined : [...this.#found.values()];
  }
}

const none: SortValue = { rank: 0, value: 0 };

/** The different elements of one document; where there are none, null is its one. */
export function distinctElements(elements: readonly SortValue[]): readonly SortValue[] {
  const distinct = [...new Map(elements.map((element) => [JSON.stringify(element), element])).values()];
  return distinct.length === 0 ? [none] : distinct;
}
