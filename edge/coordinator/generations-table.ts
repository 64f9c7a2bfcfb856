/**
 * Generations on disk: per resource, the position of the last change in each bucket. Everything is raised by
 * max, so that no order, repetition or loss of reports can lower anything; only a new epoch, which says that
 * the database is another one now, begins again. The caller holds the transaction.
 */
import type { Report } from '../../shared/hop/purge-report.ts';
import type { Changes, Heard, Served } from './changes.ts';
import type { Sql } from './sql.ts';

/** How long an epoch that was left is not returned to: longer than a report of it may be under way. */
export const retiredMs = 120_000;

export interface Standing {
  readonly instance: string;
  readonly revision: number;
  readonly epoch: string | null;
  readonly through: string;
  /** Nothing is known of single buckets up to here. */
  readonly floor: string;
}

/** A type and not an interface: rows are records. */
type StandingRow = { instance: string; revision: number; epoch: string | null; through: string; floor: string };

/** Whoever keeps generations. */
export interface GenerationsKeeper {
  standing(): Standing;
  /** Whether the report joins what is known; if it does not, nothing has changed. */
  apply(report: Report, nowMs: number): boolean;
  changesSince(resource: string, heard: Heard | undefined): Omit<Changes, 'ageMs' | keyof Served>;
}

export class GenerationsTable implements GenerationsKeeper {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(`
      create table if not exists standing (
        only integer primary key check (only = 1), instance text not null, revision integer not null, epoch text,
        through text not null, floor text not null
      );
      create table if not exists floors (resource text primary key, position text not null) without rowid;
      create table if not exists buckets (
        resource text not null, bucket integer not null, position text not null, revision integer not null,
        primary key (resource, bucket)
      ) without rowid;
      create index if not exists buckets_by_revision on buckets (resource, revision);
      create table if not exists retired (epoch text primary key, until_ms integer not null) without rowid;
    `);
    sql.exec(`insert into standing values (1, ?, 0, null, '', '') on conflict do nothing`, crypto.randomUUID());
  }

  standing(): Standing {
    return this.#sql.exec<StandingRow>('select instance, revision, epoch, through, floor from standing').one();
  }

  apply(report: Report, nowMs: number): boolean {
    const standing = this.standing();
    const { epoch, from, through } = report;
    if (!joins(standing, report, () => this.#isRetired(epoch, nowMs))) return false;
    const begins = epoch !== standing.epoch;
    if (begins) this.#begin(standing, report, nowMs);
    else if (from === null) this.#raiseAll(through);
    const revision = standing.revision + 1;
    for (const [resource, order] of Object.entries(report.whole)) this.#raiseWhole(resource, order);
    for (const [resource, buckets] of Object.entries(report.raised)) this.#raise(resource, buckets, revision);
    // An idle report writes nothing: four a second, from every origin, for ever.
    if (begins || from === null || through > standing.through || hasAny(report.raised) || hasAny(report.whole))
      this.#sql.exec('update standing set revision = ?, through = max(through, ?)', revision, through);
    return true;
  }

  changesSince(resource: string, heard: Heard | undefined): Omit<Changes, 'ageMs' | keyof Served> {
    const { instance, revision, epoch, through, floor: floorOfAll } = this.standing();
    const [own] = this.#sql.exec<{ position: string }>('select position from floors where resource = ?', resource);
    const floor = own !== undefined && own.position > floorOfAll ? own.position : floorOfAll;
    const continues = heard !== undefined && heard.instance === instance && heard.epoch === epoch;
    const rows = this.#sql.exec<{ bucket: number; order: string }>(
      'select bucket, position as "order" from buckets where resource = ? and revision > ? and position > ?',
      resource,
      continues ? heard.revision : -1,
      floor,
    );
    return { epoch, instance, revision, through, floor, whole: !continues, buckets: [...rows] };
  }

  #isRetired(epoch: string, nowMs: number): boolean {
    this.#sql.exec('delete from retired where until_ms <= ?', nowMs);
    return [...this.#sql.exec('select 1 from retired where epoch = ?', epoch)].length > 0;
  }

  /** A report of the old epoch may still be under way: were it to begin that epoch again, lost states would look fresh. */
  #begin(standing: Standing, { epoch, through }: Report, nowMs: number): void {
    if (standing.epoch !== null) this.#sql.exec('insert or replace into retired values (?, ?)', standing.epoch, nowMs + retiredMs);
    this.#sql.exec('delete from buckets');
    this.#sql.exec('delete from floors');
    this.#sql.exec('update standing set epoch = ?, through = ?, floor = ?', epoch, through, through);
  }

  #raiseAll(order: string): void {
    this.#sql.exec('update standing set floor = max(floor, ?)', order);
    this.#sql.exec('delete from buckets where position <= ?', order);
    this.#sql.exec('delete from floors where position <= ?', order);
  }

  #raiseWhole(resource: string, order: string): void {
    this.#sql.exec(
      'insert into floors values (?, ?) on conflict do update set position = max(position, excluded.position)',
      resource,
      order,
    );
    this.#sql.exec('delete from buckets where resource = ? and position <= ?', resource, order);
  }

  /** By one statement: a busy report has a hundred. */
  #raise(resource: string, buckets: Report['raised'][string], revision: number): void {
    this.#sql.exec(
      `insert into buckets select ?, cast(key as integer), value, ? from json_each(?) where true on conflict do update
       set position = excluded.position, revision = excluded.revision where excluded.position > position`,
      resource, revision, JSON.stringify(buckets));
  }
}

/** Whether a report goes on from where its epoch stands, or begins another that was not left before. */
export function joins(standing: Standing, { epoch, from, through }: Report, isRetired: () => boolean): boolean {
  if (epoch !== standing.epoch) return from === null && !isRetired();
  return through.length === standing.through.length && (from === null || from <= standing.through);
}

function hasAny(record: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(record).length > 0;
}
