/** Forgets what has served its time, a little at a time: spent nonces, idempotency records, old history. */
import { inArray, lt, sql } from 'drizzle-orm';
import { storeLimits } from '../limits.ts';
import type { Queries } from './database.ts';
import type { ChangeLog } from './log.ts';
import { nonces, once } from './system-tables.ts';

export interface TidyOptions {
  readonly queries: Queries;
  readonly log: ChangeLog;
  readonly clock: () => number;
  readonly commit: (run: () => boolean) => Promise<{ readonly value: boolean }>;
  readonly onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

export class Tidy {
  readonly #options: TidyOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #running = false;
  #stopped = false;

  constructor(options: TidyOptions) {
    this.#options = options;
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
      while (!this.#stopped && (await this.#options.commit(() => this.#round())).value);
    } finally {
      this.#running = false;
    }
  }

  /** Whether a table had more than one round may delete. */
  #round(): boolean {
    const { queries, log, clock } = this.#options;
    const limit = storeLimits.tidyRowsMax;
    const spent = queries.select({ value: nonces.value }).from(nonces).where(lt(nonces.expiresAt, clock())).limit(limit);
    const old = queries.select({ key: once.key }).from(once).where(lt(once.at, clock() - storeLimits.onceMs)).limit(limit);
    const gone = [
      queries.delete(nonces).where(inArray(nonces.value, spent)).returning({ key: sql`1` }).all().length,
      queries.delete(once).where(inArray(once.key, old)).returning({ key: sql`1` }).all().length,
    ];
    const more = log.trim(clock() - storeLimits.historyMs);
    return more || gone.some((rows) => rows >= limit);
  }
}
