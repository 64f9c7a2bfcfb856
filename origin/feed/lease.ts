/**
 * A lease, by which one process at a time does what several could. It is a durable cursor whose epoch is its holder and whose
 * order counts the holder's beats: the store moves it only from where it stands, so of several that take it one does. Each
 * process measures by its own clock how long it stood still, and compares clocks with nobody.
 *
 *   WAITING ── it was let go, or stood still for silentMsMax ──▶ HELD ── a beat each beatMs
 *      ▲                                                          │
 *      └── another process took it, or no beat came through ──────┘
 *
 * It spares work and fences nothing: a process that was stopped for long may go on for a moment beside the next holder.
 * What may happen once alone is fenced by what it writes, as a consumer is by its own cursor.
 */
import { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import { pause } from '../pause.ts';
import type { Store } from '../store/store.ts';

export interface LeaseTimes {
  readonly beatMs: number;
  /** After a holder's last beat the work stands still for so long. */
  readonly silentMsMax: number;
}

const times: LeaseTimes = { beatMs: 1_000, silentMsMax: 5_000 };

/** Stands in the place of a holder where there is none. */
const nobody = '0'.repeat(16);
/** Digits of a beat's number, as `parsePosition` takes them. */
const beatDigits = 12;

export class Lease {
  readonly #store: Pick<Store, 'cursor' | 'write'>;
  readonly #name: string;
  readonly #times: LeaseTimes;
  readonly #holder = Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');

  /** Tests give times of their own. */
  constructor(store: Pick<Store, 'cursor' | 'write'>, name: string, given = times) {
    this.#store = store;
    this.#name = name;
    this.#times = given;
  }

  /** Waits for the lease and runs while it is held, until `signal`; then it is let go. Throws what `run` throws. */
  async hold(signal: AbortSignal, run: (held: AbortSignal) => Promise<void>): Promise<void> {
    let at = await this.#take(signal);
    if (at === undefined) return;
    const over = new AbortController();
    const beating = this.#beat(at, over, (beat) => (at = beat));
    try {
      await run(AbortSignal.any([signal, over.signal]));
    } finally {
      over.abort();
      await beating;
      await this.#move(at, { epoch: nobody, order: at.order }).catch(() => undefined);
    }
  }

  /** Where it stands once it is ours; `undefined`: the wait was ended. */
  async #take(signal: AbortSignal): Promise<Position | undefined> {
    let seen = await this.#look();
    let seenAtMs = performance.now();
    while (!signal.aborted) {
      const isFree = seen === undefined || [nobody, this.#holder].includes(seen.epoch) || isSilent(seenAtMs, this.#times);
      const ours = { epoch: this.#holder, order: nextOrder(seen) };
      if (isFree && (await this.#move(seen, ours))) return ours;
      await pause(this.#times.beatMs, signal);
      const now = await this.#look();
      if (now?.epoch === seen?.epoch && now?.order === seen?.order) continue;
      seen = now;
      seenAtMs = performance.now();
    }
    return undefined;
  }

  /** Beats until it is over. A holder that cannot be heard for as long as others wait stops before they begin. */
  async #beat(from: Position, over: AbortController, onBeat: (at: Position) => void): Promise<void> {
    const { beatMs, silentMsMax } = this.#times;
    let at = from;
    for (let heardAtMs = performance.now(); !over.signal.aborted; ) {
      await pause(beatMs, over.signal);
      if (over.signal.aborted) return;
      const next = { epoch: this.#holder, order: nextOrder(at) };
      const beganMs = performance.now();
      const moved = await this.#move(at, next).catch(() => undefined);
      if (moved === true) {
        onBeat((at = next));
        heardAtMs = beganMs;
      } else if (moved === false || performance.now() - heardAtMs >= silentMsMax - beatMs) {
        over.abort();
      }
    }
  }

  #look(): Promise<Position | undefined> {
    return this.#store.cursor(this.#name);
  }

  /** False: it stands elsewhere. */
  async #move(from: Position | undefined, to: Position): Promise<boolean> {
    try {
      await this.#store.write([], { deadline: Date.now() + this.#times.silentMsMax, cursor: { consumer: this.#name, from, to } });
      return true;
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.reason === 'cursor_moved') return false;
      throw thrown;
    }
  }
}

function isSilent(seenAtMs: number, { silentMsMax }: LeaseTimes): boolean {
  return performance.now() - seenAtMs >= silentMsMax;
}

function nextOrder(at: Position | undefined): string {
  return (at === undefined ? 1 : Number.parseInt(at.order, 16) + 1).toString(16).padStart(beatDigits, '0');
}
