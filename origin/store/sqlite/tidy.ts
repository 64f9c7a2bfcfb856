/** Forgets what has served its time or takes too much room, a little at a time: spent nonces, idempotency records, old history. */
import { inArray, lt, sql } from 'drizzle-orm';
import { storeLimits } from '../limits.ts';
import type { Connection, Queries } from './database.ts';
import type { ChangeLog } from './log.ts';
import { LogSize } from './log-size.ts';
import { nonces, once } from './system-tables.ts';

interface TidyOptions {
  readonly writer: Connection;
  readonly log: ChangeLog;
  readonly logBytesMax: number;
  readonly clock: () => number;
  readonly commit: (run: () => boolean) => Promise<{ readonly value: boolean }>;
  readonly onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

export class Tidy {
  readonly #options: TidyOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #forget;
  readonly #size: LogSize;
  #running = false;
  #stopped = false;

  constructor(options: TidyOptions) {
    this.#options = options;
    this.#forget = [toForgetNonces(options.writer.queries), toForgetOnce(options.writer.queries)] as const;
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
    if (this.#running) return;
    this.#running = true;
    try {
      // Outside a transaction, and with a turn for the others between two looks.
      while (!this.#stopped && this.#size.countOn()) await Bun.sleep(0);
      while (!this.#stopped && (await this.#options.commit(() => this.#round())).value);
    } finally {
      this.#running = false;
    }
  }

  /** Whether a table had more than one round may delete. */
  #round(): boolean {
    const now = this.#options.clock();
    const [nonces, records] = this.#forget;
    const full = [nonces.all({ before: now }), records.all({ before: now - storeLimits.onceMs })].some((gone) => gone.length >= storeLimits.tidyRowsMax);
    const trimmed = this.#options.log.trim({ before: now - storeLimits.historyMs, excessBytes: this.#size.bytes - this.#options.logBytesMax });
    if (trimmed !== undefined) this.#size.trimmed(trimmed.first, trimmed.bytes);
    return trimmed?.more === true || full;
  }
}

const before = sql.placeholder('before');
const limit = storeLimits.tidyRowsMax;

function toForgetNonces(queries: Queries) {
  const spent = queries.select({ value: nonces.value }).from(nonces).where(lt(nonces.expiresAt, before)).limit(limit);
  return queries.delete(nonces).where(inArray(nonces.value, spent)).returning({ gone: sql`1` }).prepare();
}

function toForgetOnce(queries: Queries) {
  const old = queries.select({ key: once.key }).from(once).where(lt(once.at, before)).limit(limit);
  return queries.delete(once).where(inArray(once.key, old)).returning({ gone: sql`1` }).prepare();
}
