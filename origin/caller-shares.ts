/**
 * Long calls of one kind under way in this process, by caller: nobody holds more than a share of what all need
 * (SEMANTICS §10). An entry is there only while a call of its caller runs. Callers without a name share one.
 */
import { Fault } from '../shared/wire/fault.ts';
import type { Principal } from '../shared/wire/principal.ts';

export interface ShareOptions {
  /** What they are, in words: `imports`. */
  readonly what: string;
  readonly perCallerMax: number;
  /** Of all callers; no bound unless said. */
  readonly allMax?: number;
  readonly retryAfterSeconds: number;
}

export class CallerShares {
  readonly #options: ShareOptions;
  readonly #running = new Map<string, number>();
  #all = 0;

  constructor(options: ShareOptions) {
    this.#options = options;
  }

  /** Of all callers, now. */
  get running(): number {
    return this.#all;
  }

  /** Takes a place, or throws; what it returns gives the place back, once. */
  mustTake({ subject = '' }: Principal): () => void {
    const { what, perCallerMax, allMax = Number.POSITIVE_INFINITY, retryAfterSeconds } = this.#options;
    const headers = { 'retry-after': String(retryAfterSeconds) };
    const running = this.#running.get(subject) ?? 0;
    const detail = `${perCallerMax} ${what} of one caller run at once`;
    if (running >= perCallerMax) throw new Fault('limit_exceeded', { detail, headers });
    if (this.#all >= allMax) throw new Fault('overloaded', { detail: `${allMax} ${what} run at once`, headers });
    this.#running.set(subject, running + 1);
    this.#all++;
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(subject);
      isHeld = false;
    };
  }

  #giveBack(subject: string): void {
    const left = (this.#running.get(subject) ?? 1) - 1;
    this.#all--;
    if (left === 0) this.#running.delete(subject);
    else this.#running.set(subject, left);
  }
}
