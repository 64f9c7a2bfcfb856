// Open cursors of one member, closed when unused for ten minutes, exhausted, killed, or with their session.
import type { Clock } from '../clock.ts';
import { fail } from '../errors.ts';
import { documentBytes } from '../values/size.ts';
import type { Doc } from '../values/types.ts';

const IDLE_MS_MAX = 10 * 60_000;
const BATCH_BYTES_MAX = 16 * 1024 * 1024;
export const FIRST_BATCH = 101;

export type Batch = { docs: Doc[]; done: boolean; postBatchResumeToken?: Doc };

// The source of a cursor's documents. `maxWaitMs` is for sources that wait for what is not there yet.
export type Source = {
  next(countMax: number, maxWaitMs: number, signal: AbortSignal): Batch | Promise<Batch>;
  close?(): void;
};

export type Cursor = {
  id: bigint;
  namespace: string;
  db: string;
  source: Source;
  session: string | null;
  txnNumber: bigint | null;
  usedAt: number;
  waits: boolean; // awaitData
  batchSize: number | null;
  immortal: boolean;
  busy: AbortController | null;
};

export class Cursors {
  readonly open = new Map<bigint, Cursor>();
  private readonly clock: Clock;
  private last: bigint;
  timeoutMs = IDLE_MS_MAX;

  // No two members give out the same number, as a mongod's random ones.
  constructor(clock: Clock, member: number) {
    this.clock = clock;
    this.last = BigInt(member + 1) << 44n;
  }

  add(cursor: Omit<Cursor, 'id' | 'usedAt' | 'busy'>): Cursor {
    this.last += 7919n;
    const opened = { ...cursor, id: this.last, usedAt: this.clock.now(), busy: null };
    this.open.set(opened.id, opened);
    return opened;
  }

  use(id: bigint): Cursor {
    const cursor = this.open.get(id);
    if (!cursor) throw fail('CursorNotFound', `cursor id ${id} not found`);
    cursor.usedAt = this.clock.now();
    return cursor;
  }

  close(id: bigint): boolean {
    const cursor = this.open.get(id);
    if (!cursor) return false;
    this.open.delete(id);
    cursor.busy?.abort();
    cursor.source.close?.();
    return true;
  }

  expire(): void {
    for (const cursor of this.open.values()) {
      if (!cursor.immortal && !cursor.busy && this.clock.now() - cursor.usedAt > this.timeoutMs) this.close(cursor.id);
    }
  }

  closeOf(session: string): void {
    for (const cursor of this.open.values()) if (cursor.session === session) this.close(cursor.id);
  }

  closeAll(): void {
    for (const id of [...this.open.keys()]) this.close(id);
  }
}

// A source over documents as they are computed. It is done when it says so or when `limit` is spent: a batch that merely
// is full leaves the cursor open, as a mongod does.
export function sourceOf(docs: Iterable<Doc>, limit = Infinity): Source {
  const walk = docs[Symbol.iterator]();
  let left = limit;
  let ahead: Doc | null = null;
  return {
    next(countMax) {
      const out: Doc[] = [];
      let bytes = 0;
      while (out.length < countMax && left > 0) {
        let doc = ahead;
        ahead = null;
        if (!doc) {
          const step = walk.next();
          if (step.done) return { docs: out, done: true };
          doc = step.value;
        }
        bytes += documentBytes(doc);
        if (bytes > BATCH_BYTES_MAX && out.length > 0) { ahead = doc; break; }
        out.push(doc);
        left--;
      }
      return { docs: out, done: left <= 0 };
    },
    close: () => { walk.return?.(); },
  };
}
