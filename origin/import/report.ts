/** What an import tells at its end. Rejections are listed up to a bound and counted beyond it. */
import type { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Outcome } from '../store/store.ts';

export class ImportReport {
  complete = false;
  /** Every row up to here is committed or rejected. */
  lastCommittedRow = 0;
  stopped: Fault | undefined;
  /** The position of the last commit. */
  writtenAt: Position | undefined;
  #imported = 0;
  #replaced = 0;
  #rejected = 0;
  readonly #skipped = new Set<number>();
  #skippedCount = 0;
  readonly #listed: string[] = [];

  reject(row: number, fault: Fault): void {
    this.#rejected++;
    if (this.#listed.length >= limits.importRejectedListedMax) return;
    const { reason: code, detail, errors } = fault;
    this.#listed.push(JSON.stringify({ row, code, detail, errors }));
  }

  /** Notes a skipped row inside a transaction that may run again, hence in a set; counting the batch empties it. */
  skip(row: number): void {
    this.#skipped.add(row);
  }

  count(row: number, outcome: Outcome): void {
    if (outcome.kind === 'written') {
      if (outcome.before === undefined) this.#imported++;
      else this.#replaced++;
    } else if (this.#skipped.delete(row)) this.#skippedCount++;
    else if (outcome.kind === 'refused') this.reject(row, outcome.fault);
  }

  get progress(): { readonly rows: number; readonly rejected: number } {
    return { rows: this.#imported + this.#replaced + this.#skippedCount + this.#rejected, rejected: this.#rejected };
  }

  *lines(toToken: (position: Position) => string): Generator<string> {
    yield* this.#listed;
    yield JSON.stringify({ summary: this.summary(toToken) });
  }

  summary(toToken: (position: Position) => string): JsonObject {
    const { lastCommittedRow, complete, stopped, writtenAt } = this;
    return {
      imported: this.#imported, replaced: this.#replaced, skipped: this.#skippedCount, rejected: this.#rejected,
      lastCommittedRow, complete,
      ...(writtenAt === undefined ? {} : { position: toToken(writtenAt) }),
      ...(stopped === undefined ? {} : { stopped: toStopped(stopped) }),
    };
  }
}

function toStopped({ reason: code, detail }: Fault): JsonObject {
  return detail === undefined ? { code } : { code, detail };
}
