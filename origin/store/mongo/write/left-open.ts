/**
 * Transactions that a killed process has left open. The server keeps one for `transactionLifetimeLimitSeconds` from its
 * beginning, a minute unless set otherwise, and every write of what it has written meets a conflict for so long. Whoever meets
 * conflicts for a while has the server name Tombolo's transactions that nobody goes on with, and ends their sessions.
 *
 * A user sees and ends what is their own without any right (`$currentOp` with `allUsers: false`, `killSessions`). Where the
 * server knows neither, as in shared clusters, the transaction ends by its lifetime.
 */
import type { Document, MongoClient } from 'mongodb';
import { driverName } from '../connection/client.ts';
import { inTime } from '../connection/in-time.ts';

const leftOpen = {
  /** Asked at most once in so long: a document that many write meets conflicts too. */
  askedEveryMs: 1_000,
  /**
   * Statements of one transaction follow one another at once. A process that stood still for longer, and lives, meets
   * `NoSuchTransaction`, which is a conflict: what was not committed is tried again.
   */
  idleMsMin: 2_000,
  answerMsMax: 2_000,
} as const;

export class LeftOpen {
  readonly #client: MongoClient;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(client: MongoClient) {
    this.#client = client;
  }

  /** Not waited for: who writes tries again anyway. */
  end(): void {
    if (this.#asking !== undefined || performance.now() - this.#askedAt < leftOpen.askedEveryMs) return;
    this.#askedAt = performance.now();
    this.#asking = this.#end().catch(leaveToItsLifetime).finally(() => (this.#asking = undefined));
  }

  async close(): Promise<void> {
    await this.#asking;
  }

  async #end(): Promise<void> {
    const admin = this.#client.db('admin');
    const idle = {
      'type': 'idleSession',
      'clientMetadata.driver.name': { $regex: `\\|${driverName}$` },
      'transaction.timeInactiveMicros': { $gte: leftOpen.idleMsMin * 1_000 },
    };
    const stages = [{ $currentOp: { allUsers: false, idleSessions: true } }, { $match: idle }, { $project: { lsid: 1 } }];
    const options = { maxTimeMS: leftOpen.answerMsMax, readConcern: { level: 'local' } } as const;
    const found = await inTime(leftOpen.answerMsMax, () => admin.aggregate<{ lsid: { id: Document } }>(stages, options).toArray());
    if (found.length === 0) return;
    const killSessions = found.map(({ lsid: { id } }) => ({ id }));
    await inTime(leftOpen.answerMsMax, () => admin.command({ killSessions }));
  }
}

function leaveToItsLifetime(): void {}
