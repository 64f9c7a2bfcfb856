/**
 * The course of an operation that goes on behind its answer: what it is asked between two steps, and tells of each. Operations
 * that are answered directly have none.
 */
import type { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';

export interface Progress {
  readonly rows: number;
  readonly rejected: number;
  /** How an import ended. */
  readonly summary?: JsonObject;
}

export class Course {
  #progress: Progress = { rows: 0, rejected: 0 };
  #stopped: Fault | undefined;
  #failed: Fault | undefined;

  get progress(): Progress {
    return this.#progress;
  }

  /** Why it is to end, or ended early: who asked for that, or what it met. */
  get ended(): Fault | undefined {
    return this.#stopped ?? this.#failed;
  }

  /** Throws between two steps, once it is to stop. */
  mustGoOn(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
  }

  /** It ends at the next step; what was first said stands. */
  stop(why: Fault): void {
    this.#stopped ??= why;
  }

  note(progress: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...progress };
  }

  /** It has ended, and not as it should; its answer says so too. */
  fail(why: Fault): void {
    this.#failed ??= why;
  }
}
