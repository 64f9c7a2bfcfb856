// A member's log of what it applied. Bounded: the oldest entries go, and with them the reach of change streams (286).
import type { UUID } from 'bson';
import type { Description } from '../update/diff.ts';
import type { Doc } from '../values/types.ts';

export type Place = { db: string; collection: string; uuid: UUID };

export type Operation =
  | ({ kind: 'insert'; doc: Doc } & Place)
  | ({ kind: 'update'; id: unknown; doc: Doc; before: Doc; description: Description | null; images: boolean } & Place)
  | ({ kind: 'delete'; id: unknown; before: Doc; images: boolean } & Place)
  | ({ kind: 'create'; options: Doc } & Place)
  | ({ kind: 'drop' } & Place)
  | ({ kind: 'rename'; toDb: string; to: string; dropped: UUID | null } & Place)
  | ({ kind: 'createIndexes'; specs: Doc[] } & Place)
  | ({ kind: 'dropIndexes'; specs: Doc[] } & Place)
  | ({ kind: 'collMod'; options: Doc; changes: Doc; before: Doc } & Place)
  | { kind: 'dropDatabase'; db: string }
  | { kind: 'noop'; message: string };

// What a repeated statement is answered with.
export type StatementResult = Doc;

export type SessionMark = {
  key: string;
  lsid: Doc;
  txnNumber: bigint;
  statements: { id: number; result: StatementResult }[];
  committed: boolean; // the entry is a transaction's commit
};

export type OplogEntry = { at: number; term: number; wall: number; operations: Operation[]; session: SessionMark | null };

export class Oplog {
  private entries: OplogEntry[] = [];
  private start = 0; // entries before this are trimmed
  private readonly entriesMax: number;
  truncatedAt = 0; // the newest entry that is gone from the old end
  private readonly listeners = new Set<() => void>();

  constructor(entriesMax: number) {
    this.entriesMax = entriesMax;
  }

  append(entry: OplogEntry): void {
    this.entries.push(entry);
    if (this.entries.length - this.start > this.entriesMax) this.truncatedAt = (this.entries[this.start++] as OplogEntry).at;
    if (this.start > 4096 && this.start * 2 > this.entries.length) { this.entries = this.entries.slice(this.start); this.start = 0; }
    this.notify();
  }

  get last(): OplogEntry | null {
    return this.entries.length > this.start ? this.entries.at(-1) as OplogEntry : null;
  }

  // The entries later than `at`. For long walks, or walks during which entries are added, use `from`.
  after(at: number): OplogEntry[] {
    return this.entries.slice(this.positionAfter(at));
  }

  *from(at: number): Generator<OplogEntry> {
    let seen = at;
    let position = this.positionAfter(seen);
    for (;;) {
      const entry = this.entries[position];
      if (!entry) return;
      if (entry.at <= seen) { position = this.positionAfter(seen); continue; }
      seen = entry.at;
      yield entry;
      position = this.entries[position] === entry ? position + 1 : this.positionAfter(seen);
    }
  }

  find(at: number): OplogEntry | null {
    const entry = this.entries[this.positionAfter(at) - 1];
    return entry && entry.at === at && this.positionAfter(at) > this.start ? entry : null;
  }

  // Takes off every entry later than `at`, newest last.
  rewind(at: number): OplogEntry[] {
    const lost = this.entries.splice(this.positionAfter(at));
    this.notify();
    return lost;
  }

  // Drops what is older than the newest entry at or before `at`.
  forget(at: number): void {
    const start = this.positionAfter(at) - 1;
    if (start <= this.start) return;
    this.truncatedAt = (this.entries[start - 1] as OplogEntry).at;
    this.start = start;
  }

  reset(entries: OplogEntry[], truncatedAt: number): void {
    this.entries = entries;
    this.start = 0;
    this.truncatedAt = truncatedAt;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  notify(): void {
    for (const listener of this.listeners) listener();
  }

  private positionAfter(at: number): number {
    let low = this.start;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle] as OplogEntry).at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
