/**
 * One state, held by a snapshot session: each read names the cluster time that the first one chose. Nothing is held open at the
 * server between two reads; it shows a time for as long as it keeps history (`minSnapshotHistoryWindowInSeconds`, 300 s).
 */
import type { ClientSession } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { HeldState, ListRequest, Read, ReadOptions } from '../../store.ts';
import { codeOf, codes, deadlineExceeded } from '../connection/errors.ts';
import type { Reader, Reading } from './reader.ts';

export interface Holding {
  readonly position: Position;
  /** `undefined`: the server shows no state to several reads. */
  readonly session: ClientSession | undefined;
  readonly reader: Pick<Reader, 'list' | 'many'>;
  /** Reads in the session within the time that is left, as a call of the store. */
  readonly run: <T>(options: ReadOptions, read: (reading: Reading) => Promise<T>) => Promise<T>;
}

export class HeldSession implements HeldState {
  readonly position: Position;
  readonly #holding: Holding;

  constructor(holding: Holding) {
    this.position = holding.position;
    this.#holding = holding;
  }

  list(resource: Resource, request: ListRequest, options: ReadOptions) {
    return this.#read(options, (reading) => this.#holding.reader.list(resource, request, reading));
  }

  many(resource: Resource, ids: readonly string[], options: ReadOptions) {
    return this.#read(options, (reading) => this.#holding.reader.many(resource, ids, reading));
  }

  async #read<T>(options: ReadOptions, read: (reading: Reading) => Promise<T>): Promise<Read<T>> {
    try {
      return { value: await this.#holding.run(options, read), position: this.position };
    } catch (error) {
      throw error instanceof Fault && tooOld.has(codeOf(error.cause)) ? deadlineExceeded(error) : error;
    }
  }

  async close(): Promise<void> {
    await this.#holding.session?.endSession();
  }
}

/** What the server says when it has forgotten the time, or cannot show it any more. */
const tooOld: ReadonlySet<number | undefined> = new Set([codes.snapshotTooOld, codes.snapshotUnavailable]);
