/**
 * One thread of the pool and the calls that wait for it, first come, first served.
 *
 * ```text
 *   idle ──call──► running ──reply──► idle
 *     │               │
 *     └───────────────┴── deadline, trap, crash, end ──► lost: terminated, never used again
 * ```
 *
 * A lost thread fails the call that ran and those pinned to it; calls that had not begun and need no
 * particular thread are handed back.
 */
import { ComputeFault, type ComputeReason } from './faults.ts';
import type { FromThread, ToThread } from './serve.ts';

export interface Call {
  readonly name: string;
  readonly request: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly msMax: number;
  /** It needs state that only this thread has. */
  readonly isPinned: boolean;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface ThreadOptions {
  readonly script: URL;
  readonly module: WebAssembly.Module | undefined;
  /** Called once, when the thread is gone, with the calls to be run elsewhere. */
  readonly onLost: (thread: Thread, reason: ComputeReason, unbegun: readonly Call[]) => void;
  /** When a call has its reply, or has failed, and the next one that waits here runs. */
  readonly onReply: (thread: Thread) => void;
}

export class Thread {
  readonly #options: ThreadOptions;
  readonly #worker: Worker;
  readonly #waiting: Call[] = [];
  readonly #gone = Promise.withResolvers<void>();
  #running: Call | undefined;
  #deadline: Timer | undefined;
  #lost: ComputeFault | undefined;
  sessions = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.script);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromThread>) => this.#settle(data));
    this.#worker.addEventListener('error', ({ message }) => this.lose('compute_thread_lost', `the thread failed: ${message}`));
    this.#worker.addEventListener('close', () => {
      this.#gone.resolve();
      this.lose('compute_thread_lost', 'the thread ended');
    });
    this.#post({ type: 'start', module: options.module }, []);
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the operating system's thread has ended. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  add(call: Call): void {
    if (this.#lost) return call.reject(afterLoss(this.#lost));
    this.#waiting.push(call);
    this.#next();
  }

  /** Takes back a call that has not begun; says whether it was still here. */
  remove(call: Call): boolean {
    const place = this.#waiting.indexOf(call);
    if (place >= 0) this.#waiting.splice(place, 1);
    return place >= 0;
  }

  /** The first call that waits and needs no particular thread, taken back. */
  give(): Call | undefined {
    const call = this.#waiting.find(({ isPinned }) => !isPinned);
    if (call !== undefined) this.remove(call);
    return call;
  }

  /** Ends the thread where it runs this call. */
  end(call: Call): void {
    if (this.#running === call) this.lose('compute_deadline', `${call.name} was ended`);
  }

  lose(reason: ComputeReason, detail: string): void {
    if (this.#lost) return;
    const lost = new ComputeFault(reason, detail);
    this.#lost = lost;
    clearTimeout(this.#deadline);
    this.#worker.terminate();
    const waiting = this.#waiting.splice(0);
    this.#running?.reject(lost);
    this.#running = undefined;
    for (const call of waiting) if (call.isPinned) call.reject(afterLoss(lost));
    this.#options.onLost(this, reason, waiting.filter((call) => !call.isPinned));
  }

  #next(): void {
    if (this.#running) return;
    this.#running = this.#waiting.shift();
    if (!this.#running) return;
    const { name, request, transfer, msMax } = this.#running;
    this.#deadline = setTimeout(() => this.lose('compute_deadline', `${name} kept its thread for ${msMax} ms`), msMax);
    this.#post({ type: 'call', name, request }, transfer);
  }

  #settle(message: FromThread): void {
    const call = this.#running;
    if (this.#lost || !call) return;
    if (message.type === 'trapped') return this.lose('compute_trapped', message.detail);
    clearTimeout(this.#deadline);
    this.#running = undefined;
    if (message.type === 'reply') call.resolve(message.reply);
    else call.reject(new ComputeFault('compute_failed', message.detail));
    this.#next();
    this.#options.onReply(this);
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(message, [...transfer]);
  }
}

/** What a call hears that did nothing wrong itself: another one's deadline or trap took its thread. */
function afterLoss(cause: ComputeFault): ComputeFault {
  const reason = cause.reason === 'compute_closed' ? 'compute_closed' : 'compute_thread_lost';
  return new ComputeFault(reason, 'the thread that held its state is gone', { cause });
}
