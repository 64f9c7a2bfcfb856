/** Arrays while elements come, go and change places in them: of each it is kept which stored element it is. Nothing is changed in place. */
import { tellElements, toldElements } from '../contract/elements.ts';
import type { Json } from '../wire/values.ts';

interface Splice {
  readonly at: number;
  readonly taken: number;
  readonly put: readonly Json[];
}

type Rearrange = <T>(list: readonly T[], fill: readonly T[]) => readonly T[];

export class TrackedArrays {
  /** Arrays that a patch brought along: which of their elements are stored ones is to be matched. */
  readonly #brought = new WeakSet<readonly Json[]>();

  bring(array: readonly Json[]): void {
    this.#brought.add(array);
  }

  with(old: readonly Json[], index: number, value: Json): readonly Json[] {
    return this.#made(old, old.with(index, value), (list) => list);
  }

  spliced(old: readonly Json[], { at, taken, put }: Splice): readonly Json[] {
    // Not by `toSpliced`, whose arguments are as many as a patch brings elements.
    const splice: Rearrange = (list, fill) => [...list.slice(0, at), ...fill, ...list.slice(at + taken)];
    return this.#made(old, splice(old, put), (matches) => splice(matches, put.map(() => undefined)));
  }

  /** The elements of these indexes, in this order. */
  chosen(old: readonly Json[], indexes: readonly number[]): readonly Json[] {
    return this.#made(old, indexes.map((index) => old[index] ?? null), (matches) => indexes.map((index) => matches[index]));
  }

  #made(old: readonly Json[], made: readonly Json[], change: (matches: Matches) => Matches): readonly Json[] {
    if (!this.#brought.has(old)) return tellElements(made, change(toldElements(old) ?? old.map((_, index) => index)));
    this.#brought.add(made);
    return made;
  }
}

type Matches = readonly (number | undefined)[];
