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
 * whose windows are all empty, and that keeps no day any more, deletes its storage.
 */
import { DurableObject } from 'cloudflare:workers';
import { type Answer, type Ask, Counter } from './counter.ts';
import { dayMs, dayOf, Days, daysKept, type Spent } from './days.ts';

/** The time between two sweeps of charges that have left their window. */
const sweepMsMin = 60_000;
const sweepMsMax = 3_600_000;
/** Rows written between two sweeps, at most. */
const sweepWrites = 1_024;

/** A row of SQLite must be of a type that has no name of its own. */
type Row = { [Name in keyof Spent]: Spent[Name] };

const live = 'at + seconds * 1000 > ?';

export class Counters extends DurableObject {
  readonly #counter: Counter;
  readonly #days: Days;
  readonly #sql: SqlStorage;
  #now = 0;
  #writes = 0;
  /** When the alarm comes, as far as this life of the object knows; 0: there may be none. */
  #wakesAt = 0;
  #hasTables = false;

  constructor(state: DurableObjectState, env: Cloudflare.Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#hasTables = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'spent_days'").toArray().length > 0;
    this.#days = new Days((spent) => this.#keepDay(spent), this.#restoredDays());
    this.#counter = this.#restored();
  }

  decide(ask: Ask): Answer {
    const answer = this.#counter.decide(ask, this.#clock());
    if (this.#writes >= sweepWrites) this.#sweep();
    return answer;
  }

  /** What is kept of the caller's days. */
  spent(): readonly Spent[] {
    return this.#days.spent(this.#clock());
  }

  override async alarm(): Promise<void> {
    this.#wakesAt = 0;
    this.#makeTables();
    this.#sweep();
    const [last] = this.#sql.exec<{ at: number | null; day: number | null }>(
      'SELECT (SELECT max(at + seconds * 1000) FROM spent) AS at, (SELECT max(day) FROM spent_days) AS day',
    ).toArray();
    const now = this.#clock();
    if (typeof last?.at === 'number') return this.#wakeAt(Math.min(Math.max(last.at, now + sweepMsMin), now + sweepMsMax));
    // Days go one by one as others come; when no others do, they go together.
    if (typeof last?.day === 'number') return this.#wakeAt((last.day + daysKept) * dayMs);
    this.#hasTables = false;
    await this.ctx.storage.deleteAll();
  }

  #restored(): Counter {
    const firstLease = Math.floor(Math.random() * 2 ** 40);
    const counter = new Counter((seconds, at, amount) => this.#keep(seconds, at, amount), firstLease, this.#days);
    if (!this.#hasTables && this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'spent'").toArray().length === 0) return counter;
    const rows = this.#sql.exec<{ seconds: number; at: number; amount: number }>(
      `SELECT seconds, at, amount FROM spent WHERE ${live} ORDER BY at`,
      this.#clock(),
    );
    for (const { seconds, at, amount } of rows) counter.restore(seconds, at, amount);
    return counter;
  }

  #restoredDays(): readonly Spent[] {
    if (!this.#hasTables) return [];
    return this.#sql.exec<Row>('SELECT day, kind, amount FROM spent_days ORDER BY day').toArray();
  }

  #keepDay({ day, kind, amount }: Spent): void {
    this.#makeTables();
    const sql = 'INSERT INTO spent_days VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount';
    this.#sql.exec(sql, day, kind, amount);
  }

  #makeTables(): void {
    if (this.#hasTables) return;
    this.#hasTables = true;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS spent (
        seconds INTEGER NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (seconds, at)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS spent_days (
        day INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (day, kind)
      ) WITHOUT ROWID`);
  }

  #keep(seconds: number, at: number, amount: number): void {
    this.#makeTables();
    this.#sql.exec('INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount', seconds, at, amount);
    this.#writes++;
    const now = this.#clock();
    if (this.#wakesAt === 0 || this.#wakesAt > now + sweepMsMax) this.ctx.waitUntil(this.#wakeAt(now + sweepMsMin));
  }

  #sweep(): void {
    this.#sql.exec(`DELETE FROM spent WHERE NOT (${live})`, this.#clock());
    this.#sql.exec('DELETE FROM spent_days WHERE day <= ?', dayOf(this.#clock()) - daysKept);
    this.#writes = 0;
  }

  #wakeAt(at: number): Promise<void> {
    this.#wakesAt = at;
    return this.ctx.storage.setAlarm(at);
  }

  /** The time, which never goes backwards within one life of the object. */
  #clock(): number {
    this.#now = Math.max(this.#now, Date.now());
    return this.#now;
  }
}
