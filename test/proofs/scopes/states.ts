/** The states that the data went through, one after each write, and which of them a read may have been answered from. */
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Name, State } from './naive-api.ts';

interface Moment {
  readonly state: State;
  /** When the state's write was asked for and acknowledged. */
  readonly askedAt: number;
  readonly ackedAt: number;
}

export class States {
  readonly #moments: Moment[] = [{ state: new Map(), askedAt: Number.NEGATIVE_INFINITY, ackedAt: Number.NEGATIVE_INFINITY }];

  get count(): number {
    return this.#moments.length;
  }

  get current(): State {
    return this.#moments.at(-1)?.state ?? new Map();
  }

  put(name: Name, document: JsonObject, times: Omit<Moment, 'state'>): void {
    this.#moments.push({ state: new Map(this.current).set(String(document['id']), { name, document }), ...times });
  }

  remove(id: string, times: Omit<Moment, 'state'>): void {
    const state = new Map(this.current);
    state.delete(id);
    this.#moments.push({ state, ...times });
  }

  /** All states that were true at some moment from `from` to `to`, the latest first. */
  between(from: number, to: number): readonly State[] {
    const oldest = Math.max(0, this.#moments.findLastIndex(({ ackedAt }) => ackedAt < from));
    return this.#moments.slice(oldest).filter(({ askedAt }) => askedAt <= to).map(({ state }) => state).reverse();
  }
}
