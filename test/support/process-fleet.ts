/** `npm run origin -- --processes N` on a database of its own, as a user starts it, and what its port for operators tells. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { freePort } from './free-port.ts';
import { type MongoDatabase, openMongoDatabase } from './mongo-database.ts';
import { Program } from './program.ts';
import { testKeys } from './scripted-origin.ts';
import { withDatabase } from './store-file.ts';
import type { Engine } from './whole-world.ts';

const project = join(import.meta.dir, '../..');

export interface ProcessTold {
  readonly process: number;
  readonly pid: number;
  readonly serves: boolean;
}

interface FleetOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** Where the sources of another release are. */
  readonly releaseDir?: string;
}

export class ProcessFleet implements AsyncDisposable {
  readonly port = freePort();
  readonly operatorsPort = freePort();
  readonly dataDir = makeTempDir();
  /** `undefined`: its database is the SQLite in `dataDir`. */
  readonly #mongo: MongoDatabase | undefined;
  readonly #count: number;
  readonly #options: FleetOptions;
  program: Program;

  static async start(engine: Engine, count: number, options: FleetOptions = {}): Promise<ProcessFleet> {
    const fleet = new ProcessFleet(engine === 'mongodb' ? await openMongoDatabase() : undefined, count, options);
    await fleet.#serves();
    return fleet;
  }

  private constructor(mongo: MongoDatabase | undefined, count: number, options: FleetOptions) {
    this.#mongo = mongo;
    this.#count = count;
    this.#options = options;
    this.program = this.#begin();
  }

  /** Another supervisor in place of one that has ended. */
  async again(): Promise<void> {
    this.program = this.#begin();
    await this.#serves();
  }

  #begin(): Program {
    const { releaseDir = project, variables = {} } = this.#options;
    return new Program([process.execPath, join(releaseDir, 'origin/main.ts'), '--processes', String(this.#count)], {
      cwd: releaseDir,
      env: {
        ...process.env, TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: this.dataDir, MONGODB_URI: this.#mongo?.uri ?? '',
        TOMBOLO_LOG_LEVEL: 'info',
        TOMBOLO_ORIGIN_PORT: String(this.port), TOMBOLO_METRICS_PORT: String(this.operatorsPort),
        // Nobody listens on port 9: what an edge is told is no part of this.
        TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', ...variables,
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

  /** The documents of a collection, as another program counts them. */
  async count(collection: string): Promise<number> {
    if (this.#mongo !== undefined) return this.#mongo.foreign.collection(collection).countDocuments();
    let counted = 0;
    withDatabase(join(this.dataDir, databaseName), (database) => {
      counted = database.query<{ n: number }, []>(`SELECT count(*) AS n FROM "${collection}"`).get()?.n ?? 0;
    });
    return counted;
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
    await this.#mongo?.remove();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
