/**
 * RESTHeart as whoever tunes it runs it: nobody signs in, what it knows of a collection is kept for a minute, no request is logged,
 * no total is counted, an index for each question. Its writes are its driver's own, `w=1`.
 *
 * Maven fetches it once, into a folder of the project that git ignores.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MongoClient } from 'mongodb';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';

const jarsDir = join(import.meta.dir, '../../node_modules/.cache/restheart');
const fetchMsMax = 180_000;

/** The folder of its jars; `undefined` where there is no Java to run it, or no Maven to fetch it. */
export function fetchRestHeart(): string | undefined {
  if (Bun.which('java') === null) return undefined;
  if (existsSync(jarsDir)) return jarsDir;
  if (Bun.which('mvn') === null) return undefined;
  const copied = `${jarsDir}.new`;
  mkdirSync(dirname(jarsDir), { recursive: true });
  const { exitCode, stdout } = Bun.spawnSync([
    'mvn', '--quiet', '--batch-mode', '--file', join(import.meta.dir, 'restheart/pom.xml'), 'dependency:copy-dependencies',
    '-DincludeScope=runtime', `-DoutputDirectory=${copied}`,
  ], { timeout: fetchMsMax });
  if (exitCode !== 0) throw new Error(`RESTHeart was not fetched: ${stdout.toString().trim().slice(0, 300)}`);
  renameSync(copied, jarsDir);
  return jarsDir;
}

export interface HeartFilm {
  readonly _id: string;
  readonly [field: string]: unknown;
}

export interface HeartReview {
  readonly _id: string;
  readonly film: string;
  readonly rating: number;
  readonly text: string;
  readonly createdAt: Date;
  /** Those of the text: what an index finds it by. */
  readonly words: readonly string[];
}

/** Its way to an aggregate, and to documents beside others: pipelines that a collection declares. */
const pipelines = {
  films: [{ uri: 'by_year', stages: [{ $group: { _id: '$year', films: { $sum: 1 } } }, { $sort: { films: -1 } }, { $limit: 10 }] }],
  reviews: [{
    uri: 'with_film',
    stages: [
      { $match: { film: { $var: 'film' } } }, { $sort: { createdAt: -1 } }, { $limit: 20 }, { $project: { words: 0 } },
      { $lookup: { from: 'films', localField: 'film', foreignField: '_id', as: 'film' } },
    ],
  }],
} as const;

export class RestHeart {
  readonly port = freePort();
  readonly #jars: string;
  readonly #dir: string;
  readonly #uri: string;
  #program: Program | undefined;

  /** `uri`: of the deployment, whose database `bench` is its own. */
  constructor(jars: string, dir: string, uri: string) {
    this.#jars = jars;
    this.#dir = dir;
    this.#uri = uri;
  }

  get pid(): number {
    if (this.#program === undefined) throw new Error('RESTHeart was not started');
    return this.#program.pid;
  }

  async start(): Promise<void> {
    const file = join(this.#dir, 'restheart.yml');
    // JSON is YAML.
    await Bun.write(file, JSON.stringify(toSettings(this.port, this.#uri)));
    this.#program = new Program(['java', '-cp', join(this.#jars, '*'), 'org.restheart.Bootstrapper', file], {
      cwd: this.#dir, env: process.env,
    });
    await this.#program.says(/RESTHeart started/);
  }

  /** In its order, which takes its file of a process id away. */
  async stop(): Promise<void> {
    this.#program?.signal('SIGTERM');
    await this.#program?.ended();
  }

  /** Makes the collections and their indexes, and puts the documents in by a driver. */
  async fill(films: readonly HeartFilm[], reviews: readonly HeartReview[]): Promise<void> {
    await this.#put('/bench', {});
    for (const [name, declared] of Object.entries(pipelines)) {
      const aggrs = declared.map(({ uri, stages }) => ({ type: 'pipeline', uri, stages: toEscaped(stages) }));
      await this.#put(`/bench/${name}`, { aggrs });
    }
    const client = new MongoClient(this.#uri);
    try {
      const database = client.db('bench');
      await database.collection<HeartFilm>('films').createIndex({ genres: 1, year: -1, title: 1 });
      await database.collection('reviews').createIndexes([
        { key: { film: 1, createdAt: -1 } }, { key: { words: 1, createdAt: -1 } },
      ]);
      await database.collection<HeartFilm>('films').insertMany([...films]);
      await database.collection<HeartReview>('reviews').insertMany([...reviews]);
    } finally {
      await client.close();
    }
  }

  async #put(path: string, body: object): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`PUT ${path} is answered ${answer.status}: ${await answer.text()}`);
  }
}

function toSettings(port: number, uri: string) {
  return {
    'instance-name': 'bench', 'default-representation-format': 'PLAIN_JSON',
    'http-listener': true, 'http-host': '127.0.0.1', 'http-port': port, 'https-listener': false, 'ajp-listener': false,
    'mongo-uri': uri, 'mongo-mounts': [{ what: '*', where: '/' }],
    'enable-log-file': false, 'enable-log-console': true, 'log-level': 'INFO', 'requests-log-level': 0,
    'io-threads': 2, 'worker-threads': 16, 'requests-limit': 10_000, 'eager-cursor-allocation-policy': 'NONE',
    'local-cache-enabled': true, 'local-cache-ttl': 60_000, 'auth-token-enabled': false,
    'connection-options': { ALWAYS_SET_KEEP_ALIVE: true },
  };
}

/** It stores pipelines as documents, whose names once could not begin with `$`: it takes `_$` for it. */
function toEscaped(stages: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(stages).replaceAll(/"\$(\w+)":/g, '"_$$$1":'));
}

/** The first or the second page of a genre. */
export function toHeartList(target: string): string {
  const query = new URLSearchParams(target.slice(target.indexOf('?')));
  return toHeartFind('films', { genres: query.get('genres') }, { year: -1, title: 1 }, query.has('after') ? 2 : 1);
}

/** Twenty documents, without what the collection says of itself. */
export function toHeartFind(collection: string, filter: object, sort: object, page = 1): string {
  const without = collection === 'reviews' ? `&keys=${encoded({ words: 0 })}` : '';
  return `/bench/${collection}?filter=${encoded(filter)}&sort=${encoded(sort)}&pagesize=20&page=${page}&np${without}`;
}

export function toHeartPipeline(collection: keyof typeof pipelines, variables: object): string {
  return `/bench/${collection}/_aggrs/${pipelines[collection][0].uri}?avars=${encoded(variables)}&np`;
}

/** One change of many documents. */
export function toHeartChange(collection: string, ids: readonly string[]): string {
  return `/bench/${collection}/*?filter=${encoded({ _id: { $in: ids } })}`;
}

function encoded(value: object): string {
  return encodeURIComponent(JSON.stringify(value));
}
