/**
 * What this process knows of the committed end of history: a cluster time that a majority has, and the epoch. Moved
 * by own commits and by the streams it reads; every read asks for a state at or after it, so it may state it.
 */
import type { Db, Timestamp } from 'mongodb';
import { Fault } from '../../../../shared/wire/fault.ts';
import { type Position, reaches } from '../../../../shared/wire/position.ts';
import { toTimePosition } from './positions.ts';
import { majorityTime } from '../connection/cluster-time.ts';
import { mustEpoch } from './epoch.ts';

export class Head {
  readonly #database: Db;
  /** Where Tombolo is not installed: the epoch that holds meanwhile. */
  #standIn: string | undefined;
  #epoch: string;
  #time: Timestamp;

  constructor(database: Db, start: { readonly epoch: string; readonly time: Timestamp; readonly standIn?: string | undefined }) {
    this.#database = database;
    this.#epoch = start.epoch;
    this.#time = start.time;
    this.#standIn = start.standIn;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get time(): Timestamp {
    return this.#time;
  }

  get position(): Position {
    return toTimePosition(this.#epoch, this.#time);
  }

  /** Moves the head to a time that a majority has. */
  moveTo(time: Timestamp): Position {
    if (time.greaterThan(this.#time)) this.#time = time;
    return toTimePosition(this.#epoch, time);
  }

  begin(epoch: string, time: Timestamp): Position {
    this.#epoch = epoch;
    return this.moveTo(time);
  }

  /** An epoch that is kept in this process alone. */
  standIn(epoch: string): Position {
    this.#standIn = epoch;
    return this.begin(epoch, this.#time);
  }

  /** Asks the primary; finds a new epoch that another process began. */
  async refresh(): Promise<Position> {
    const time = await majorityTime(this.#database);
    this.#epoch = await mustEpoch(this.#database, this.#standIn);
    this.moveTo(time);
    return this.position;
  }

  /**
   * A position of another epoch means nothing any more (SEMANTICS §1); one beyond the committed end is of
   * a history that was lost.
   */
  async mustReach(wanted: Position | undefined): Promise<Position> {
    if (wanted !== undefined && wanted.epoch === this.#epoch && !reaches(this.position, wanted)) {
      await this.refresh();
      if (wanted.epoch === this.#epoch && !reaches(this.position, wanted)) {
        throw new Fault('store_unavailable', {
          detail: 'the state asked for is not in this store',
          headers: { 'retry-after': '1' },
          facts: { wanted, head: this.position },
        });
      }
    }
    return this.position;
  }
}
