/**
 * Notices what other processes do to the file. `PRAGMA data_version` of the writing connection moves when
 * others commit and not when we do; it costs a microsecond, so it is asked every 20 ms. The file itself is
 * looked at every second: one that was replaced or removed under us is no longer ours to write.
 */
import type { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { storeLimits } from '../../limits.ts';
import { isBusy } from '../connection/errors.ts';

interface ForeignCommitsOptions {
  readonly database: Database;
  readonly path: string;
  readonly isShared: boolean;
  /** Called when others committed. `schema`: they changed it, too. */
  readonly onCommit: (seen: { readonly schema: boolean }) => void;
  readonly onFatal: (error: Error) => void;
}

export class ForeignCommits {
  readonly #options: ForeignCommitsOptions;
  readonly #dataVersion;
  readonly #schemaVersion;
  readonly #inode: number;
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  #seen: { data: number | undefined; schema: number | undefined };
  #isLookedAt = false;

  constructor(options: ForeignCommitsOptions) {
    this.#options = options;
    this.#dataVersion = options.database.prepare<{ data_version: number }, []>('PRAGMA data_version');
    this.#schemaVersion = options.database.prepare<{ schema_version: number }, []>('PRAGMA schema_version');
    this.#inode = statSync(options.path).ino;
    this.#seen = this.#look();
    this.#timers = [setInterval(() => this.#poll(), storeLimits.pollMs), setInterval(() => this.#checkFile(), storeLimits.fileCheckMs)];
    for (const timer of this.#timers) timer.unref();
  }

  /**
   * Whether all that others had committed is noticed. Looks once a turn of the event loop, since a look takes and frees a lock; but
   * each time where processes share the file, since one may stand still within a turn while another acknowledges.
   */
  look(): boolean {
    if (this.#options.isShared) return this.#poll();
    if (this.#isLookedAt) return true;
    this.#isLookedAt = this.#poll();
    if (this.#isLookedAt) setImmediate(() => (this.#isLookedAt = false));
    return this.#isLookedAt;
  }

  /** The version of the schema, as it was seen last. */
  get schema(): number | undefined {
    return this.#seen.schema;
  }

  #poll(): boolean {
    try {
      const data = this.#dataVersion.get()?.data_version;
      if (data === this.#seen.data) return true;
      const schema = this.#schemaVersion.get()?.schema_version;
      this.#options.onCommit({ schema: schema !== this.#seen.schema });
      // What was seen is kept only now, so that a look that met a lock is repeated.
      this.#seen = { data, schema };
      return true;
    } catch (error) {
      if (!isBusy(error)) this.#options.onFatal(new Error('the database cannot be read', { cause: error }));
      return false;
    }
  }

  /** Takes a change of the schema by ourselves as seen. */
  adopt(): void {
    this.#seen = this.#look();
  }

  stop(): void {
    this.#timers.forEach(clearInterval);
  }

  #look() {
    return { data: this.#dataVersion.get()?.data_version, schema: this.#schemaVersion.get()?.schema_version };
  }

  #checkFile(): void {
    const now = statSync(this.#options.path, { throwIfNoEntry: false })?.ino;
    if (now === this.#inode) return;
    this.stop();
    this.#options.onFatal(new Error(now === undefined ? 'the database file was removed' : 'the database file was replaced'));
  }
}
