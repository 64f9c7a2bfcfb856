/** A world's origin: a child process on a port of its own that can be stopped, killed, frozen and started again. */
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';

/** A program that serves on a port: which it is, who tells it the port, and what it says when it serves. */
export interface Served {
  readonly script: string;
  readonly portVariable: string;
  readonly ready: RegExp;
}

const originAlone: Served = {
  script: 'test/support/origin-child.ts', portVariable: 'TOMBOLO_ORIGIN_PORT', ready: /^listening on \d+$/m,
};
/** Edge and origin in one process: `npm run serve`. */
export const oneProcess: Served = {
  script: 'origin/one-process/main.ts', portVariable: 'TOMBOLO_EDGE_PORT', ready: /^tombolo ready: /m,
};

export class OriginProcess {
  readonly port = freePort();
  readonly #env: Readonly<Record<string, string>>;
  readonly #served: Served;
  #program: Program | undefined;

  constructor(env: Readonly<Record<string, string>>, served: Served = originAlone) {
    this.#env = env;
    this.#served = served;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#mustProgram().pid;
  }

  /** What it has said since its last start: its log. */
  get output(): string {
    return this.#program?.output ?? '';
  }

  /**
   * `contractModule`: exports `served: Contract`, in place of the one of `shared/resources/all.ts`. `releaseDir`: where the
   * sources of another release are.
   */
  async start({
    contractModule,
    releaseDir = join(import.meta.dir, '../..'),
  }: { readonly contractModule?: string | undefined; readonly releaseDir?: string } = {}): Promise<void> {
    this.#program = new Program([process.execPath, join(releaseDir, this.#served.script)], {
      cwd: releaseDir,
      // Which store it opens is its world's to say: `MONGODB_URI` of the tests is only where worlds make their databases.
      env: {
        ...process.env,
        MONGODB_URI: '',
        ...this.#env,
        [this.#served.portVariable]: String(this.port),
        TOMBOLO_TEST_CONTRACT: contractModule === undefined ? undefined : join(import.meta.dir, '../..', contractModule),
      },
    });
    await this.#program.says(this.#served.ready, 20_000);
  }

  /** Stops it by SIGTERM, as an orderly shutdown does. */
  async stop(): Promise<{ code: number; ms: number }> {
    const program = this.#mustProgram();
    program.signal('SIGTERM');
    return program.ended();
  }

  async kill9(): Promise<void> {
    await this.#program?.kill();
  }

  /** Stops it from running without ending it: alive, and silent. */
  freeze(): void {
    this.#mustProgram().signal('SIGSTOP');
  }

  thaw(): void {
    this.#mustProgram().signal('SIGCONT');
  }

  #mustProgram(): Program {
    if (this.#program === undefined) throw new Error('the origin was not started');
    return this.#program;
  }
}
