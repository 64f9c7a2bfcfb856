/**
 * What this process knows of the log's end: moved by own commits and by polling, never ahead of what is
 * committed. Reads state it, so it must have been true before they began.
 */
import { type Position, reaches } from '../../../../shared/wire/position.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { ChangeLog } from './log.ts';
import { type LogEnd, toPosition } from './positions.ts';
import { Wake } from '../../wake.ts';

export class Head {
  readonly news = new Wake();
  readonly #log: ChangeLog;
  readonly #onMove: () => void;
  #position: Position;

  /** `onMove` is called before the new position can be read here. */
  constructor(log: ChangeLog, onMove: () => void) {
    this.#log = log;
    this.#onMove = onMove;
    this.#position = toPosition(log.mustEnd());
  }

  get position(): Position {
    return this.#position;
  }

  get epoch(): string {
    return this.#position.epoch;
  }

  /** Moves the head after a commit of our own. */
  moveTo(end: LogEnd): void {
    const position = toPosition(end);
    if (position.epoch === this.epoch && position.order === this.#position.order) return;
    this.#onMove();
    this.#position = position;
    this.news.all();
  }

  /** Reads the log's end anew. */
  refresh(): void {
    this.moveTo(this.#log.mustEnd());
  }

  /**
   * A read sees everything committed, so it reaches every position of this history. One of another epoch
   * means nothing any more (SEMANTICS §1); one beyond the end is of a history that was lost.
   */
  mustReach(wanted: Position | undefined): Position {
    if (wanted !== undefined && wanted.epoch === this.epoch && !reaches(this.#position, wanted)) {
      this.refresh();
      if (!reaches(this.#position, wanted)) {
        throw new Fault('store_unavailable', {
          detail: 'the state asked for is not in this store',
          facts: { wanted, head: this.#position },
        });
      }
    }
    return this.#position;
  }
}
