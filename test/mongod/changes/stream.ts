// A change stream: a place in the log that moves forward over what a majority has, and gives the events on its way.
import { realClock } from '../clock.ts';
import type { Batch, Source } from '../commands/cursors.ts';
import { fail } from '../errors.ts';
import type { Member } from '../replica/member.ts';
import { type Stage, runStages } from '../aggregate/stages.ts';
import { isIdentical } from '../values/compare.ts';
import { documentBytes, DOCUMENT_BYTES_MAX } from '../values/size.ts';
import type { Doc } from '../values/types.ts';
import { eventsOf, type Scope } from './events.ts';
import { type ImageModes, withImages } from './images.ts';
import { splitEvent } from './split.ts';
import { markAt, type Token, toToken } from './token.ts';

type StreamSpec = { scope: Scope; expanded: boolean; modes: ImageModes; stages: Stage[]; splits: boolean; after: Token };

type Pending = { doc: Doc; token: Doc; ends: boolean };

const BATCH_BYTES_MAX = DOCUMENT_BYTES_MAX;

export class ChangeStream implements Source {
  private readonly member: Member;
  private readonly spec: StreamSpec;
  private scannedTo: number; // every entry up to here has been looked at
  private readonly queue: Pending[] = [];
  private ended = false;
  private lastToken: Doc;

  constructor(member: Member, spec: StreamSpec) {
    this.member = member;
    this.spec = spec;
    this.scannedTo = spec.after.at - 1;
    this.lastToken = toToken(spec.after);
    if (spec.after.kind === 'mark') this.scannedTo = spec.after.at;
  }

  async next(countMax: number, maxWaitMs: number, signal: AbortSignal): Promise<Batch> {
    const until = realClock.now() + maxWaitMs; // the client that waits has the real clock
    for (;;) {
      this.scan(countMax);
      if (this.queue.length > 0 || this.ended || signal.aborted || realClock.now() >= until) return this.batch(countMax);
      await this.untilMore(until - realClock.now(), signal);
    }
  }

  private batch(countMax: number): Batch {
    const docs: Doc[] = [];
    let bytes = 0;
    while (this.queue.length && docs.length < countMax) {
      const { doc, token, ends } = this.queue[0] as Pending;
      bytes += documentBytes(doc);
      if (bytes > BATCH_BYTES_MAX && docs.length > 0) break;
      this.queue.shift();
      docs.push(doc);
      this.lastToken = token;
      if (ends) return { docs, done: true, postBatchResumeToken: token };
    }
    if (this.queue.length === 0 && this.scannedTo > 0 && docs.length < countMax) this.raiseMark();
    return { docs, done: false, postBatchResumeToken: this.lastToken };
  }

  // With nothing left to give, the token moves on to the time that has been looked at.
  private raiseMark(): void {
    const mark = toToken(markAt(this.scannedTo));
    if (String(mark['_data']) > String(this.lastToken['_data'])) this.lastToken = mark;
  }

  private scan(countMax: number): void {
    const { oplog } = this.member;
    if (oplog.truncatedAt > this.scannedTo && oplog.truncatedAt > 0) throw fail('ChangeStreamHistoryLost', 'Executor error during getMore :: caused by :: Resume of change stream was not possible, as the resume point may no longer be in the oplog.');
    for (const entry of oplog.from(this.scannedTo)) {
      if (this.ended || this.queue.length >= countMax || entry.at > this.member.commitAt) return;
      this.scannedTo = entry.at;
      for (const event of eventsOf(entry, this.spec.scope, this.spec.expanded)) {
        if (!isAfter(event.token, this.spec.after)) continue;
        this.push(withImages(event, this.spec.modes, this.member), event.token, event.ends);
        if (event.ends) { this.ended = true; return; }
      }
    }
    if (this.scannedTo < this.member.commitAt) this.scannedTo = this.member.commitAt;
  }

  private push(doc: Doc, token: Token, ends: boolean): void {
    const id = doc['_id'];
    // An invalidate passes every filter: the stream ends with it.
    const [shaped] = ends ? [doc] : [...runStages([doc], this.spec.stages)];
    if (!shaped) return;
    if (!isIdentical(shaped['_id'], id)) {
      throw fail('ChangeStreamFatalError', `Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed. Expected: ${JSON.stringify({ _id: id })} but found: ${JSON.stringify('_id' in shaped ? { _id: shaped['_id'] } : {})}`);
    }
    if (!this.spec.splits && documentBytes(shaped) > DOCUMENT_BYTES_MAX) throw fail('BSONObjectTooLarge', `Executor error during getMore :: caused by :: BSONObj size: ${documentBytes(shaped)} is invalid. Size must be between 0 and 16793600(16MB)`);
    const { after } = this.spec;
    for (const part of this.spec.splits ? splitEvent(shaped, token) : [shaped]) {
      const fragment = (part['splitEvent'] as Doc | undefined)?.['fragment'] as number | undefined;
      if (after.fragment && token.at === after.at && token.operation === after.operation && (fragment ?? 0) <= after.fragment) continue;
      this.queue.push({ doc: part, token: part['_id'] as Doc, ends });
    }
  }

  // Waits until the log or the majority moves, the time is over, or `signal` fires.
  private async untilMore(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const wake = (): void => { if (this.member.commitAt > this.scannedTo) stop.abort(); };
    const leave = this.member.oplog.onChange(wake);
    const quit = (): void => stop.abort();
    signal.addEventListener('abort', quit, { once: true });
    await realClock.sleep(ms, stop.signal);
    signal.removeEventListener('abort', quit);
    leave();
  }
}

function isAfter(token: Token, after: Token): boolean {
  if (token.at !== after.at) return token.at > after.at;
  if (after.kind === 'mark') return false;
  if (token.operation !== after.operation) return token.operation > after.operation;
  return token.step > after.step || (token.step === after.step && after.fragment > 0);
}
