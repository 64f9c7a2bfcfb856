/**
 * Threads for CPU-heavy work, all with one compiled module. Nothing over a few milliseconds runs on the
 * thread that answers requests.
 *
 * A call runs to its reply or to its deadline; at the deadline its thread is ended and another takes its
 * place. A session pins a stream's calls to the thread that holds its state, but occupies that thread only
 * while a call runs: a slow upload costs memory, no core. When the queue or the sessions are full, callers
 * are refused at once (`PoolFull`). Threads start when they are first needed and after a loss, so that a
 * broken script fails its callers and not the process.
 *
 * Bun ends a thread in a JavaScript loop at once, but not one inside a Wasm call that never returns. The
 * module's calls are short by their rules (`wasm/README.md`); should one hang all the same, its thread is
 * given up and burns a core until the process ends. `threadsEnding` shows it, and such threads do not pile
 * up: past `threadsEndingMax` callers are refused until the process is replaced.
 */
import { ComputeFault, PoolFull, type ComputeReason } from './faults.ts';
import { callMsMax, closeMsMax, fullRetryAfterSeconds, sessionsPerThreadMax, threadsEndingMax, waitingCallsMax } from './limits.ts';
import type { CallMap } from './serve.ts';
import type { Figures } from '../services/figures.ts';
import type { ServiceState } from '../services/services.ts';
import { within } from '../within.ts';
import { Thread, type Call } from './thread.ts';

export interface PoolOptions {
  /** The thread's script. */
  readonly script: URL;
  /** What its threads have an instance of. */
  readonly module?: WebAssembly.Module;
  readonly threads: number;
  readonly waitingCallsMax?: number;
}

export interface CallOptions {
  /** Ends the wait at once. A call that has begun goes on unheard, to its reply or its deadline, unless it `endsThread`. */
  readonly signal: AbortSignal;
  /** For calls that take long: with the signal its thread is ended, and another takes its place. */
  readonly endsThread?: true;
  /** Milliseconds for which the call may keep its thread. */
  readonly msMax?: number;
  /** Buffers of the request that are given away instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

/** Calls of one stream, all to the thread that holds its state. */
export interface Session<Calls extends CallMap> {
  /** A number of its own in the pool: names what the thread keeps for it. */
  readonly id: number;
  call<Name extends keyof Calls & string>(name: Name, request: Calls[Name]['request'], options: CallOptions): Promise<Calls[Name]['reply']>;
  /** Gives its place back. What the thread holds is for the session's owner to free before. */
  close(): void;
}

export class ComputePool<Calls extends CallMap> {
  readonly #options: PoolOptions;
  readonly #threads: (Thread | undefined)[];
  readonly #ending = new Set<Thread>();
  readonly #counts = { calls: 0, replies: 0, refused: 0, sessions: 0, deadlines: 0, traps: 0, losses: 0 };
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads });
  }

  /** A call that any thread can run. */
  async call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    options: CallOptions,
  ): Promise<Calls[Name]['reply']> {
    this.#mustBeOpen();
    options.signal.throwIfAborted();
    const thread = this.#least(byCalls);
    if (thread.isBusy && this.stats().waiting >= (this.#options.waitingCallsMax ?? waitingCallsMax)) {
      throw this.#full(`${this.stats().waiting} calls wait`);
    }
    return this.#run(thread, { name, request, isPinned: false }, options);
  }

  session(): Session<Calls> {
    this.#mustBeOpen();
    const thread = this.#least(bySessions);
    if (thread.sessions >= sessionsPerThreadMax) throw this.#full(`${thread.sessions} sessions on each thread`);
    thread.sessions += 1;
    this.#counts.sessions += 1;
    let isOpen = true;
    return {
      id: this.#counts.sessions,
      call: async (name, request, options) => {
        options.signal.throwIfAborted();
        return this.#run(thread, { name, request, isPinned: true }, options);
      },
      close: () => {
        if (isOpen) thread.sessions -= 1;
        isOpen = false;
      },
    };
  }

  /** Counters since the start, and gauges of now. */
  stats() {
    const threads = this.#live();
    const sum = (of: (thread: Thread) => number) => threads.reduce((total, thread) => total + of(thread), 0);
    return {
      ...this.#counts,
      threads: threads.length,
      busy: sum((thread) => Number(thread.isBusy)),
      waiting: sum((thread) => thread.waiting),
      sessionsOpen: sum((thread) => thread.sessions),
      threadsEnding: this.#ending.size,
    };
  }

  /** Threads that do not end, at which callers are refused, are helped by another process alone. */
  state(): ServiceState {
    const { size } = this.#ending;
    return size < threadsEndingMax ? { ready: true } : { ready: false, detail: `is stuck: ${size} lost threads have not ended` };
  }

  figures(): Figures {
    const { threads, busy, waiting, refused, deadlines, traps, losses } = this.stats();
    return { threads, threadsBusy: busy, threadsLost: deadlines + traps + losses, callsWaiting: waiting, callsRefused: refused };
  }

  /** Ends all threads; calls under way and waiting are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const thread of this.#live()) thread.lose('compute_closed', 'the pool is closed');
    await within(closeMsMax, Promise.all([...this.#ending].map((thread) => thread.gone)));
  }

  #run(thread: Thread, what: Pick<Call, 'name' | 'request' | 'isPinned'>, options: CallOptions): Promise<unknown> {
    const { signal, msMax = callMsMax, transfer = [], endsThread = false } = options;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: Call = { ...what, transfer, msMax, resolve, reject };
    const abort = () => {
      reject(signal.reason);
      for (const each of this.#live()) if (!each.remove(call) && endsThread) each.end(call);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#counts.calls += 1;
    thread.add(call);
    return promise.finally(() => signal.removeEventListener('abort', abort));
  }

  /** The thread with the least of something, started if it is not there. */
  #least(load: (thread: Thread) => number): Thread {
    const loads = this.#threads.map((thread) => (thread ? load(thread) : 0));
    const place = loads.indexOf(Math.min(...loads));
    return (this.#threads[place] ??= this.#start());
  }

  #start(): Thread {
    if (this.#ending.size >= threadsEndingMax) throw this.#full(`${this.#ending.size} lost threads have not ended`);
    return new Thread({
      script: this.#options.script,
      module: this.#options.module,
      onReply: (thread) => {
        this.#counts.replies += 1;
        if (!thread.isBusy) this.#relieve(thread);
      },
      onLost: (thread, reason, unbegun) => this.#lost(thread, reason, unbegun),
    });
  }

  /** A thread with nothing to do takes what waits behind a longer call. */
  #relieve(idle: Thread): void {
    const [busiest] = this.#live().toSorted((a, b) => b.waiting - a.waiting);
    const call = busiest?.give();
    if (call !== undefined) idle.add(call);
  }

  #lost(thread: Thread, reason: ComputeReason, unbegun: readonly Call[]): void {
    this.#threads[this.#threads.indexOf(thread)] = undefined;
    this.#ending.add(thread);
    void thread.gone.then(() => this.#ending.delete(thread));
    if (reason === 'compute_deadline') this.#counts.deadlines += 1;
    else if (reason === 'compute_trapped') this.#counts.traps += 1;
    else if (reason === 'compute_thread_lost') this.#counts.losses += 1;
    for (const call of unbegun) this.#moveOn(call);
  }

  #moveOn(call: Call): void {
    try {
      this.#mustBeOpen();
      this.#least(byCalls).add(call);
    } catch (refused) {
      call.reject(refused);
    }
  }

  #live(): Thread[] {
    return this.#threads.filter((thread) => thread !== undefined);
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new ComputeFault('compute_closed', 'the pool is closed');
  }

  #full(detail: string): PoolFull {
    this.#counts.refused += 1;
    return new PoolFull(detail, fullRetryAfterSeconds);
  }
}

const byCalls = (thread: Thread) => thread.waiting + Number(thread.isBusy);
const bySessions = (thread: Thread) => thread.sessions;
