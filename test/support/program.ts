/**
 * A program that a test starts and must see end: its output so far, signals, and which processes are left
 * under a folder when it is gone.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { eventually } from './eventually.ts';
import { keptSaid } from './said.ts';

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class Program {
  readonly #child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>;
  output = '';

  constructor(command: readonly string[], { cwd, env }: ProgramOptions) {
    // A process group of its own, as a shell gives one to each command: Ctrl-C goes to all of it.
    this.#child = Bun.spawn([...command], { cwd, env: { ...env }, detached: true, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    void this.#gather(this.#child.stdout);
    void this.#gather(this.#child.stderr);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for a line; when the program ends before it, throws at once with what it said. */
  async says(pattern: RegExp, msMax = 60_000): Promise<RegExpExecArray> {
    const ended = this.#child.exited.then((code) => `ended with ${code}`);
    const found = eventually(`${pattern} in the output`, () => pattern.exec(this.output) ?? undefined, { msMax });
    const first = await Promise.race([found.catch(() => 'never said it'), ended]);
    if (typeof first !== 'string') return first;
    // The last words may arrive after the end.
    const late = await eventually('', () => pattern.exec(this.output) ?? undefined, { msMax: 200 }).catch(() => undefined);
    if (late === undefined) throw new Error(`the program ${first} (${pattern}):\n${this.output}`);
    return late;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What a terminal does at Ctrl-C. */
  interrupt(): void {
    process.kill(-this.#child.pid, 'SIGINT');
  }

  /** Waits for the end: the exit code (128 + n after a signal) and how long it took. */
  async ended(msMax = 15_000): Promise<{ code: number; ms: number }> {
    const started = performance.now();
    await eventually(`process ${this.pid} ends`, () => this.#child.exitCode !== null || this.#child.signalCode !== null, { msMax }).catch(
      (cause: unknown) => {
        throw new Error(`process ${this.pid} has not ended within ${msMax} ms:\n${this.output}`, { cause });
      },
    );
    return { code: await this.#child.exited, ms: performance.now() - started };
  }

  /** Ends the program and all that it started, whatever happened: for the end of a test. */
  async kill(): Promise<void> {
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended already.
    }
    await this.#child.exited;
  }

  async #gather(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    const keep = keptSaid();
    for await (const chunk of stream) {
      const text = decoder.decode(chunk, { stream: true });
      this.output += text;
      keep(text);
    }
  }
}

/** Processes whose folder, command line or environment names `dir`, this one excepted. Linux alone. */
export function processesUnder(dir: string): { pid: number; command: string }[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const isUnder =
        readlinkSync(`/proc/${pid}/cwd`).startsWith(dir) ||
        command.includes(dir) ||
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dir);
      return command !== '' && isUnder ? [{ pid: Number(pid), command }] : [];
    } catch {
      return [];
    }
  });
}
