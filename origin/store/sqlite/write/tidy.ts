/** Forgets what has served its time or takes too much room, a little at a time: spent nonces, idempotency records, old history. */
import { inArray, lt, sql } from 'drizzle-orm';
import { storeLimits } from '../../limits.ts';
import type { Connection, Queries } from '../connection/database.ts';
import type { ChangeLog } from '../feed/log.ts';
import { LogSize } from '../feed/log-size.ts';
import { OnceRecords } from './once-records.ts';
import type { SharedWal } from './shared-wal.ts';
import { nonces } from '../install/system-records.ts';

interface TidyOptions {
  readonly writer: Connection;
  readonly log: ChangeLog;
  /** The most that the change log may take, and as much again for the idempotency records. */
  readonly logBytesMax: number;
  readonly clock: () => number;
  /** Of several processes that share the file one tidies, since it counts what there is. */
  readonly isTurn: () => boolean;
  /** `undefined`: nobody shares the file. */
  readonly wal: SharedWal | undefined;
  readonly commit: <T>(run: () => T extends PromiseLike<unknown> ? never : T) => Promise<{ readonly value: T }>;
  readonly onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

export class Tidy {
  readonly #options: TidyOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #nonces;
  readonly #records: OnceRecords;
  readonly #size: LogSize;
  #running = false;
  #stopped = false;

  constructor(options: TidyOptions) {
    this.#options = options;
    this.#nonces = toForgetNonces(options.writer.queries);
    this.#records = new OnceRecords(options.writer);
    this.#size = new LogSize(options.writer);
    this.#timer = setInterval(() => this.#start(), storeLimits.tidyMs);
    this.#timer.unref();
    this.#start();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #start(): void {
    this.#run().catch((error) => {
      if (!this.#stopped) this.#options.onWarning('tidying failed', { error });
    });
  }

  async #run(): Promise<void> {
    if (this.#running || !this.#options.isTurn()) return;
    this.#running = true;
    try {
      this.#options.wal?.keepSmall();
      await this.#count();
      let early = 0;
      for (let more = true; more && !this.#stopped; ) {
        const { value } = await this.#options.commit(() => this.#round());
        // Sizes move only after the commit: a transaction may be undone and run again.
        if (value.trimmed !== undefined) this.#size.trimmed(value.trimmed.first, value.trimmed.bytes);
        this.#records.forgot(value.forgotten);
        early += value.forgotten.early;
        more = value.more;
      }
      if (early > 0) {
        this.#options.onWarning('idempotency records were forgotten before their day was over: they take too much room', {
          records: early,
          bytesMax: this.#options.logBytesMax,
        });
      }
    } finally {
      this.#running = false;
    }
  }

  /** Counts outside a transaction, and gives others a turn between two looks. */
  async #count(): Promise<void> {
    const now = this.#options.clock();
    while (!this.#stopped && this.#size.countOn()) await Bun.sleep(0);
    while (!this.#stopped && this.#records.countOn(now)) await Bun.sleep(0);
  }

  /** Runs one round; `more`: a table had more than it may delete. */
  #round() {
    const now = this.#options.clock();
    const { log, logBytesMax } = this.#options;
    const spent = this.#nonces.all({ before: now });
    const forgotten = this.#records.forget(now, logBytesMax);
    const trimmed = log.trim({ before: now - storeLimits.historyMs, excessBytes: this.#size.bytes - logBytesMax });
    return { trimmed, forgotten, more: trimmed?.more === true || forgotten.more || spent.length >= storeLimits.tidyRowsMax };
  }
}

function toForgetNonces(queries: Queries) {
  const spent = queries
    .select({ value: nonces.value })
    .from(nonces)
    .where(lt(nonces.expiresAt, sql.placeholder('before')))
    .limit(storeLimits.tidyRowsMax);
  return queries.delete(nonces).where(inArray(nonces.value, spent)).returning({ gone: sql`1` }).prepare();
}
