/**
 * A change stream as pages, by the commands themselves: the driver's own cursor hides where one batch of the server
 * ends, and that end is what tells that a transaction's events are all there.
 *
 * A page is at the end when the server had nothing more to give: its resume token is then not the last event's but
 * a mark behind it, or the batch is empty. Where the last event's own token comes back, one more short question
 * settles it.
 */
import type { ClientSession, Db, Document, MongoClient, Timestamp } from 'mongodb';
import { timeOfToken, tokenText } from './positions.ts';

export interface RawEvent {
  /** The resume token, as text. */
  readonly token: string;
  readonly time: Timestamp;
  readonly document: Document;
}

export interface Page {
  readonly events: readonly RawEvent[];
  /** The time up to which everything was given; `undefined` where more may follow at the last event's time. */
  readonly through: Timestamp | undefined;
  /** `performance.now()` before the question that found the end. */
  readonly askedAtMs: number;
  /** Whether the stream was invalidated: nothing will follow. */
  readonly ended: boolean;
}

const streamLimits = {
  /** Events of one page, at most. */
  pageEventsMax: 500,
  /** The server holds an empty answer back so long, so that idle watermarks come within 100 ms. */
  waitMs: 80,
  /** How long the server may wait with its answer to the short question whether more follows. */
  probeMs: 1,
  /** Short questions for one page; a busy stream answers them with more events, and the page must not wait for long. */
  probesMax: 3,
  /** An answer that is later than this will not come: on Bun the driver does not notice that a connection dies just as it writes to it. */
  lateMsMax: 5_000,
} as const;

interface Batch {
  readonly documents: readonly Document[];
  readonly token: unknown;
}

interface Opening {
  readonly client: MongoClient;
  readonly database: Db;
  readonly pipeline: readonly Document[];
  readonly startAt: Timestamp;
}

export class ChangeStream {
  readonly #database: Db;
  readonly #session: ClientSession;
  readonly #name: string;
  readonly #cursor: unknown;
  #fragments: Document[] = [];
  #pending: Batch | undefined;
  #isOpen: boolean;

  /** Opens a stream; `startAt`: events of this cluster time and later. */
  static async open({ client, database, pipeline, startAt }: Opening): Promise<ChangeStream> {
    const session = client.startSession({ causalConsistency: false });
    try {
      const stage = {
        $changeStream: { startAtOperationTime: startAt, fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' },
      };
      const { cursor } = await database.command(
        {
          aggregate: 1,
          pipeline: [stage, ...pipeline, { $changeStreamSplitLargeEvent: {} }],
          cursor: { batchSize: streamLimits.pageEventsMax },
          readConcern: { level: 'majority' },
        },
        { session, promoteLongs: false, signal: AbortSignal.timeout(streamLimits.lateMsMax) },
      );
      return new ChangeStream(database, session, cursor);
    } catch (error) {
      await session.endSession();
      throw error;
    }
  }

  private constructor(database: Db, session: ClientSession, cursor: Document) {
    this.#database = database;
    this.#session = session;
    this.#cursor = cursor['id'];
    this.#name = String(cursor['ns']).slice(String(cursor['ns']).indexOf('.') + 1);
    this.#isOpen = String(cursor['id']) !== '0';
    this.#pending = { documents: cursor['firstBatch'], token: cursor['postBatchResumeToken'] };
  }

  async next(): Promise<Page> {
    const events: RawEvent[] = [];
    let askedAtMs = performance.now();
    // The answer to the opening may come before anything was looked at: it is never the end.
    let batch = this.#takePending();
    if (batch.documents.length === 0 && this.#isOpen) batch = await this.#more(streamLimits.waitMs, streamLimits.pageEventsMax);
    for (let probes = 0; ; probes++) {
      events.push(...this.#join(batch.documents));
      const through = this.#endOf(batch);
      const room = streamLimits.pageEventsMax - events.length;
      if (through !== undefined || !this.#isOpen || room <= 0 || probes >= streamLimits.probesMax) {
        return { events, through, askedAtMs, ended: !this.#isOpen };
      }
      askedAtMs = performance.now();
      batch = await this.#more(streamLimits.probeMs, room);
    }
  }

  async close(): Promise<void> {
    if (this.#isOpen) {
      await this.#database.command({ killCursors: this.#name, cursors: [this.#cursor] }, { session: this.#session }).catch(alreadyGone);
    }
    await this.#session.endSession();
  }

  #takePending(): Batch {
    const pending = this.#pending ?? { documents: [], token: undefined };
    this.#pending = undefined;
    return pending;
  }

  async #more(maxTimeMS: number, batchSize: number): Promise<Batch> {
    const { cursor } = await this.#database.command(
      { getMore: this.#cursor, collection: this.#name, batchSize, maxTimeMS },
      { session: this.#session, promoteLongs: false, signal: AbortSignal.timeout(streamLimits.lateMsMax) },
    );
    if (String(cursor.id) === '0') this.#isOpen = false;
    return { documents: cursor.nextBatch, token: cursor.postBatchResumeToken };
  }

  #endOf({ documents, token }: Batch): Timestamp | undefined {
    const last = documents.at(-1);
    if (this.#fragments.length > 0 || token === undefined) return undefined;
    return last !== undefined && tokenText(last['_id']) === tokenText(token) ? undefined : timeOfToken(token);
  }

  /** A large event comes in fragments, whose fields together are the event. */
  #join(documents: readonly Document[]): readonly RawEvent[] {
    return documents.flatMap((document): readonly RawEvent[] => {
      this.#fragments.push(document);
      const split: { readonly fragment: number; readonly of: number } | undefined = document['splitEvent'];
      if (split !== undefined && split.fragment < split.of) return [];
      const whole: Document = Object.assign({}, ...this.#fragments);
      const token = this.#fragments[0]?.['_id'];
      this.#fragments = [];
      return [{ token: tokenText(token), time: timeOfToken(token), document: whole }];
    });
  }
}

/** A cursor that died with its server needs no end. */
function alreadyGone(): void {}
