/**
 * Everything that is measured, each in a process of its own and on a direct socket:
 *
 *   load ──▶ origin (Bun)          load ──▶ edge ┐ one workerd
 *   load ──▶ bare Hono on Bun      load ──▶ bare ┘     and, for what goes through, those of `forward-world.ts`
 *   load ──▶ origin that keeps no answers, on a copy of the same database
 *
 * The edge runs as in production, but with a plan and an address limit that one client does not meet at once;
 * the origin reports to it. A bare server answers the very bytes of the origin's answers, from a table in memory.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkerOptions } from 'miniflare';
import { type Identity, openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { childrenOf } from '../../origin/dev/processes.ts';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import { startEdge } from '../support/edge.ts';
import { freePort } from '../support/free-port.ts';
import { OriginProcess } from '../support/origin-process.ts';
import { Program } from '../support/program.ts';
import { send, signHop } from '../support/signed-hop.ts';
import { withDatabase } from '../support/store-file.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import { filmsNdjson } from './data.ts';
import { type ForwardWorld, startForwardWorld } from './forward-world.ts';
import { importAtOrigin } from './imports.ts';
import { toNeighbour } from './neighbour.ts';
import { type Disposals, opened } from './opened.ts';

export interface Server {
  readonly port: number;
  readonly pid: number;
  /** Other processes that a request of it passes. */
  readonly behind?: readonly number[];
}

/** Targets that are read, each with what the origin answers there. */
export type Reads = ReadonlyMap<string, string>;

export interface BenchWorld {
  readonly keys: string;
  readonly identity: Identity;
  readonly films: Reads;
  readonly lists: Reads;
  readonly bareOrigin: Server;
  readonly unkeptOrigin: Server;
  readonly edge: Server;
  readonly bareEdge: Server;
  readonly forward: ForwardWorld;
  /** The origin's process; each `empty` makes another. */
  origin(): Server;
  /** The origin begins again with an empty store. */
  empty(): Promise<void>;
  close(): Promise<void>;
}

export function startBenchWorld(): Promise<BenchWorld> {
  return opened(open);
}

async function open(disposals: Disposals): Promise<Omit<BenchWorld, 'close'>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-bench-'));
  disposals.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const keys = await openDevelopmentKeys(dataDir);
  const wordless = makeWordlessFilms();
  disposals.push(wordless.remove);
  const [edgePort, bareEdgePort] = [freePort(), freePort()];
  const child = new OriginProcess({
    TOMBOLO_DATA_DIR: dataDir,
    TOMBOLO_KEYS: keys,
    TOMBOLO_EDGE_URLS: `http://127.0.0.1:${edgePort}`,
    MONGODB_URI: '',
    TOMBOLO_ENV: 'development',
  });
  const identity = await openIdentity(dataDir);
  disposals.push(() => child.kill9());
  await child.start(wordless);
  const origin = () => ({ port: child.port, pid: child.pid });
  await importAtOrigin(child.url, keys, filmsNdjson());
  const { films, lists } = await findReads(child.url, keys);
  const { issuer, audience } = identity;
  const jwksUrl = `${child.url}/.well-known/jwks.json`;
  const edge = await startEdge({
    port: edgePort, originUrl: child.url, keys, issuer, audience, jwksUrl, environment: 'production',
    workerModule: wordless.workerModule,
    floodMax: 1e9,
    neighbours: [await toBareWorker(bareEdgePort, films)],
  });
  disposals.push(() => edge.close());
  const pid = childrenOf(process.pid, 'workerd')[0]?.pid ?? 0;
  const forward = await startForwardWorld({ films, keys, jwksUrl, issuer, audience, dir: dataDir, others: [pid] }, disposals);
  return {
    keys, identity, films, lists, origin, forward,
    unkeptOrigin: await startUnkeptOrigin({ dataDir, keys, releaseDir: wordless.releaseDir }, disposals),
    bareOrigin: await startBareOrigin(new Map([...films, ...lists]), dataDir, disposals),
    edge: { port: edgePort, pid },
    bareEdge: { port: bareEdgePort, pid },
    async empty() {
      await child.stop();
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(dataDir, `tombolo.sqlite${suffix}`), { force: true });
      await child.start(wordless);
    },
  };
}

const genres = ['Comedy', 'Drama', 'Action', 'Horror', 'Western', 'Thriller', 'Musical', 'Crime'];
const filmsRead = 64;

/** Two pages of each genre that has them, in an order, and films of theirs. */
export async function findReads(url: string, keys: string): Promise<Pick<BenchWorld, 'films' | 'lists'>> {
  const read = async (target: string): Promise<string> => {
    const { status, text } = await send(signHop(keys, { url: url + target }));
    if (status !== 200) throw new Error(`${target} is answered ${status}: ${text}`);
    return text;
  };
  const lists = new Map<string, string>();
  const ids = new Set<string>();
  for (const genre of genres) {
    let target = `/v2/films?genres=${genre}&sort=-year,title&limit=20`;
    for (let page = 0; page < 2; page++) {
      const body = await read(target);
      const { data, page: { next } } = JSON.parse(body) as Page;
      if (next === null) break;
      lists.set(target, body);
      for (const { id } of data) if (ids.size < filmsRead) ids.add(id);
      target = `/v2/films?genres=${genre}&sort=-year,title&limit=20&after=${next}`;
    }
  }
  const films = await Promise.all([...ids].map(async (id) => [`/v2/films/${id}`, await read(`/v2/films/${id}`)] as const));
  return { lists, films: new Map(films) };
}

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly page: { readonly next: string | null };
}

/** Each of its answers is read and made anew. */
async function startUnkeptOrigin(
  { dataDir, keys, releaseDir }: { readonly dataDir: string; readonly keys: string; readonly releaseDir: string },
  disposals: (() => unknown)[],
): Promise<Server> {
  const ownDir = join(dataDir, 'unkept');
  mkdirSync(ownDir);
  withDatabase(join(dataDir, databaseName), (database) => database.prepare('VACUUM INTO ?').run(join(ownDir, databaseName)));
  const child = new OriginProcess({
    TOMBOLO_DATA_DIR: ownDir, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', TOMBOLO_ENV: 'development',
    TOMBOLO_ANSWERS_BYTES_MAX: '0',
  });
  disposals.push(() => child.kill9());
  await child.start({ releaseDir });
  return { port: child.port, pid: child.pid };
}

export async function startBareOrigin(answers: Reads, dir: string, disposals: (() => unknown)[]): Promise<Server> {
  const file = join(dir, 'bare-answers.json');
  await Bun.write(file, JSON.stringify(Object.fromEntries(answers)));
  const program = new Program([process.execPath, join(import.meta.dir, 'bare-origin.worker.ts'), file], {
    cwd: import.meta.dir,
    env: process.env,
  });
  disposals.push(() => program.kill());
  const [, port] = await program.says(/^listening on (\d+)$/m);
  return { port: Number(port), pid: program.pid };
}

async function toBareWorker(port: number, answers: Reads): Promise<WorkerOptions> {
  return toNeighbour({ file: 'bare-edge.worker.ts', bindings: { ANSWERS: Object.fromEntries(answers) }, port });
}
