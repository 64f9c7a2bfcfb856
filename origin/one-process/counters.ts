/**
 * The counters of callers, exact over the end of the process: what is charged is in the file before the answer is given.
 * In memory are the callers seen last; another one's counter begins again with what the file has, as after a restart, which
 * costs strictness and nothing else (`edge/rate-limit/counter.ts`).
 */
import type { Database } from 'bun:sqlite';
import { remember } from '../../shared/remember.ts';
import { type Answer, type Ask, Counter } from '../../edge/rate-limit/counter.ts';
import { dayOf, Days, daysKept, type Spent } from '../../edge/rate-limit/days.ts';
import { Slots } from '../../edge/rate-limit/slots.ts';

/** A counter has at most 2 048 moments a window, 64 KB for a plan of two; most have a few. */
const countersMax = 1_000;
/** Charges between two sweeps, and rows that one sweep takes at most: more than come in, and a millisecond's work. */
const sweepEvery = 1_024;
const sweepRowsMax = 2_048;

interface Known {
  readonly counter: Counter;
  readonly days: Days;
  readonly slots: Slots;
}

export class CallerCounters {
  readonly #database: Database;
  /** In order of use: the least recently asked goes first. */
  readonly #counters = new Map<string, Known>();
  /** Of callers whose requests are under way, in no file: they end with the process. */
  readonly #slots = new Map<string, Slots>();
  #charges = 0;
  #now = 0;

  constructor(database: Database) {
    this.#database = database;
    database.run(`
      CREATE TABLE IF NOT EXISTS spent (
        caller TEXT NOT NULL, seconds INTEGER NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL,
        PRIMARY KEY (caller, seconds, at)
      );
      CREATE INDEX IF NOT EXISTS spent_by_end ON spent (at + seconds * 1000);
      CREATE TABLE IF NOT EXISTS spent_days (
        caller TEXT NOT NULL, day INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (caller, day, kind)
      );
      CREATE INDEX IF NOT EXISTS spent_days_by_day ON spent_days (day);
    `);
  }

  decide(caller: string, ask: Ask): Answer {
    // The time never goes backwards within one life of the process.
    this.#now = Math.max(this.#now, Date.now());
    const { counter, slots } = this.#counterOf(caller);
    const answer = counter.decide(ask, this.#now);
    if (slots.used(this.#now) > 0) this.#slots.set(caller, slots);
    else this.#slots.delete(caller);
    if (this.#charges >= sweepEvery) this.#sweep();
    return answer;
  }

  /** What is kept of the caller's days. */
  spent(caller: string): readonly Spent[] {
    return this.#counterOf(caller).days.spent(Date.now());
  }

  #counterOf(caller: string): Known {
    const known = this.#counters.get(caller) ?? this.#restored(caller);
    remember(this.#counters, caller, known, countersMax);
    return known;
  }

  #restored(caller: string): Known {
    const days = this.#restoredDays(caller);
    const slots = this.#slots.get(caller) ?? new Slots();
    const firstLease = Math.floor(Math.random() * 2 ** 40);
    const counter = new Counter((seconds, at, amount) => this.#keep(caller, seconds, at, amount), firstLease, days, slots);
    const rows = this.#database.query<{ seconds: number; at: number; amount: number }, [string, number]>(
      'SELECT seconds, at, amount FROM spent WHERE caller = ? AND at + seconds * 1000 > ? ORDER BY at',
    ).all(caller, this.#now);
    for (const { seconds, at, amount } of rows) counter.restore(seconds, at, amount);
    return { counter, days, slots };
  }

  #restoredDays(caller: string): Days {
    const rows = this.#database.query<Spent, [string]>(
      'SELECT day, kind, amount FROM spent_days WHERE caller = ? ORDER BY day',
    ).all(caller);
    const keep = ({ day, kind, amount }: Spent): void => void this.#database.query(
      'INSERT INTO spent_days VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount',
    ).run(caller, day, kind, amount);
    return new Days(keep, rows);
  }

  #keep(caller: string, seconds: number, at: number, amount: number): void {
    this.#database.query(
      'INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount',
    ).run(caller, seconds, at, amount);
    this.#charges++;
  }

  #sweep(): void {
    this.#database.query(
      `DELETE FROM spent WHERE rowid IN (SELECT rowid FROM spent WHERE at + seconds * 1000 <= ? LIMIT ${sweepRowsMax})`,
    ).run(this.#now);
    this.#database.query(
      `DELETE FROM spent_days WHERE rowid IN (SELECT rowid FROM spent_days WHERE day <= ? LIMIT ${sweepRowsMax})`,
    ).run(dayOf(this.#now) - daysKept);
    this.#charges = 0;
  }
}
