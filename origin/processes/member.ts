/**
 * One of several processes, as its supervisor sees it.
 *
 *   begun ── serving ──▶ serving ── leave ──▶ leaving ──▶ ended
 *     └────────────────── its end, unasked ────────────────┘
 */
import { join } from 'node:path';
import { late, within } from '../within.ts';
import { type Standing, toWord } from './words.ts';

/** Longer than the process itself takes to stop (`stopMsMax` of `socket.ts`); then it is killed. */
const leaveMsMax = 9_900;
/** A start may wait for its database, five minutes in production. */
const startMsMax = 330_000;

const program = join(import.meta.dir, 'run-member.ts');

export class Member {
  /** The lowest number that no other process of the supervisor had when it began; from 1. */
  readonly number: number;
  /** The exit code, 128 and more after a signal. */
  readonly ended: Promise<number>;
  /** Whether it came to serve, in the time for a start. */
  readonly serves: Promise<boolean>;
  readonly #child: Bun.Subprocess<'ignore', 'inherit', 'inherit'>;
  readonly #begunAt = performance.now();
  #heardAt = performance.now();
  #isServing = false;
  #isLeaving = false;
  #standing: Standing | undefined;
  #metricsPort: number | undefined;

  constructor(number: number) {
    this.number = number;
    const { promise: serving, resolve } = Promise.withResolvers<boolean>();
    this.#child = Bun.spawn([process.execPath, program, String(number)], {
      env: process.env, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', serialization: 'json',
      ipc: (message) => this.#hear(message, () => resolve(true)),
    });
    this.ended = this.#child.exited;
    this.serves = within(startMsMax, Promise.race([serving, this.ended.then(() => false)])).then((said) => said === true);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isServing(): boolean {
    return this.#isServing && !this.#isLeaving && this.#isAlive;
  }

  /** It ends since it was told to. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  get standing(): Standing | undefined {
    return this.#standing;
  }

  get metricsPort(): number | undefined {
    return this.#metricsPort;
  }

  get ageMs(): number {
    return performance.now() - this.#begunAt;
  }

  /** For how long it has said nothing, once it serves. */
  get silentMs(): number {
    return this.#isServing ? performance.now() - this.#heardAt : 0;
  }

  /** Ends it in order; what does not end in time is killed. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    if (!this.#isAlive) return;
    this.#child.kill('SIGTERM');
    if ((await within(leaveMsMax, this.ended)) === late) this.kill();
    await this.ended;
  }

  /** A fresh one logs as the settings say. */
  changeLogLevel(): void {
    if (this.#isAlive) this.#child.kill('SIGUSR2');
  }

  kill(): void {
    if (this.#isAlive) this.#child.kill('SIGKILL');
  }

  get #isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #hear(message: unknown, onServing: () => void): void {
    const word = toWord(message);
    if (word === undefined) return;
    this.#heardAt = performance.now();
    if (word.word === 'standing') {
      this.#standing = word;
      return;
    }
    this.#isServing = true;
    this.#metricsPort = word.metricsPort;
    onServing();
  }
}
