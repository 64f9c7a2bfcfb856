/**
 * What is installed, put back when others have dropped or renamed it. Several may notice the same drop at once: it is mended
 * once. A drop that is noticed while another is mended is mended after it.
 *
 *   COMPLETE ── a drop is noticed, a list misses its index, ──▶ looked at: what is owned is put back ──┬──▶ COMPLETE
 *               a change its image, every 5 s a validator         ▲                                   ▼
 *                                                                 └────────── every 2 s ── PENDING: what is not ours,
 *                                                                                          a validator that others changed
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import type { Unique } from '../../../../shared/contract/unique.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import { storeLimits } from '../../limits.ts';
import { isPassing } from '../connection/errors.ts';
import { isIdAlone, toIndexKey } from '../read/branch-query.ts';
import { simpleCollation } from './index-match.ts';
import { install, type Installed, type Target } from './install.ts';
import { changedValidators } from './validator-seal.ts';

export interface InstallationOptions extends Target {
  /** Aborted: what fails from now on is nobody's concern. */
  readonly closing: AbortSignal;
  onMended(): void;
  /** The names of all pending steps, whenever they have changed. */
  onPending(names: readonly string[]): void;
  onFailed(cause: unknown): void;
}

export interface Hint {
  readonly hint: string | { readonly _id: 1 };
  readonly collation?: typeof simpleCollation;
}

/** Nobody is told of an index that others have made or taken away, nor of images that they turn on or off. */
const lookAgainMs = 2_000;

/** Nor of a validator that they change or take out: a command that reads, while nothing else is looked for. */
const validatorLookMs = 5_000;

export class Installation {
  readonly #options: InstallationOptions;
  #installed: Installed;
  #mending: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #validatorTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(installed: Installed, options: InstallationOptions) {
    this.#installed = installed;
    this.#options = options;
    options.closing.addEventListener('abort', () => [this.#timer, this.#validatorTimer].forEach(clearTimeout));
    if (installed.pending.length > 0) this.#lookLater();
    this.#lookAtValidatorsLater();
  }

  /** Whether Tombolo's own collections are there: epoch, cursors, nonces and records. */
  get isComplete(): boolean {
    return this.#installed.ownership.isInstalled;
  }

  get pending(): readonly string[] {
    return this.#installed.pending.map(({ name }) => name);
  }

  /** Declared collections that others made. */
  get adopted(): ReadonlySet<string> {
    return this.#installed.ownership.adopted;
  }

  /** Whether a document of this resource may hold what has no order (odd-documents.ts); no validator of ours keeps others from it. */
  mayBeOdd({ collection }: Resource): boolean {
    return this.adopted.has(collection) || this.#installed.mayBeOdd.has(collection);
  }

  /** The index that finds those documents, if there is one. */
  oddHint({ collection }: Resource): string | undefined {
    return this.#installed.oddHints.get(collection);
  }

  /** The index that a walk names; without one it would read everything, and is refused. */
  mustHint(resource: Resource, spec: IndexSpec): Hint {
    const { collection } = resource;
    // The one index that has the collation of its collection, which orders ids like any other.
    if (isIdAlone(toIndexKey(resource, spec))) return { hint: { _id: 1 } };
    const hint = this.#installed.hints.get(collection)?.get(spec.name);
    if (hint === undefined) throw shapeNotReady(`the step "${collection}: index ${spec.name}" is pending`);
    return this.#installed.collated.has(collection) ? { hint, collation: simpleCollation } : { hint };
  }

  /** The index that keeps a key unique; without it nobody knows who has one, and who would write one is refused. */
  mustUniqueHint({ collection }: Resource, { name }: Unique): string {
    const hint = this.#installed.uniqueHints.get(collection)?.get(name);
    if (hint === undefined) throw uniqueNotReady(`the step "${collection}: unique ${name}" is pending`);
    return hint;
  }

  /** Never throws. */
  mend(): Promise<void> {
    this.#next ??= this.#mending.then(() => {
      this.#next = undefined;
      return (this.#mending = this.#putBack());
    });
    return this.#next;
  }

  /** Something may be missing that nobody tells of, images of changes: however often it is said, it is looked for every 2 s. */
  lookSoon(): void {
    if (this.#timer === undefined) this.#lookLater();
  }

  async #putBack(): Promise<void> {
    const { closing, onMended, onPending, onFailed } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const before = this.pending.join();
      this.#installed = await this.#install();
      if (this.#installed.isChanged) onMended();
      if (this.pending.join() !== before) onPending(this.pending);
      if (this.pending.length > 0) this.#lookLater();
    } catch (cause) {
      if (!closing.aborted) onFailed(cause);
    }
  }

  #lookLater(): void {
    if (this.#options.closing.aborted) return;
    this.#timer = setTimeout(() => void this.mend(), lookAgainMs);
    this.#timer.unref();
  }

  #lookAtValidatorsLater(): void {
    if (this.#options.closing.aborted) return;
    this.#validatorTimer = setTimeout(() => void this.#lookAtValidators().finally(() => this.#lookAtValidatorsLater()), validatorLookMs);
    this.#validatorTimer.unref();
  }

  /** Never throws: a look that fails is followed by another. */
  async #lookAtValidators(): Promise<void> {
    const { database, resources } = this.#options;
    const { owned } = this.#installed.ownership;
    const names = resources.map(({ collection }) => collection).filter((name) => owned.has(name));
    // While anything is pending, all is looked at anyway.
    if (names.length === 0 || this.pending.length > 0) return;
    const changed = await changedValidators(database, names).catch(() => []);
    if (changed.length > 0) await this.mend();
  }

  /** Again while the database is away. */
  async #install(): Promise<Installed> {
    const { closing } = this.#options;
    for (;;) {
      try {
        return await install(this.#options, this.#installed);
      } catch (error) {
        if (!isPassing(error) || closing.aborted) throw error;
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }
}

function uniqueNotReady(detail: string): Fault {
  return new Fault('unique_not_ready', { detail, headers: { 'retry-after': '5' } });
}

export function shapeNotReady(detail: string, cause?: unknown): Fault {
  return new Fault('shape_not_ready', { detail, headers: { 'retry-after': '5' }, cause });
}
