/**
 * The counter of one caller, as a Durable Object named by that caller. One thread decides all windows of a
 * plan together, so a limit is never over by one, however many ask at once. The clock is this object's.
 *
 * What is charged is in SQLite before the answer leaves (the output gate holds it back until then), and an
 * object that was evicted, moved or deployed anew begins with it: a window never doubles. What such a restart
 * costs is strictness: a lease under way stays spent as a whole, and spent tokens count as of their lease's
 * end, at most 2 s late. If the clock of a new host is behind, charges of the future count until it is not.
 *
 * Rows are at most the entries of the logs; those that have left their window go by and by, and an object
 * whose windows are all empty deletes its storage.
 */
import { DurableObject } from 'cloudflare:workers';
import { type Answer, type Ask, Counter } from './counter.ts';

/** The time between two sweeps of charges that have left their window. */
const sweepMsMin = 60_000;
const sweepMsMax = 3_600_000;
/** Rows written between two sweeps, at most. */
const sweepWrites = 1_024;

const live = 'at + seconds * 1000 > ?';

export class Counters extends DurableObject {
  readonly #counter: Counter;
  readonly #sql: SqlStorage;
  #now = 0;
  #writes = 0;
  #hasAlarm = false;
  #hasTable = false;

  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#counter = this.#restored();
  }

  decide(ask: Ask): Answer {
    const answer = this.#counter.decide(ask, this.#clock());
    if (this.#writes >= sweepWrites) this.#sweep();
    return answer;
  }

  override async alarm(): Promise<void> {
    this.#hasAlarm = false;
    this.#sweep();
    const [last] = this.#sql.exec<{ at: number | null }>('SELECT max(at + seconds * 1000) AS at FROM spent').toArray();
    if (typeof last?.at === 'number') {
      return this.#wakeAt(Math.min(Math.max(last.at, this.#clock() + sweepMsMin), this.#clock() + sweepMsMax));
    }
    this.#hasTable = false;
    await this.ctx.storage.deleteAll();
  }

  #restored(): Counter {
    const counter = new Counter((seconds, at, amount) => this.#keep(seconds, at, amount), Math.floor(Math.random() * 2 ** 40));
    this.#hasTable = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'spent'").toArray().length > 0;
    if (!this.#hasTable) return counter;
    const rows = this.#sql.exec<{ seconds: number; at: number; amount: number }>(
      `SELECT seconds, at, amount FROM spent WHERE ${live} ORDER BY at`,
      this.#clock(),
    );
    for (const { seconds, at, amount } of rows) counter.restore(seconds, at, amount);
    return counter;
  }

  #keep(seconds: number, at: number, amount: number): void {
    if (!this.#hasTable) {
      this.#sql.exec(`CREATE TABLE spent (
        seconds INTEGER NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (seconds, at)
      ) WITHOUT ROWID`);
    }
    this.#hasTable = true;
    this.#sql.exec('INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount', seconds, at, amount);
    this.#writes++;
    if (!this.#hasAlarm) this.ctx.waitUntil(this.#wakeAt(this.#clock() + sweepMsMin));
  }

  #sweep(): void {
    this.#sql.exec(`DELETE FROM spent WHERE NOT (${live})`, this.#clock());
    this.#writes = 0;
  }

  #wakeAt(at: number): Promise<void> {
    this.#hasAlarm = true;
    return this.ctx.storage.setAlarm(at);
  }

  /** The time, which never goes backwards within one life of the object. */
  #clock(): number {
    this.#now = Math.max(this.#now, Date.now());
    return this.#now;
  }
}
