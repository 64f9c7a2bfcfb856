// One member: its data, log, sessions, cursors and role. It applies what it is told; who tells it is replica-set.ts.
//
//   secondary ⇄ primary      (elections, step-downs)
//   either → down → secondary (kill, restart)
import { ObjectId } from 'bson';
import { type Clock, realClock } from '../clock.ts';
import { Cursors } from '../commands/cursors.ts';
import { fail, type MongoFault } from '../errors.ts';
import { FailPoints } from '../fail-points.ts';
import type { Examined } from '../query/run.ts';
import { Sessions } from '../sessions/sessions.ts';
import type { Transaction } from '../sessions/transaction.ts';
import { Store } from '../storage/store.ts';
import { timeAt } from './cluster-time.ts';
import { Journal, type JournalFile } from './journal.ts';
import { Oplog, type Operation, type OplogEntry, type SessionMark } from './oplog.ts';

// An election moves a member's topology version in steps, until it has settled. A driver that was told "not primary" with
// the newest version waits for a newer one, ten seconds long, if there was but one step.
const SETTLING_MS = [50, 600];

type Role = 'primary' | 'secondary' | 'down';

type MemberSettings = { index: number; clock: Clock; oplogEntriesMax: number; snapshotWindowMs: number; journalFile: JournalFile | null };

export class Member {
  readonly index: number;
  readonly clock: Clock;
  readonly settings: MemberSettings;
  host = '';
  role: Role = 'secondary';
  term = 0;
  store = new Store();
  readonly oplog: Oplog;
  sessions = new Sessions();
  readonly cursors: Cursors;
  readonly failPoints: FailPoints;
  readonly journal: Journal;
  readonly examined: Examined = { keys: 0, docs: 0, collectionScans: 0 };
  readonly processId = new ObjectId();
  topologyCounter = 0n;
  electionId = new ObjectId();
  lastAt = 0;
  lastWall = 0;
  commitAt = 0;
  aloneSince: number | null = null; // a primary without a majority
  onWrite: () => void = () => undefined;
  private readonly topologyWaiters = new Set<() => void>();
  private roleAbort = new AbortController();

  constructor(settings: MemberSettings) {
    this.settings = settings;
    this.index = settings.index;
    this.clock = settings.clock;
    this.oplog = new Oplog(settings.oplogEntriesMax);
    this.cursors = new Cursors(settings.clock, settings.index);
    this.failPoints = new FailPoints();
    this.journal = new Journal(settings.journalFile);
  }

  get isPrimary(): boolean {
    return this.role === 'primary';
  }

  // Fires when the member changes role: what waits on a primary's behalf gives up then.
  get roleSignal(): AbortSignal {
    return this.roleAbort.signal;
  }

  nextAt(): number {
    return Math.max(timeAt(this.clock.now()), this.lastAt + 1);
  }

  // Applies and logs one change of the primary's own.
  write(operations: Operation[], session: SessionMark | null = null, at = this.nextAt()): number {
    for (const operation of operations) this.store.apply(operation, at);
    return this.log(operations, session, at);
  }

  // Logs what has been applied already.
  log(operations: Operation[], session: SessionMark | null, at: number): number {
    this.append({ at, term: this.term, wall: this.clock.now(), operations, session });
    this.onWrite();
    return at;
  }

  // Applies an entry of another member's log.
  replicate(entry: OplogEntry): void {
    for (const operation of entry.operations) this.store.apply(operation, entry.at);
    this.append(entry);
  }

  private append(entry: OplogEntry): void {
    this.lastAt = entry.at;
    this.lastWall = entry.wall;
    if (entry.session) this.sessions.learn(entry.session, entry.at, this.clock.now());
    this.journal.note(entry);
    this.oplog.append(entry);
  }

  commitTransaction(transaction: Transaction, session: SessionMark): number {
    const at = this.nextAt();
    transaction.commit(at, this.store.onObsolete);
    if (transaction.operations.length === 0) { this.sessions.learn(session, this.lastAt, this.clock.now()); return this.lastAt; }
    return this.log(transaction.operations, session, at);
  }

  // Takes up what a journal kept.
  recover(entries: OplogEntry[]): void {
    for (const entry of entries) {
      for (const operation of entry.operations) this.store.apply(operation, entry.at);
      if (entry.session) this.sessions.learn(entry.session, entry.at, this.clock.now());
      this.oplog.append(entry);
      this.term = entry.term;
      this.lastAt = entry.at;
      this.lastWall = entry.wall;
    }
    this.journal.restart(this.lastAt);
  }

  becomePrimary(term: number): void {
    this.term = term;
    this.electionId = ObjectId.createFromHexString(`7fffffff${term.toString(16).padStart(16, '0')}`);
    this.changeRole('primary');
    this.write([{ kind: 'noop', message: 'new primary' }]);
  }

  changeRole(role: Role): void {
    if (this.role === 'primary') this.sessions.abortAll();
    this.role = role;
    this.roleAbort.abort();
    this.roleAbort = new AbortController();
    this.topologyChanged();
    for (const ms of SETTLING_MS) setTimeout(() => this.topologyChanged(), ms).unref();
    this.oplog.notify();
  }

  topologyChanged(): void {
    this.topologyCounter++;
    for (const wake of this.topologyWaiters) wake();
    this.topologyWaiters.clear();
  }

  // Resolves when the topology changes or the time is over.
  async awaitTopologyChange(ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const wake = (): void => stop.abort();
    this.topologyWaiters.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    await realClock.sleep(ms, stop.signal); // the driver that waits has the real clock
    this.topologyWaiters.delete(wake);
    signal.removeEventListener('abort', wake);
  }

  // Old versions go once no transaction, no majority reader and no snapshot inside the window needs them.
  collectGarbage(): void {
    let horizon = Math.min(this.commitAt, timeAt(this.clock.now() - this.settings.snapshotWindowMs), this.journal.durableAt);
    for (const transaction of this.sessions.openTransactions()) horizon = Math.min(horizon, transaction.view.at);
    this.horizon = Math.max(this.horizon, horizon);
    this.store.collect(horizon);
  }
  horizon = 0;

  // Goes back to the state at `at`, which a crash or a rollback leaves. Returns the entries that are lost.
  async rewind(at: number): Promise<OplogEntry[]> {
    this.sessions.abortAll();
    const lost = this.oplog.rewind(at);
    if (lost.length === 0) return lost;
    if (lost.some(({ operations }) => operations.some(({ kind }) => !['insert', 'update', 'delete', 'noop'].includes(kind)))) this.replayAll(at);
    else this.store.rewind(at);
    this.lastAt = at;
    for (const { session } of lost.toReversed()) if (session) this.sessions.unlearn(session);
    await this.journal.rewind(at, this.oplog.after(0));
    return lost;
  }

  // Undoing a change of catalogue means building the data anew from the log; a log that was cut cannot do that.
  private replayAll(at: number): void {
    if (this.oplog.truncatedAt > 0) throw fail('InternalError', 'the log no longer reaches back far enough to take back a change of catalogue');
    this.store = new Store();
    for (const entry of this.oplog.after(0)) if (entry.at <= at) for (const operation of entry.operations) this.store.apply(operation, entry.at);
  }

  // Takes another member's data as it is now.
  copyFrom(source: Member): void {
    this.sessions.abortAll();
    this.store = source.store.clone(source.lastAt);
    this.oplog.reset(source.oplog.after(0), source.oplog.truncatedAt);
    this.sessions = new Sessions();
    for (const state of source.sessions.states.values()) {
      this.sessions.states.set(state.key, { ...state, statements: new Map(state.statements), transaction: null, busy: Promise.resolve() });
    }
    this.lastAt = source.lastAt;
    this.journal.restart(this.lastAt);
    this.oplog.notify();
  }

  notPrimary(code: 'NotWritablePrimary' | 'NotPrimaryNoSecondaryOk' | 'InterruptedDueToReplStateChange' | 'PrimarySteppedDown'): MongoFault {
    const words = { NotWritablePrimary: 'not primary', NotPrimaryNoSecondaryOk: 'not primary and secondaryOk=false', InterruptedDueToReplStateChange: 'operation was interrupted', PrimarySteppedDown: 'Primary stepped down while waiting for replication' };
    return fail(code, words[code], { topologyVersion: this.topologyVersion });
  }

  get topologyVersion(): { processId: ObjectId; counter: bigint } {
    return { processId: this.processId, counter: this.topologyCounter };
  }
}
