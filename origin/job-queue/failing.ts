/** What fails is let alone for a pause of its own, longer each time, so that whatever is beside it goes on meanwhile. */
import { messageOf } from '../../shared/message-of.ts';

const pauseMs = { first: 500, max: 30_000 } as const;

interface Failed {
  readonly times: number;
  readonly untilMs: number;
  readonly why: string;
}

export class Failing {
  /** By what it is called in the log. */
  readonly #failed = new Map<string, Failed>();

  /** 0: it is not let alone. */
  untilMs(what: string): number {
    return this.#failed.get(what)?.untilMs ?? 0;
  }

  /** Whether there is something to say that was not said before. */
  fails(what: string, cause: unknown, nowMs: number): boolean {
    const before = this.#failed.get(what);
    const times = (before?.times ?? 0) + 1;
    const why = messageOf(cause);
    this.#failed.set(what, { times, untilMs: nowMs + toPauseMs(times), why });
    return before?.why !== why;
  }

  goesOn(what: string): void {
    this.#failed.delete(what);
  }

  /** In words; `undefined`: nothing fails. */
  get trouble(): string | undefined {
    if (this.#failed.size === 0) return undefined;
    return [...this.#failed].map(([what, { why }]) => `${what} does not get on: ${why}`).join('; ');
  }
}

export function toPauseMs(times: number): number {
  return Math.random() * Math.min(pauseMs.first * 2 ** times, pauseMs.max);
}
