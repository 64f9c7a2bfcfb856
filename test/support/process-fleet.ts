/** `npm run origin -- --processes N` on a MongoDB of its own, as a user starts it, and what its port for operators tells. */
import { join } from 'node:path';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { freePort } from './free-port.ts';
import { type MongoDatabase, openMongoDatabase } from './mongo-database.ts';
import { Program } from './program.ts';
import { testKeys } from './scripted-origin.ts';

const project = join(import.meta.dir, '../..');

export interface ProcessTold {
  readonly process: number;
  readonly pid: number;
  readonly serves: boolean;
}

export class ProcessFleet implements AsyncDisposable {
  readonly port = freePort();
  readonly operatorsPort = freePort();
  readonly mongo: MongoDatabase;
  readonly #count: number;
  readonly #variables: Readonly<Record<string, string>>;
  program: Program;

  static async start(count: number, variables: Readonly<Record<string, string>> = {}): Promise<ProcessFleet> {
    const fleet = new ProcessFleet(await openMongoDatabase(), count, variables);
    await fleet.#serves();
    return fleet;
  }

  private constructor(mongo: MongoDatabase, count: number, variables: Readonly<Record<string, string>>) {
    this.mongo = mongo;
    this.#count = count;
    this.#variables = variables;
    this.program = this.#begin();
  }

  /** Another supervisor in place of one that has ended. */
  async again(): Promise<void> {
    this.program = this.#begin();
    await this.#serves();
  }

  #begin(): Program {
    return new Program([process.execPath, join(project, 'origin/main.ts'), '--processes', String(this.#count)], {
      cwd: project,
      env: {
        ...process.env, TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: makeTempDir(), MONGODB_URI: this.mongo.uri, TOMBOLO_LOG_LEVEL: 'info',
        TOMBOLO_ORIGIN_PORT: String(this.port), TOMBOLO_METRICS_PORT: String(this.operatorsPort),
        // Nobody listens on port 9: what an edge is told is no part of this.
        TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', ...this.#variables,
      },
    });
  }

  async #serves(): Promise<void> {
    await this.program.says(/^tombolo origin listening on port .*supervised by \d+$/m);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async processes(): Promise<readonly ProcessTold[]> {
    const answer = await fetch(`http://127.0.0.1:${this.operatorsPort}/ready`);
    return ((await answer.json()) as { processes: ProcessTold[] }).processes;
  }

  /** Asks for each to be replaced, and waits until they are. */
  async roll(): Promise<void> {
    const rolled = this.rolled();
    this.program.signal('SIGHUP');
    await rolled;
  }

  /** Until all were replaced once more. */
  async rolled(): Promise<void> {
    const before = this.#rolls;
    while (this.#rolls === before) await Bun.sleep(50);
  }

  get #rolls(): number {
    return this.program.output.split('each process was replaced').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.kill();
    await this.mongo.remove();
  }
}
