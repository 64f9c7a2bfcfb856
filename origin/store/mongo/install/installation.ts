/**
 * What is installed, put back when others have dropped or renamed it. Several may notice the same drop at once: it is mended
 * once. A drop that is noticed while another is mended is mended after it.
 */
import type { Db } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { storeLimits } from '../../limits.ts';
import { isPassing } from '../connection/errors.ts';
import type { Deployment } from '../connection/server-checks.ts';
import { install, type Installed } from './install.ts';

export interface InstallationOptions {
  readonly database: Db;
  readonly resources: readonly Resource[];
  readonly deployment: Deployment;
  /** Aborted: what fails from now on is nobody's concern. */
  readonly closing: AbortSignal;
  onMended(): void;
  onFailed(cause: unknown): void;
}

export class Installation {
  readonly #options: InstallationOptions;
  #installed: Installed;
  #mending: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(installed: Installed, options: InstallationOptions) {
    this.#installed = installed;
    this.#options = options;
  }

  /** Whether a document of this resource may hold what has no order (odd-documents.ts). */
  mayBeOdd({ name }: Resource): boolean {
    return this.#installed.mayBeOdd.has(name);
  }

  /** Never throws. */
  mend(): Promise<void> {
    this.#next ??= this.#mending.then(() => {
      this.#next = undefined;
      return (this.#mending = this.#putBack());
    });
    return this.#next;
  }

  async #putBack(): Promise<void> {
    const { closing, onMended, onFailed } = this.#options;
    try {
      this.#installed = await this.#install();
      onMended();
    } catch (cause) {
      if (!closing.aborted) onFailed(cause);
    }
  }

  /** Again while the database is away. */
  async #install(): Promise<Installed> {
    const { database, resources, deployment, closing } = this.#options;
    for (;;) {
      try {
        return await install(database, resources, deployment);
      } catch (error) {
        if (!isPassing(error) || closing.aborted) throw error;
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }
}
