/** A place for the tests of the block that asks for it: opened before them, removed after them. */
import { afterAll, beforeAll } from 'bun:test';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { Mutation, Store, Written } from '../../../origin/store/store.ts';
import { inTime, type OpenPlace, type Place } from './harness.ts';

export class BlockPlace {
  /** The store as it was last opened there. */
  store!: Store;
  #place!: Place;

  constructor(open: OpenPlace, resources: readonly Resource[]) {
    beforeAll(async () => {
      this.#place = await open({ resources });
      this.store = this.#place.store;
    });
    afterAll(() => this.#place.remove());
  }

  async reopen(): Promise<void> {
    this.store = await this.#place.reopen();
  }

  readonly write = (...mutations: readonly Mutation[]): Promise<Written> => this.store.write(mutations, inTime());
}
