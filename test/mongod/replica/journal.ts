// What survives a crash. Entries are noted as they are applied and become durable with a flush: at once when a writer
// asks for `j` or a majority, else every 100 ms. Without a file, flushes move the mark alone: a killed member then loses what a real one
// would lose. With a file, entries are appended to it and synced (persistence/journal-file.ts).
import type { OplogEntry } from './oplog.ts';

export type JournalFile = { append(entry: OplogEntry): void; sync(): Promise<void>; rewrite(entries: OplogEntry[]): Promise<void>; close(): Promise<void> };

export class Journal {
  durableAt = 0;
  private notedAt = 0;
  private flushing: Promise<void> | null = null;
  private readonly file: JournalFile | null;
  onDurable: () => void = () => undefined;

  constructor(file: JournalFile | null) {
    this.file = file;
  }

  note(entry: OplogEntry): void {
    this.notedAt = entry.at;
    this.file?.append(entry);
  }

  // Group commit: writers that ask while a sync runs share the next one.
  async flush(at: number): Promise<void> {
    if (!this.file) { this.mark(this.notedAt); return; }
    while (this.durableAt < Math.min(at, this.notedAt)) {
      this.flushing ??= this.run();
      await this.flushing;
    }
  }

  private async run(): Promise<void> {
    await Promise.resolve(); // whoever asks in this turn shares the flush
    const upTo = this.notedAt;
    await this.file?.sync();
    this.flushing = null;
    this.mark(upTo);
  }

  private mark(at: number): void {
    if (at <= this.durableAt) return;
    this.durableAt = at;
    this.onDurable();
  }

  async rewind(at: number, kept: OplogEntry[]): Promise<void> {
    this.notedAt = Math.min(this.notedAt, at);
    this.durableAt = Math.min(this.durableAt, at);
    await this.file?.rewrite(kept);
  }

  restart(at: number): void {
    this.notedAt = at;
    this.durableAt = at;
  }

  async close(): Promise<void> {
    await this.file?.close();
  }
}
