/**
 * One state, held by a read transaction on a connection of its own, so that the reads and writes of everybody else go on. While
 * it is open the write-ahead log grows by whatever is written, so past a size of that it is given up.
 */
import { statSync } from 'node:fs';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import { storeLimits } from '../../limits.ts';
import type { HeldState, ListRequest, Read, ReadOptions, Row } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import { type Connection, openReader } from '../connection/database.ts';
import { deadlineExceeded, mustBeInTime, storeClosed, toStoreFault } from '../connection/errors.ts';
import { Reader } from './reader.ts';

/** Those that are open, to be closed with their store. */
export class HeldStates {
  readonly #path: string;
  readonly #clock: () => number;
  readonly #open = new Set<HeldFileState>();

  constructor(path: string, clock: () => number) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Throws what SQLite throws where the file is locked. */
  open(resources: readonly Resource[], position: Position): HeldState {
    const onClosed = (): void => void this.#open.delete(held);
    const held = new HeldFileState({ path: this.#path, clock: this.#clock, resources, position, onClosed });
    this.#open.add(held);
    return held;
  }

  close(): void {
    for (const held of this.#open) held.end();
  }
}

interface Holding {
  readonly path: string;
  readonly resources: readonly Resource[];
  readonly position: Position;
  readonly clock: () => number;
  /** Called once, when it is closed. */
  readonly onClosed: () => void;
}

class HeldFileState implements HeldState {
  readonly position: Position;
  readonly #holding: Holding;
  readonly #connection: Connection;
  readonly #reader: Reader;
  #isClosed = false;

  constructor(holding: Holding) {
    this.#holding = holding;
    this.position = holding.position;
    this.#connection = openReader(holding.path);
    const { database } = this.#connection;
    try {
      // One pass over many documents needs none of them again.
      database.run('PRAGMA cache_size = -2048');
      database.run('BEGIN');
      // A transaction begins with what it reads first.
      database.run('SELECT 1 FROM sqlite_schema LIMIT 1');
      this.#reader = new Reader(this.#connection, holding.resources, () => undefined);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async list(resource: Resource, request: ListRequest, options: ReadOptions): Promise<Read<readonly Row[]>> {
    return this.#read(options, (mustGoOn) => this.#reader.list(resource, request, mustGoOn));
  }

  async many(resource: Resource, ids: readonly string[], options: ReadOptions): Promise<Read<readonly StoredDocument[]>> {
    return this.#read(options, () => ids.flatMap((id) => this.#reader.get(resource, id) ?? []));
  }

  #read<T>({ deadline }: ReadOptions, read: (mustGoOn: () => void) => T): Read<T> {
    if (this.#isClosed) throw storeClosed();
    const { clock, path, position } = this.#holding;
    const { size } = statSync(`${path}-wal`, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > storeLimits.heldLogBytesMax) throw deadlineExceeded();
    const mustGoOn = () => mustBeInTime(clock(), deadline);
    try {
      mustGoOn();
      return { value: read(mustGoOn), position };
    } catch (error) {
      throw toStoreFault(error);
    }
  }

  async close(): Promise<void> {
    this.end();
  }

  end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.database.close();
    this.#holding.onClosed();
  }
}
