/** What one of the processes that share the files does: the first that asks for it, until it ends. */
import { StoreNotReady } from '../../not-ready.ts';
import { acquireLease, type Lease } from './lease.ts';

export class Turn {
  readonly #dataDir: string;
  readonly #isAlone: boolean;
  #lease: Lease | undefined;

  constructor(dataDir: string, isAlone: boolean) {
    this.#dataDir = dataDir;
    this.#isAlone = isAlone;
  }

  /** Whether it is this process's, now and from now on. */
  take(): boolean {
    if (this.#isAlone || this.#lease !== undefined) return true;
    try {
      this.#lease = acquireLease(this.#dataDir, 'tidying');
      return true;
    } catch (error) {
      if (error instanceof StoreNotReady && error.isOthers) return false;
      throw error;
    }
  }

  end(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }
}
