/**
 * Runs jobs of this process: claims what is ready, keeps the leases of what runs, and frees what is due, whoever left it.
 *
 *   wait ──the feed tells of a job, a moment is due, an attempt ended──▶ what is due ──▶ claim, queue by queue ──▶ attempts
 *    ▲                                                                                     │ nothing was ready, or all places are taken
 *    └─────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Any number of processes do this at once: each step is a write that is decided on the job as it is there. While nothing is
 * ready, a process asks the database once in idleMs.
 */
import type { Change } from '../../shared/contract/change.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Context } from '../context.ts';
import type { FeedStep } from '../feed/feed.ts';
import { pause } from '../pause.ts';
import type { ServiceState } from '../services/services.ts';
import { Attempt } from './attempt.ts';
import type { Jobs } from './checks.ts';
import { type Claimed, Claims, type Held } from './claims.ts';
import { DatabaseClock } from './database-clock.ts';
import { DueJobs } from './due-jobs.ts';
import { Failing, toPauseMs } from './failing.ts';
import type { Queue } from './job.ts';
import { Lanes } from './lanes.ts';
import { keepLeases } from './leases.ts';
import { Queues } from './queues.ts';
import { ReadyJobs } from './ready-jobs.ts';
import { jobIn } from './stored-job.ts';
import { Tally } from './tally.ts';
import { WakeUp } from './wake-up.ts';
import { messageOf } from '../../shared/message-of.ts';

export interface WorkerTimes {
  /** A running job is another's to take up so long after the last beat of its process. */
  readonly leaseMs: number;
  readonly idleMs: number;
}

export interface WorkerOptions {
  readonly times?: WorkerTimes | undefined;
  /** From 0 to 1; tests give their own. */
  readonly random?: (() => number) | undefined;
  onTrouble(message: string, cause: unknown): void;
}

const usual: WorkerTimes = { leaseMs: 30_000, idleMs: 30_000 };
const leastWaitMs = 10;
/** Others were faster, or our reads are behind. */
const againMs = 50;
const feedTroubleMs = 500;
/** Of the time for a stop, so much is left for attempts to go back in. */
const handBackMs = 1_000;

export class Worker {
  readonly tally = new Tally();
  readonly #context: Context;
  readonly #jobs: Jobs;
  readonly #queues: Queues;
  readonly #lanes: Lanes;
  readonly #ready: ReadyJobs;
  readonly #options: WorkerOptions;
  readonly #times: WorkerTimes;
  readonly #clock: DatabaseClock;
  readonly #stop = new AbortController();
  readonly #wake = new WakeUp();
  /** By the ids of their jobs. */
  readonly #attempts = new Map<string, Attempt>();
  readonly #ending = new Set<Promise<void>>();
  readonly #claims: Claims;
  readonly #due: DueJobs;
  /** Queues that cannot be claimed of, and lanes. */
  readonly #failing = new Failing();
  /** When each queue is looked into, whatever was heard. */
  #allAtMs = 0;
  #isCutting = false;
  #seen: Position | undefined;
  #failures = 0;
  #trouble: string | undefined;

  constructor(context: Context, declared: Jobs, options: WorkerOptions) {
    this.#context = context;
    this.#jobs = declared;
    const queues = [...new Map([...declared.values()].map(({ queue }) => [queue.name, queue])).values()];
    this.#queues = new Queues(queues);
    this.#lanes = new Lanes(queues);
    this.#ready = new ReadyJobs(context.store, declared);
    this.#options = options;
    this.#times = options.times ?? usual;
    this.#clock = new DatabaseClock(context.store);
    this.#claims = new Claims({
      store: context.store, leaseMs: this.#times.leaseMs, isKnown: (name) => declared.has(name), seen: () => this.#seen,
      onTrouble: (message, cause) => options.onTrouble(message, cause),
    });
    this.#due = new DueJobs({ store: context.store, claims: this.#claims, declared, idleMs: this.#times.idleMs });
  }

  /** Jobs that fail leave what is served right, so the process is ready all the same, and says so. */
  get state(): ServiceState {
    const detail = this.#trouble ?? this.#failing.trouble;
    return { ready: true, ...(detail === undefined ? {} : { detail }) };
  }

  /** Claims nothing more; what does not end in time goes back, with its attempt counted. */
  stop(deadline: number): void {
    this.#stop.abort();
    setTimeout(() => {
      this.#isCutting = true;
      for (const attempt of this.#attempts.values()) attempt.stop();
    }, Math.max(0, deadline - handBackMs - Date.now())).unref();
  }

  /** Runs until it is stopped and its attempts have ended; never throws. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    const over = new AbortController();
    const leases = keepLeases({
      store: this.#context.store, leaseMs: this.#times.leaseMs, now: () => this.#clock.now(), attempts: () => [...this.#attempts.values()],
      onTrouble: (message, cause) => this.#options.onTrouble(message, cause),
    }, over.signal);
    const beside = [this.#follow(signal), leases];
    while (!signal.aborted) {
      try {
        await this.#round();
        this.#failures = 0;
        this.#trouble = undefined;
        const nextMs = Math.min(this.#due.atMs, this.#allAtMs);
        await this.#wake.wait(Math.max(leastWaitMs, nextMs - (await this.#clock.now())), signal);
      } catch (cause) {
        if (signal.aborted) break;
        this.#fail(cause);
        await pause(toPauseMs(this.#failures), signal);
      }
    }
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    over.abort();
    await Promise.all(beside);
  }

  async #round(): Promise<void> {
    const nowMs = await this.#clock.now();
    if (nowMs >= this.#allAtMs) {
      this.#allAtMs = nowMs + this.#times.idleMs;
      this.#queues.lost();
      this.#ready.lookEverywhere();
    }
    if (nowMs >= this.#due.atMs) await this.#free(nowMs);
    await this.#ready.find((queue) => this.#lanes.hear(queue), this.#stop.signal);
    for (const queue of this.#queues.all) {
      await this.#apart(`queue "${queue.name}"`, nowMs, () => this.#claim(queue, nowMs), () => this.#queues.hear(queue.name));
    }
    await this.#apart('the round of lanes', nowMs, () => this.#claimOfLanes(nowMs));
  }

  /** What cannot be claimed of holds up no other. */
  async #apart(what: string, nowMs: number, claim: () => Promise<void>, lookAgain?: () => void): Promise<void> {
    const untilMs = this.#failing.untilMs(what);
    if (nowMs < untilMs) return this.#due.isAt(untilMs);
    try {
      await claim();
      this.#failing.goesOn(what);
    } catch (cause) {
      if (this.#stop.signal.aborted) return;
      lookAgain?.();
      // It may have failed by taking long.
      const isNews = this.#failing.fails(what, cause, await this.#clock.now());
      if (isNews) this.#options.onTrouble(`jobs: ${what} does not get on: ${messageOf(cause)}`, cause);
      this.#due.isAt(this.#failing.untilMs(what));
    }
  }

  async #free(nowMs: number): Promise<void> {
    const left = await this.#due.free(nowMs);
    this.tally.freed(left, nowMs);
    for (const job of left.flatMap((document) => (document === undefined ? [] : [jobIn(document)]))) {
      if (job.state === 'ready') this.#hearReady(job.queue);
    }
  }

  async #claim(queue: Queue, nowMs: number): Promise<void> {
    const closedUntil = this.#queues.closedUntil(queue);
    if (nowMs < closedUntil) return this.#due.isAt(closedUntil);
    const places = this.#stop.signal.aborted ? undefined : this.#queues.placesOf(queue);
    if (places === undefined) return;
    const claimed = await this.#claims.of(queue, places, nowMs);
    this.#queues.found(queue, claimed);
    this.#take(claimed, nowMs);
  }

  /** Of some at once; where nothing was ready come others. Where it fails, or something was ready, they are looked into again. */
  async #claimOfLanes(nowMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const lanes = this.#lanes.next();
    let again: readonly string[] = lanes.map(({ name }) => name);
    try {
      const claimed = await this.#claims.ofLanes(lanes, nowMs);
      again = claimed.lively;
      this.#take(claimed, nowMs);
      if (claimed.ready !== 0) return;
    } finally {
      for (const name of again) this.#lanes.hear(name);
    }
    await this.#claimOfLanes(nowMs);
  }

  #take({ jobs: claimed, ready, moreAtMs }: Claimed, nowMs: number): void {
    for (const each of claimed) this.#begin(each);
    if (moreAtMs !== undefined) this.#due.isAt(moreAtMs);
    else if (claimed.length > 0) this.#wake.now();
    else if (ready !== undefined && ready > 0) this.#due.isAt(nowMs + againMs);
  }

  #begin({ id, claim, claimedAt, job: stored }: Held): void {
    const job = this.#jobs.get(stored.name);
    if (job === undefined) throw new Error(`job "${stored.name}" was claimed and is not declared`);
    const { onTrouble, random = Math.random } = this.#options;
    const attempt = new Attempt({
      context: this.#context, job, claim: { id, claim }, claimedAt, stored, ...this.#times, random, onTrouble,
      tally: this.tally, now: () => this.#clock.now(),
    });
    this.#attempts.set(id, attempt);
    if (this.#isCutting) attempt.stop();
    const count = (by: 1 | -1) => this.#lanes.count(stored.queue, by) || this.#queues.count(stored.queue, by);
    count(1);
    const running = attempt.run().finally(() => {
      count(-1);
      if (this.#attempts.get(id) === attempt) this.#attempts.delete(id);
      this.#ending.delete(running);
      this.#wake.now();
    });
    this.#ending.add(running);
  }

  /** Where history is lost, the next round asks the database, as it does whenever it is woken. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { feed } = this.#context;
    while (!signal.aborted) {
      try {
        for await (const step of feed.follow(this.#seen ?? feed.through, signal)) this.#follows(step);
      } catch (cause) {
        this.#options.onTrouble('jobs: the feed cannot be followed', cause);
        await pause(feedTroubleMs, signal);
      }
    }
  }

  #follows(step: FeedStep): void {
    this.#seen = step.through;
    if (step.kind === 'lost') {
      this.#due.lost();
      this.#lookEverywhere();
    }
    const isNews = step.kind === 'lost' || step.changes.filter((change) => this.#hear(change)).length > 0;
    if (isNews) this.#wake.now();
  }

  /** Whether there may be something to do. */
  #hear(change: Change): boolean {
    if (change.resource !== jobs.name) return false;
    if (change.kind === 'resource') return this.#lookEverywhere(), true;
    const after = change.after ?? undefined;
    const state = after?.['state'];
    this.#attempts.get(change.id)?.hear(change);
    if (state === 'ready') {
      const [name, queue] = [String(after?.['name']), String(after?.['queue'])];
      this.#ready.hear({ name, queue });
      return this.#hearReady(queue);
    }
    if (state === 'delayed') this.#due.hear(String(after?.['dueAt']));
    return state === 'delayed';
  }

  /** Whether it is to be looked into, and was not before. */
  #hearReady(queue: string): boolean {
    return this.#queues.hear(queue) || this.#lanes.hear(queue);
  }

  /** In the next round, whatever is heard. */
  #lookEverywhere(): void {
    this.#allAtMs = 0;
    this.#ready.lost();
  }

  #fail(cause: unknown): void {
    this.#failures++;
    this.#allAtMs = 0;
    this.#due.lost();
    const trouble = `does not get on: ${messageOf(cause)}`;
    if (trouble !== this.#trouble) this.#options.onTrouble(`jobs: ${trouble}`, cause);
    this.#trouble = trouble;
  }
}
