/**
 * The change feed of this engine: one change stream a reader, from the cluster time of its position, skipping what
 * it has had. A position that names a change must meet that very change again; otherwise, or when the time has left
 * the log, the reader learns that history is lost before it gets anything newer.
 *
 *   open at the position's time ──▶ SKIPPING ── its change met, or its time passed ──▶ GIVING ──┐
 *        ▲                             │ another change there: LOST                            │
 *        └── the stream breaks: again from the last position given ◀──────────────────────────┘
 */
import type { Db, MongoClient, Timestamp } from 'mongodb';
import type { Change } from '../../../../shared/contract/change.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { ChangeBatch, HistoryLost } from '../../store.ts';
import { ChangeStream, type Page } from './change-stream.ts';
import { afterAll, type ClusterPosition, parseOrder, toChangePosition, toOrdinal, toTimePosition } from './positions.ts';
import { codeOf, codes, hasLabel, isUnreachable, storeUnavailable, toStoreFault } from '../connection/errors.ts';
import { toEvent, toPipeline } from './events.ts';
import type { Head } from './head.ts';
import { inTime } from '../connection/in-time.ts';

export interface WatchSource {
  readonly client: MongoClient;
  readonly database: Db;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly head: Head;
  /** The epoch is gone from the database: puts everything back and begins a new one. */
  reset(): Promise<Position>;
  /** A collection was dropped or renamed: its indexes, validators and images are to be put back. */
  onSchemaChange(): void;
  /** A change came without what was before it: images may have been turned off. */
  onImageMissing(): void;
}

const watchLimits = {
  /** The time for questions beside the stream. */
  askMs: 5_000,
  /** A stream that cannot be opened again within this time ends in `store_unavailable`. */
  brokenMsMax: 10_000,
  retryMs: 100,
} as const;

/** What the reader is given: a batch, or the end of this history. */
type Given = ChangeBatch | HistoryLost;

export async function* watchChanges(source: WatchSource, from: Position, signal: AbortSignal): AsyncGenerator<Given, void, undefined> {
  let at = await mustBeKnown(source, from);
  if (at === undefined) return yield await toLost(source);
  let brokenSinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      const reading = new Reading(source, from.epoch, at);
      for await (const given of reading.run(signal)) {
        brokenSinceMs = undefined;
        yield given;
        if ('lost' in given) return;
        at = parseOrder(given.through) ?? at;
      }
    } catch (error) {
      if (isLost(error)) return yield await toLost(source);
      if (signal.aborted) return;
      if (!isResumable(error)) throw toStoreFault(error);
      brokenSinceMs ??= performance.now();
      if (performance.now() - brokenSinceMs > watchLimits.brokenMsMax) throw storeUnavailable(error);
      await Bun.sleep(watchLimits.retryMs);
    }
  }
}

/** The parts of a position; `undefined` where it is of another epoch, malformed, or beyond what is committed. */
async function mustBeKnown({ head }: WatchSource, from: Position): Promise<ClusterPosition | undefined> {
  const at = parseOrder(from);
  const isKnown = () => at !== undefined && from.epoch === head.epoch && !at.time.greaterThan(head.time);
  if (!isKnown()) await inTime(watchLimits.askMs, () => head.refresh());
  return isKnown() ? at : undefined;
}

async function toLost({ head }: WatchSource): Promise<HistoryLost> {
  return { lost: true, head: await inTime(watchLimits.askMs, () => head.refresh()) };
}

function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === codes.changeStreamHistoryLost || code === codes.changeStreamFatal || code === codes.invalidResumeToken;
}

function isResumable(error: unknown): boolean {
  return hasLabel(error, 'ResumableChangeStreamError') || codeOf(error) === codes.cursorNotFound || isUnreachable(error);
}

function isWithoutBefore(change: Change): boolean {
  return change.kind === 'document' && change.before === undefined;
}

/** One stream of one reader, until it breaks or history ends. */
class Reading {
  readonly #source: WatchSource;
  readonly #epoch: string;
  readonly #from: ClusterPosition;
  /** Whether everything up to `#from` was passed. */
  #isPast: boolean;
  #time: Timestamp | undefined;
  /** The ordinal of the next event at `#time`. */
  #index = 0;

  constructor(source: WatchSource, epoch: string, from: ClusterPosition) {
    this.#source = source;
    this.#epoch = epoch;
    this.#from = from;
    this.#isPast = from.ordinal === afterAll;
  }

  async *run(signal: AbortSignal): AsyncGenerator<Given, void, undefined> {
    const { client, database, resources } = this.#source;
    const stream = await ChangeStream.open({ client, database, pipeline: toPipeline(resources.values()), startAt: this.#from.time });
    try {
      while (!signal.aborted) {
        const known = this.#source.head.time;
        const page = await stream.next();
        const given = await this.#toGiven(page, known);
        if (given !== undefined && !signal.aborted) yield given;
        if (given !== undefined && 'lost' in given) return;
      }
    } finally {
      await stream.close();
    }
  }

  /** `known`: a time that was committed before the page was asked for. */
  async #toGiven(page: Page, known: Timestamp): Promise<Given | undefined> {
    const changes: Change[] = [];
    let last: Position | undefined;
    for (const { token, time, document } of page.events) {
      const index = this.#indexOf(time);
      const position = toChangePosition(this.#epoch, { time, index, token });
      const skip = this.#skips(time, index, position);
      if (skip === 'lost') return toLost(this.#source);
      if (skip) continue;
      const event = toEvent(this.#source.resources, document, position);
      if (event.kind === 'reset') return { lost: true, head: await this.#source.reset() };
      if (event.kind === 'epoch' && event.epoch !== this.#epoch) {
        // It may be the first one: what was pending in this database has been applied.
        this.#source.onSchemaChange();
        return { lost: true, head: this.#source.head.begin(event.epoch, time) };
      }
      if (event.kind === 'changes') changes.push(...event.changes);
      if (event.kind === 'changes' && event.changes.some(isWithoutBefore)) this.#source.onImageMissing();
      if (event.kind === 'changes' && event.touchesSchema) this.#source.onSchemaChange();
      last = position;
    }
    if (page.ended) return { lost: true, head: await this.#source.reset() };
    return this.#toBatch(page, known, changes, last);
  }

  async #toBatch(
    { through: end, askedAtMs }: Page,
    known: Timestamp,
    changes: readonly Change[],
    last: Position | undefined,
  ): Promise<Given | undefined> {
    if (end === undefined) return last === undefined ? undefined : { changes, through: last, completeAtMs: undefined };
    // A change that is not where it was said to be: another history.
    if (!this.#isPast && !end.lessThan(this.#from.time)) return toLost(this.#source);
    if (end.lessThan(this.#from.time)) return undefined;
    this.#source.head.moveTo(end);
    return { changes, through: toTimePosition(this.#epoch, end), completeAtMs: end.lessThan(known) ? undefined : askedAtMs };
  }

  #indexOf(time: Timestamp): number {
    if (this.#time === undefined || !this.#time.equals(time)) this.#index = 0;
    this.#time = time;
    return this.#index++;
  }

  #skips(time: Timestamp, index: number, position: Position): boolean | 'lost' {
    if (time.lessThan(this.#from.time)) return true;
    if (!time.equals(this.#from.time)) return this.#isPast ? false : 'lost';
    if (this.#from.ordinal === afterAll) return true;
    if (this.#isPast || toOrdinal(index) < this.#from.ordinal) return !this.#isPast;
    if (position.order.slice(-8) !== this.#from.check) return 'lost';
    this.#isPast = true;
    return true;
  }
}
