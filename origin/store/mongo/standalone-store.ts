/**
 * The store on a standalone MongoDB, for resources that nobody writes through us and that are neither cached nor
 * live (server-checks.ts): it has no transactions and no change feed. What other programs write is in the next read, whatever
 * preference and concern a resource declares: the server is its own majority, and the only one to ask.
 *
 * So positions order nothing here. There is one for each run of the server, the same for every origin on it; each
 * read has reached it, and the feed tells of no change after it.
 */
import { createHash } from 'node:crypto';
import type { Db } from 'mongodb';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Figures } from '../../services/figures.ts';
import { storeLimits } from '../limits.ts';
import type { ChangeBatch, HistoryLost, Mutation, Store, WriteOptions, Written } from '../store.ts';
import { Wake } from '../wake.ts';
import { ConnectedStore, type Opened } from './connected-store.ts';

export class StandaloneStore extends ConnectedStore implements Store {
  protected override readonly holdsStates = false;
  readonly #cursors = new Map<string, Position>();
  readonly #news = new Wake();
  #position: Position;

  static async open(opened: Opened): Promise<Store> {
    return new StandaloneStore(opened, await positionOf(opened.database));
  }

  private constructor(opened: Opened, position: Position) {
    super(opened);
    this.#position = position;
  }

  /** The rules refuse every write of documents before it comes here; consumers that write none still move their cursors. */
  async write(mutations: readonly Mutation[], { cursor }: WriteOptions): Promise<Written> {
    if (mutations.length === 0 && cursor !== undefined) {
      this.#cursors.set(cursor.consumer, cursor.to);
      return { outcomes: [], position: this.#position, replayed: undefined };
    }
    throw new Fault('forbidden', { detail: 'a standalone MongoDB has no transactions, so nothing is written through Tombolo' });
  }

  /** Nothing is written, so nothing waits. */
  figures(): Figures {
    return this.opened.pool();
  }

  /** The position of the server's run: it may have been started again since, and then has another. */
  head(): Promise<Position> {
    return this.own(async () => {
      const position = await positionOf(this.opened.database);
      const isNew = position.epoch !== this.#position.epoch;
      this.#position = position;
      if (isNew) this.#news.all();
      return position;
    });
  }

  async *watch(from: Position, signal: AbortSignal): AsyncGenerator<ChangeBatch | HistoryLost, void, undefined> {
    const ends = AbortSignal.any([signal, this.closing]);
    while (!ends.aborted) {
      if (from.epoch !== this.#position.epoch || from.order !== this.#position.order) return yield { lost: true, head: this.#position };
      yield { changes: [], through: from, completeAtMs: performance.now() };
      await this.#news.wait(storeLimits.watermarkMs, ends);
    }
  }

  /** Cursors are in memory only: a standalone has no change feed, so a consumer that loses its cursor has missed nothing. */
  async cursor(consumer: string): Promise<Position | undefined> {
    return this.#cursors.get(consumer);
  }

  /** No position promises anything that could be lost. */
  renewEpoch(): Promise<Position> {
    return this.head();
  }

  protected override stateFor() {
    return { time: undefined, position: this.#position };
  }

  /** Tried again by the next list that misses it. */
  protected override onUnmended(cause: unknown): void {
    this.opened.options.onWarning('others dropped collections or indexes, which cannot be put back', { cause: String(cause) });
  }
}

/** An order as wide as that of the engine's other positions, and before them all. */
const order = '0'.repeat(28);

async function positionOf(database: Db): Promise<Position> {
  const { topologyVersion } = await database.command({ hello: 1 });
  return { epoch: createHash('sha256').update(String(topologyVersion?.processId)).digest('hex').slice(0, 16), order };
}
