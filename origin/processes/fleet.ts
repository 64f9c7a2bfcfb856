/**
 * Several processes that share one port: each is replaced when it ends unasked, grows past its memory or says nothing
 * any more, and all of them, one after another, when somebody asks for it. The next one serves before the last one leaves.
 *
 *   start ─▶ N serve ── one ends ──▶ pause ─▶ another begins
 *               │ roll: a fresh one begins ─▶ serves, and is as ready as the old ─▶ the old drains and ends
 *               └ stop: all drain and end
 *
 * On SQLite those that share the file declare the same fields, shapes and keys. One that declares others ends at once, and then
 * all leave before the next ones begin.
 */
import { exitConfiguration, exitOthers } from '../exit-codes.ts';
import type { Member } from './member.ts';

/** All of a process that others see. */
export type FleetMember = Pick<Member, keyof Member>;

export interface FleetOptions {
  readonly count: number;
  /** Begins a process of this number. */
  begin(number: number): FleetMember;
  /** Resident memory past which a process is replaced; 0: none. */
  readonly bytesMax: number;
  /** What happened, for the log. */
  onEvent(level: 'info' | 'warn' | 'error', message: string, facts: Readonly<Record<string, unknown>>): void;
  /** None can serve, and another try would not help. */
  onHopeless(code: number): void;
}

export type Cause = 'ended' | 'memory' | 'silent' | 'asked';

/** The pause before one that ended is followed by another: twice the last, from the first, while none serves for long. */
const pauseMs = { first: 200, most: 30_000 } as const;
/** One that served for as long has not failed at its start. */
const provenMs = 30_000;
const lookEveryMs = 1_000;
/** Its event loop stands still, for longer than any work of a request. */
const silentMsMax = 30_000;
/** The time for a fresh one to be as ready as the one whose place it takes. */
const asReadyMsMax = 15_000;
/** One that is past its memory as soon as this needs another ceiling; it is not replaced without a pause. */
const heavyMsMin = 10_000;

export class Fleet {
  readonly replaced: Record<Cause, number> = { ended: 0, memory: 0, silent: 0, asked: 0 };
  readonly #options: FleetOptions;
  readonly #members = new Set<FleetMember>();
  readonly #looks: ReturnType<typeof setInterval>;
  /** Whatever begins processes waits for its turn, so that nobody counts those of a replacement under way. */
  #turn: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #isStopping = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#looks = setInterval(() => this.#look(), lookEveryMs);
  }

  /** By number. */
  get members(): readonly FleetMember[] {
    return [...this.#members].sort((one, other) => one.number - other.number);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Begins the first alone, which may have to prepare the database; its exit code, where it does not come to serve. */
  start(): Promise<number | undefined> {
    return this.#inTurn(() => this.#beginAll());
  }

  /** Replaces each, one after another; ends early, and leaves those as they are, at a fresh one that does not do. */
  async roll(): Promise<boolean> {
    this.#options.onEvent('info', 'each process is replaced', {});
    for (const old of this.members) {
      if (!(await this.#inTurn(() => this.#replace(old, 'asked')))) return false;
    }
    this.#options.onEvent('info', 'each process was replaced', {});
    return true;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#looks);
    await Promise.all(this.members.map((member) => member.leave()));
  }

  changeLogLevel(): void {
    for (const member of this.members) if (member.isServing) member.changeLogLevel();
  }

  async #beginAll(): Promise<number | undefined> {
    const first = this.#begin();
    if (!(await first.serves)) return first.ended;
    const others = Array.from({ length: this.#options.count - 1 }, () => this.#begin());
    await Promise.all(others.map(({ serves }) => serves));
    return undefined;
  }

  #begin(): FleetMember {
    const taken = new Set(this.members.map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    const member = this.#options.begin(number);
    this.#members.add(member);
    void member.ended.then((code) => this.#hasEnded(member, code));
    return member;
  }

  #hasEnded(member: FleetMember, code: number): void {
    this.#members.delete(member);
    const { number, pid, ageMs } = member;
    const facts = { process: number, pid, code };
    if (code === exitOthers) return void this.#inTurn(() => this.#beginAnew());
    if (member.isLeaving || this.#isStopping) return this.#options.onEvent('info', 'a process left', facts);
    if (code === exitConfiguration && !this.members.some(({ isServing }) => isServing)) return this.#options.onHopeless(code);
    this.#failures = ageMs > provenMs ? 0 : this.#failures + 1;
    const waitMs = Math.min(pauseMs.most, pauseMs.first * 2 ** Math.max(0, this.#failures - 1));
    this.#options.onEvent('error', 'a process ended unasked', { ...facts, followedInMs: waitMs });
    setTimeout(() => void this.#inTurn(async () => this.#fill()), waitMs);
  }

  /** Begins as many as are missing. */
  #fill(): void {
    if (this.#isStopping) return;
    const staying = this.members.filter(({ isLeaving }) => !isLeaving).length;
    for (let missing = this.#options.count - staying; missing > 0; missing--) {
      this.replaced.ended++;
      this.#begin();
    }
  }

  #look(): void {
    const { bytesMax, onEvent } = this.#options;
    for (const member of this.members) {
      const { number, pid, standing, silentMs, ageMs } = member;
      const bytes = standing?.bytes ?? 0;
      if (silentMs > silentMsMax) {
        onEvent('error', 'a process says nothing and is killed', { process: number, pid, silentMs: Math.round(silentMs) });
        this.replaced.silent++;
        member.kill();
      } else if (bytesMax > 0 && bytes > bytesMax && ageMs > heavyMsMin && member.isServing) {
        void this.#inTurn(async () => {
          if (!member.isServing) return;
          onEvent('warn', 'a process is past its memory and is replaced', { process: number, pid, bytes, bytesMax });
          await this.#replace(member, 'memory');
        });
      }
    }
  }

  /** One that is gone by now is followed by another without this. */
  async #replace(old: FleetMember, cause: Cause): Promise<boolean> {
    if (this.#isStopping) return false;
    if (old.isLeaving || !this.#members.has(old)) return true;
    const { onEvent } = this.#options;
    const fresh = this.#begin();
    const facts = { process: old.number, pid: old.pid, by: fresh.number };
    if (!(await fresh.serves) || !(await isAsReady(fresh, old))) {
      onEvent('error', 'a process is not replaced: the fresh one does not do', { ...facts, unready: fresh.standing?.unready });
      await fresh.leave();
      return false;
    }
    this.replaced[cause]++;
    await old.leave();
    onEvent('info', 'a process was replaced', { ...facts, cause });
    return true;
  }

  /** Nobody serves for a moment. */
  async #beginAnew(): Promise<void> {
    if (this.#isStopping) return;
    const { onEvent } = this.#options;
    onEvent('warn', 'the database is declared otherwise now: all processes leave before the next ones begin', {});
    this.replaced.asked += this.members.length;
    await Promise.all(this.members.map((member) => member.leave()));
    if (this.#isStopping) return;
    if ((await this.#beginAll()) === undefined) onEvent('info', 'each process was replaced', {});
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** Whether each service works that does in the other; what is broken in both is no reason against the fresh one. */
async function isAsReady(fresh: FleetMember, old: FleetMember): Promise<boolean> {
  const until = performance.now() + asReadyMsMax;
  while (performance.now() < until && fresh.isServing) {
    const broken = old.standing?.unready ?? [];
    if (fresh.standing?.unready.every((name) => broken.includes(name)) === true) return true;
    await Bun.sleep(50);
  }
  return false;
}
