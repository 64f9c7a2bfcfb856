/**
 * What a burst of work leaves in memory, given back when it is over: the engine collects when it allocates, so a process that
 * becomes quiet keeps for hours what its busiest second took. Once after a burst, and while nothing else is to be done: it holds
 * whoever comes then up by some 20 ms, and by more the more is kept, so it takes no more than a hundredth of the time. The collection
 * is the engine's own: `Bun.gc` would drop the compiled code as well.
 */
import { fullGC } from 'bun:jsc';
import type { Started } from './services/services.ts';

const lookEveryMs = 2_000;
/** Shares of one core, over the time between two looks. */
const busyFrom = 0.25;
const quietTo = 0.05;
/** Of the time in which memory may be given back. */
const shareMax = 0.01;

export interface Surroundings {
  /** Of this process, all threads, since it began. */
  cpuMicros(): number;
  nowMs(): number;
  giveBack(): void;
}

export class Bursts {
  readonly #surroundings: Surroundings;
  #last: { readonly cpuMicros: number; readonly nowMs: number };
  #isAfterBurst = false;
  #notBeforeMs = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#last = { cpuMicros: surroundings.cpuMicros(), nowMs: surroundings.nowMs() };
  }

  look(): void {
    const { cpuMicros, nowMs, giveBack } = this.#surroundings;
    const [before, now] = [this.#last, { cpuMicros: cpuMicros(), nowMs: nowMs() }];
    this.#last = now;
    const share = (now.cpuMicros - before.cpuMicros) / 1_000 / Math.max(1, now.nowMs - before.nowMs);
    if (share >= busyFrom) this.#isAfterBurst = true;
    if (!this.#isAfterBurst || share > quietTo || now.nowMs < this.#notBeforeMs) return;
    this.#isAfterBurst = false;
    giveBack();
    // The time that it took is not what is looked at next.
    this.#last = { cpuMicros: cpuMicros(), nowMs: nowMs() };
    this.#notBeforeMs = this.#last.nowMs + (this.#last.nowMs - now.nowMs) / shareMax;
  }
}

export function startGivingBack(): Started<undefined> {
  const bursts = new Bursts({
    cpuMicros() {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    nowMs: () => performance.now(),
    giveBack: () => void fullGC(),
  });
  const timer = setInterval(() => bursts.look(), lookEveryMs);
  return { value: undefined, stop: async () => clearInterval(timer), state: () => ({ ready: true }) };
}
