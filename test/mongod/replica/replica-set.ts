// The members together: who hears whom, who follows whom, what a majority has. Nothing happens here by itself but
// replication: elections, step-downs, kills, partitions and delays are called by the test.
import type { Clock } from '../clock.ts';
import { fail } from '../errors.ts';
import type { History } from '../history.ts';
import type { Member } from './member.ts';
import { commonPoint, isAhead, sharesLog } from './log-order.ts';
import type { OplogEntry } from './oplog.ts';

const ELECTION_TIMEOUT_MS = 10_000; // a mongod's default

type Waiter = { isMet(): boolean; resolve(): void };

export class ReplicaSet {
  readonly name: string;
  readonly members: readonly Member[];
  readonly rolledBack: { member: number; entries: OplogEntry[] }[] = [];
  private readonly clock: Clock;
  private readonly history: History;
  private groups: number[][] | null = null; // a partition: members hear only those of their own group
  private readonly lagMs: number[];
  private readonly paused = new Set<number>();
  private commitNewsPaused = false;
  private readonly waiters = new Set<Waiter>();
  private scheduled = false;
  private rewinding = Promise.resolve();

  constructor(name: string, members: readonly Member[], clock: Clock, history: History) {
    this.name = name;
    this.members = members;
    this.clock = clock;
    this.history = history;
    this.lagMs = members.map(() => 0);
    for (const member of members) {
      member.onWrite = () => this.changed(member);
      member.journal.onDurable = () => this.changed(member);
    }
  }

  get majority(): number {
    return Math.floor(this.members.length / 2) + 1;
  }

  // The primary that a majority follows; of two that claim it, the one of the later term.
  get primary(): Member | null {
    return this.members.filter(member => member.isPrimary).sort((a, b) => b.term - a.term)[0] ?? null;
  }

  isLinked(a: Member, b: Member): boolean {
    if (a === b) return true;
    if (a.role === 'down' || b.role === 'down') return false;
    return this.groups === null || this.groups.some(group => group.includes(a.index) && group.includes(b.index));
  }

  linkedTo(member: Member): Member[] {
    return this.members.filter(other => this.isLinked(member, other));
  }

  // Asks for votes: a majority must hear the candidate and not be ahead of it.
  elect(candidate: Member): void {
    const voters = this.linkedTo(candidate).filter(voter => !isAhead(voter, candidate));
    if (candidate.role === 'down' || voters.length < this.majority) throw fail('OperationFailed', `member ${candidate.index} cannot be elected: ${voters.length} of ${this.members.length} votes`);
    const term = Math.max(...this.members.map(member => member.term)) + 1;
    for (const voter of this.linkedTo(candidate)) if (voter !== candidate) this.hearTerm(voter, term);
    candidate.becomePrimary(term);
    for (const voter of this.linkedTo(candidate)) if (voter !== candidate) voter.topologyChanged();
    this.history.add({ at: this.clock.now(), kind: 'election', member: candidate.index, detail: `primary of term ${term}` });
    this.schedule();
  }

  stepDown(member: Member): void {
    if (!member.isPrimary) throw fail('NotWritablePrimary', 'not primary so can\'t step down');
    member.changeRole('secondary');
    this.history.add({ at: this.clock.now(), kind: 'member', member: member.index, detail: 'stepped down' });
    this.settleWaiters();
  }

  // The best placed member that is not `except`, if a majority would have it.
  electable(except: Member | null): Member | null {
    const able = this.members.filter(member => member !== except && member.role !== 'down' && this.linkedTo(member).filter(voter => !isAhead(voter, member)).length >= this.majority);
    return able.sort((a, b) => (isAhead(a, b) ? -1 : isAhead(b, a) ? 1 : a.index - b.index))[0] ?? null;
  }

  // A primary that has not heard a majority for the election timeout gives up its place.
  checkPrimaries(): void {
    for (const member of this.members) {
      if (!member.isPrimary || this.linkedTo(member).length >= this.majority) { member.aloneSince = null; continue; }
      member.aloneSince ??= this.clock.now();
      if (this.clock.now() - member.aloneSince >= ELECTION_TIMEOUT_MS) this.stepDown(member);
    }
  }

  partition(groups: number[][]): void {
    this.groups = groups;
    this.history.add({ at: this.clock.now(), kind: 'member', member: -1, detail: `partition ${JSON.stringify(groups)}` });
  }

  heal(): void {
    this.groups = null;
    this.paused.clear();
    this.commitNewsPaused = false;
    this.lagMs.fill(0);
    this.history.add({ at: this.clock.now(), kind: 'member', member: -1, detail: 'healed' });
    this.schedule();
  }

  delay(index: number, ms: number): void {
    this.lagMs[index] = ms;
    this.schedule();
  }

  pause(index: number): void {
    this.paused.add(index);
  }

  resume(index: number): void {
    this.paused.delete(index);
    this.schedule();
  }

  // Followers go on taking entries, and do not hear which of them a majority has: that comes with later messages.
  pauseCommitNews(): void {
    this.commitNewsPaused = true;
  }

  // Called by whoever waits for positions: met now, or looked at again whenever something moves.
  wait(waiter: Waiter): () => void {
    if (waiter.isMet()) { waiter.resolve(); return () => undefined; }
    this.waiters.add(waiter);
    return () => this.waiters.delete(waiter);
  }

  private changed(member: Member): void {
    if (this.members.length === 1) { this.advanceCommit(member); this.settleWaiters(); }
    else this.schedule();
  }

  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => { this.scheduled = false; this.pump(); });
  }

  // One round: terms spread, followers catch up, the commit point moves, waiters are told.
  pump(): void {
    for (const member of this.members) if (member.role !== 'down') this.hearTerm(member, Math.max(...this.linkedTo(member).map(other => other.term)));
    for (const member of this.members) if (member.role === 'secondary') this.catchUp(member);
    for (const member of this.members) if (member.role === 'secondary') void member.journal.flush(member.lastAt);
    for (const member of this.members) if (member.isPrimary) this.advanceCommit(member);
    this.settleWaiters();
  }

  private settleWaiters(): void {
    for (const waiter of this.waiters) if (waiter.isMet()) { this.waiters.delete(waiter); waiter.resolve(); }
  }

  private hearTerm(member: Member, term: number): void {
    if (term <= member.term) return;
    member.term = term;
    if (member.isPrimary) this.stepDown(member);
  }

  private sourceFor(member: Member): Member | null {
    const ahead = this.linkedTo(member).filter(other => other !== member && isAhead(other, member));
    return ahead.sort((a, b) => Number(b.isPrimary) - Number(a.isPrimary) || (isAhead(a, b) ? -1 : 1))[0] ?? null;
  }

  private catchUp(member: Member): void {
    if (this.paused.has(member.index)) return;
    const source = this.sourceFor(member);
    if (!source) return;
    const common = commonPoint(member, source);
    if (common === null) { this.resync(member, source); return; }
    if (common < member.lastAt) { this.rollBack(member, common); return; }
    const lag = this.lagMs[member.index] ?? 0;
    for (const entry of source.oplog.from(common)) {
      const wait = entry.wall + lag - this.clock.now();
      if (lag > 0 && wait > 0) { void this.clock.sleep(wait).then(() => this.schedule()); break; }
      member.replicate(entry);
    }
  }

  private resync(member: Member, source: Member): void {
    if (member.settings.journalFile) { // too stale, as a mongod that stays in RECOVERING: its file cannot be made from a cut log
      this.history.add({ at: this.clock.now(), kind: 'member', member: member.index, detail: `too stale to follow member ${source.index}` });
      return;
    }
    member.copyFrom(source);
    this.history.add({ at: this.clock.now(), kind: 'member', member: member.index, detail: `copied member ${source.index}` });
  }

  // What no majority has is taken back, and kept aside for the test to look at.
  private rollBack(member: Member, common: number): void {
    this.rewinding = this.rewinding.then(async () => {
      if (member.lastAt <= common) return;
      const entries = await member.rewind(common);
      this.rolledBack.push({ member: member.index, entries });
      this.history.add({ at: this.clock.now(), kind: 'rollback', member: member.index, detail: `${entries.length} entries` });
      this.schedule();
    });
  }

  // The position that a majority has durably, counted only over entries of the primary's own term (Raft §5.4.2).
  private advanceCommit(primary: Member): void {
    const positions = this.members.map(member => (this.isLinked(primary, member) && member.role !== 'down' && sharesLog(member, primary) ? Math.min(member.journal.durableAt, member.lastAt) : 0)).sort((a, b) => b - a);
    const at = positions[this.majority - 1] ?? 0;
    if (at > primary.commitAt && (primary.oplog.find(at)?.term === primary.term || this.members.length === 1)) primary.commitAt = at;
    for (const member of this.members) {
      if (member === primary || this.commitNewsPaused || !this.isLinked(primary, member) || !sharesLog(member, primary)) continue;
      const known = Math.min(primary.commitAt, member.lastAt);
      if (known > member.commitAt) { member.commitAt = known; member.oplog.notify(); }
    }
    primary.oplog.notify();
  }
}
