// A MongoDB for tests: one process, one or more members on loopback ports. `startMongod` is the way in.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { EJSON } from 'bson';
import type { TCPSocketListener } from 'bun';
import { realClock, type Clock } from './clock.ts';
import { type FaultPlan, type Faults, NO_FAULTS, seededFaults, seededRandom } from './faults.ts';
import { Encounters, type Moment } from './encounters.ts';
import { History, type HistoryEvent } from './history.ts';
import { openJournal } from './persistence/journal-file.ts';
import { Member } from './replica/member.ts';
import type { OplogEntry } from './replica/oplog.ts';
import { ReplicaSet } from './replica/replica-set.ts';
import { expireDocuments } from './ttl.ts';
import type { Role } from './rights.ts';
import type { Doc } from './values/types.ts';
import { Connection } from './wire/connection.ts';
import type { Credential } from './wire/scram.ts';

export type MongodOptions = {
  members?: number; // default 1
  standalone?: boolean; // no replica set: no transactions, no change streams
  auth?: { user: string; password: string; roles?: readonly Role[] }; // without roles: everything
  version?: string; // that it says it is
  says?: { hello?: Doc; buildInfo?: Doc }; // in place of its own words: another product, a router; undefined leaves a field out
  seed?: number;
  faults?: FaultPlan | Faults; // by rate, or as the test decides
  dataDir?: string;
  oplogEntriesMax?: number;
  snapshotWindowMs?: number; // how far back snapshot reads reach
  clock?: Clock;
  port?: number; // of member 0; the others follow
  setName?: string;
};

const OPLOG_ENTRIES_MAX = 500_000;
const LOG_LINES_MAX = 1024; // as a mongod keeps for `getLog`
const TICK_MS = 100;
const TTL_MS = 60_000;

export class Server {
  readonly clock: Clock;
  readonly history = new History();
  readonly encounters = new Encounters();
  readonly log: string[] = []; // what a mongod writes into its log and `getLog` gives, as far as it is of use here
  readonly version: string;
  readonly says: { hello?: Doc; buildInfo?: Doc };
  readonly set: ReplicaSet;
  readonly isReplicaSet: boolean;
  readonly isPersistent: boolean;
  readonly auth: boolean;
  readonly users: Credential[];
  readonly random: () => number;
  transactionLifetimeMsMax = 60_000;
  errors: unknown[] = []; // what no fault accounts for: a bug of this server
  readonly faults: Faults;
  private readonly listeners: (TCPSocketListener<Connection> | null)[];
  private readonly connections = new Set<Connection>();
  private readonly ports: number[];
  private applications = 0;
  private ttlAt = 0;
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly password: string | null;

  constructor(options: MongodOptions, members: Member[]) {
    const seed = options.seed ?? 1;
    this.clock = options.clock ?? realClock;
    this.set = new ReplicaSet(options.setName ?? 'rs0', members, this.clock, this.history);
    this.isReplicaSet = options.standalone !== true;
    this.isPersistent = options.dataDir !== undefined;
    this.version = options.version ?? '7.0.14';
    this.says = options.says ?? {};
    this.auth = options.auth !== undefined;
    this.random = seededRandom(seed);
    this.users = options.auth ? [{ ...options.auth, salt: randomBytes(28) }] : [];
    this.password = options.auth ? `${encodeURIComponent(options.auth.user)}:${encodeURIComponent(options.auth.password)}@` : null;
    this.faults = !options.faults ? NO_FAULTS : 'decide' in options.faults ? options.faults : seededFaults(seed, options.faults);
    this.listeners = members.map(() => null);
    this.ports = members.map((_, i) => (options.port ? options.port + i : 0));
    this.ttlAt = this.clock.now() + TTL_MS;
  }

  get members(): readonly Member[] {
    return this.set.members;
  }

  get uri(): string {
    const hosts = this.members.map(({ host }) => host).join(',');
    return `mongodb://${this.password ?? ''}${hosts}/?${this.isReplicaSet ? `replicaSet=${this.set.name}` : 'directConnection=true'}`;
  }

  start(): void {
    for (const member of this.members) this.listen(member);
    if (this.isReplicaSet) this.set.elect(this.set.electable(null) as Member);
    else (this.members[0] as Member).becomePrimary(1);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    for (const connection of this.connections) connection.close();
    for (const listener of this.listeners) listener?.stop(true);
    for (const member of this.members) { member.cursors.closeAll(); await member.journal.flush(member.lastAt); await member.journal.close(); }
  }

  // --- what a test may do to it ---

  memberOf(which: number | undefined): Member {
    const member = which === undefined ? this.set.primary : this.members[which];
    if (!member) throw new Error(which === undefined ? 'there is no primary' : `there is no member ${which}`);
    return member;
  }

  elect(index: number): void {
    this.set.elect(this.memberOf(index));
  }

  // The primary gives up its place; the best placed other member takes it, unless the test wants none.
  stepDown({ elect = true }: { elect?: boolean } = {}): void {
    const member = this.memberOf(undefined);
    this.set.pump();
    this.set.stepDown(member);
    if (elect) this.set.elect(this.set.electable(this.members.length > 1 ? member : null) ?? member);
  }

  // Has a member step down by command: a secondary follows at once, a lone member takes its place again after a moment.
  stepDownOf(member: Member): void {
    this.set.pump();
    this.set.stepDown(member);
    const next = this.set.electable(this.members.length > 1 ? member : null);
    if (next) void this.clock.sleep(this.members.length > 1 ? 0 : 50).then(() => { if (!this.set.primary) this.set.elect(next); });
  }

  // Ends a member as kill -9 does: connections break, what was not journaled is lost.
  async kill(index: number): Promise<OplogEntry[]> {
    const member = this.memberOf(index);
    member.changeRole('down');
    this.listeners[index]?.stop(true);
    this.listeners[index] = null;
    for (const connection of this.connections) if (connection.member === member) connection.close();
    member.cursors.closeAll();
    this.history.add({ at: this.clock.now(), kind: 'member', member: index, detail: 'killed' });
    const lost = await member.rewind(member.journal.durableAt);
    this.set.schedule();
    return lost;
  }

  restart(index: number): void {
    const member = this.memberOf(index);
    if (member.role !== 'down') throw new Error(`member ${index} is running`);
    member.changeRole('secondary');
    member.failPoints.clear();
    this.listen(member);
    this.history.add({ at: this.clock.now(), kind: 'member', member: index, detail: 'restarted' });
    if (this.members.length === 1) this.set.elect(member);
    this.set.schedule();
  }

  partition(...groups: number[][]): void { this.set.partition(groups); }
  heal(): void { this.set.heal(); }
  delay(index: number, ms: number): void { this.set.delay(index, ms); }
  pauseReplication(index: number): void { this.set.pause(index); }
  resumeReplication(index: number): void { this.set.resume(index); }

  // Acts at the moment when a command has come, or is done and not answered.
  at(moment: Moment, act: (event: HistoryEvent) => void | Promise<void>): Promise<void> {
    return this.encounters.at(moment, act);
  }

  pauseCommitNews(): void { this.set.pauseCommitNews(); }

  // Cuts every running member's log down to the newest committed entry and what follows, as a small log under load.
  forgetLog(): void {
    for (const member of this.members) if (member.role !== 'down') member.oplog.forget(member.commitAt);
    this.history.add({ at: this.clock.now(), kind: 'member', member: -1, detail: 'log forgotten' });
  }

  // Sets a fail point as configureFailPoint does, on one member or on all.
  failPoint(name: string, mode: unknown, data: Doc = {}, index?: number): void {
    for (const member of index === undefined ? this.members : [this.memberOf(index)]) member.failPoints.configure(name, mode, data);
  }

  expireNow(): number {
    return expireDocuments(this.memberOf(undefined));
  }

  // Resolves when every running, linked member has what the primary has.
  async settled(): Promise<void> {
    const isSettled = (): boolean => { const primary = this.set.primary; return !primary || this.set.linkedTo(primary).every(member => member.lastAt === primary.lastAt && member.commitAt === primary.commitAt); };
    while (!isSettled()) { this.set.schedule(); await new Promise(resolve => setTimeout(resolve, 2)); }
  }

  // --- what commands ask of it ---

  clusterTime(member: Member): number {
    return Math.max(...this.set.linkedTo(member).map(other => other.lastAt), member.lastAt);
  }

  randomBytes(n: number): Buffer {
    return Buffer.from(Array.from({ length: n }, () => Math.floor(this.random() * 256)));
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  nextApplication(): number {
    return this.applications++;
  }

  serverInfo(member: Member): Doc {
    return { host: member.host.split(':')[0], port: Number(member.host.split(':')[1]), version: this.version, gitVersion: 'test' };
  }

  warn(line: Doc): void {
    this.log.push(EJSON.stringify({ t: { $date: new Date(this.clock.now()).toISOString() }, s: 'W', ...line }));
    if (this.log.length > LOG_LINES_MAX) this.log.shift();
  }

  report(error: unknown): void {
    this.errors.push(error);
  }

  private listen(member: Member): void {
    const server = this;
    const listener = Bun.listen<Connection>({
      hostname: '127.0.0.1', port: this.ports[member.index] ?? 0,
      socket: {
        open(socket) { socket.data = new Connection(server, member, socket); socket.setNoDelay(true); server.connections.add(socket.data); },
        data(socket, bytes) { socket.data.onData(bytes as Buffer); },
        drain(socket) { socket.data.onDrain(); },
        close(socket) { socket.data.onClose(); server.connections.delete(socket.data); },
        error(_, error) { server.report(error); },
      },
    });
    this.listeners[member.index] = listener;
    this.ports[member.index] = listener.port;
    member.host = `127.0.0.1:${listener.port}`;
  }

  private tick(): void {
    for (const member of this.members) {
      if (member.role === 'down') continue;
      if (member.journal.durableAt < member.lastAt) member.journal.flush(member.lastAt).catch(error => this.report(error));
      member.sessions.expire(this.clock.now(), this.transactionLifetimeMsMax);
      member.cursors.expire();
      member.collectGarbage();
    }
    this.set.checkPrimaries();
    if (this.clock.now() < this.ttlAt) return;
    this.ttlAt = this.clock.now() + TTL_MS;
    if (this.set.primary) expireDocuments(this.set.primary);
  }
}

export async function startMongod(options: MongodOptions = {}): Promise<Server> {
  const count = options.members ?? 1;
  const clock = options.clock ?? realClock;
  if (options.dataDir) await mkdir(options.dataDir, { recursive: true });
  const members: Member[] = [];
  for (let index = 0; index < count; index++) {
    const journal = options.dataDir ? await openJournal(`${options.dataDir}/member-${index}.log`) : null;
    const member = new Member({ index, clock, journalFile: journal?.file ?? null, oplogEntriesMax: options.oplogEntriesMax ?? OPLOG_ENTRIES_MAX, snapshotWindowMs: options.snapshotWindowMs ?? 10_000 });
    member.recover(journal?.entries ?? []);
    members.push(member);
  }
  const server = new Server(options, members);
  server.start();
  return server;
}
