/**
 * One machine's ways to serve an API, each on a direct socket with the same films:
 *
 *   load ──▶ one process (`npm run serve`, in production)
 *   load ──▶ PocketBase
 *   load ──▶ bare Hono on Bun, the same bytes from memory
 *   load ──▶ edge (workerd) ──▶ origin
 *   load ──▶ a bare Worker that passes on (workerd) ──▶ bare Hono on Bun
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { childrenOf } from '../../origin/dev/processes.ts';
import { databaseName } from '../../origin/store/sqlite/sqlite-store.ts';
import { startEdge } from '../support/edge.ts';
import { freePort } from '../support/free-port.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import { withDatabase } from '../support/store-file.ts';
import { findReads, type Reads, type Server, startBareOrigin } from './bench-world.ts';
import { megabytesOfAll } from './cpu-time.ts';
import { filmsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { toNeighbour } from './neighbour.ts';
import type { Footprint } from './one-page.ts';
import { buildPocketBase, PocketBase, type PocketFilm } from './pocketbase.ts';
import { type Disposals, opened } from './opened.ts';

/** A program that answers: its server, and how long after its start it first did; no time where a test tool starts it. */
export interface Runner extends Server {
  readonly readyMs?: number;
}

export interface OneWorld {
  readonly token: string;
  readonly films: Reads;
  readonly lists: Reads;
  readonly one: Runner;
  /** `undefined` where there is no Go to build it. */
  readonly pocketBase: Runner & { readonly ids: readonly string[] } | undefined;
  readonly bare: Runner;
  readonly stack: Runner;
  readonly passing: Runner;
  close(): Promise<void>;
}

export function startOneWorld(): Promise<OneWorld> {
  return opened(open);
}

async function open(disposals: Disposals): Promise<Omit<OneWorld, 'close'>> {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-one-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  const keys = await openDevelopmentKeys(dir);
  const identity = await openIdentity(dir);
  const edgePort = freePort();
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: `http://127.0.0.1:${edgePort}`, TOMBOLO_ENV: 'development',
  });
  disposals.push(() => origin.kill9());
  await origin.start();
  await importAtOrigin(origin.url, keys, filmsNdjson());
  const reads = await findReads(origin.url, keys);
  const provider = {
    issuer: identity.issuer, audience: identity.audience, jwksUrl: `${origin.url}/.well-known/jwks.json`,
  };
  const one = await startOne({ dir, keys, ...provider }, reads, disposals);
  const pocketBase = await startPocketBase(dir, disposals);
  const [bare, bareMs] = await timed(() => startBareOrigin(new Map([...reads.films, ...reads.lists]), dir, disposals));
  const others = childrenOf(process.pid, 'workerd').map(({ pid }) => pid);
  const edge = await startEdge({
    ...provider, port: edgePort, originUrl: origin.url, keys, environment: 'production', floodMax: 1e9,
    workerModule: 'test/workerd/workers/bench.worker.ts',
  });
  disposals.push(() => edge.close());
  const workerd = newWorkerd(others);
  const passingPort = freePort();
  const passing = new Miniflare({
    workers: [await toNeighbour({
      file: 'passing-edge.worker.ts', bindings: { ORIGIN: `http://127.0.0.1:${bare.port}`, KEYS: keys }, port: passingPort,
    })],
  });
  disposals.push(() => passing.dispose());
  await passing.ready;
  return {
    ...reads, one, pocketBase,
    token: await identity.mint({ subject: 'bench', roles: ['editor'], plan: 'bench' }),
    bare: { ...bare, readyMs: bareMs },
    stack: { port: edgePort, pid: workerd, behind: [origin.pid] },
    passing: { port: passingPort, pid: newWorkerd([...others, workerd]), behind: [bare.pid] },
  };
}

/** By the names of `one-contenders.ts`, in the order of the record. */
export function toFootprints({ one, pocketBase, bare, stack, passing }: OneWorld): readonly Footprint[] {
  const runners = [
    ['one process', one], ['PocketBase', pocketBase], ['workerd and origin', stack], ['bare Hono on Bun', bare],
    ['bare Worker before it', passing],
  ] as const;
  return runners.flatMap(([who, runner]) =>
    (runner === undefined ? [] : [{ who, megabytes: megabytesOfAll(runner), readyMs: runner.readyMs }]));
}

interface OneOptions {
  readonly dir: string;
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
}

/** As in production, on a copy of the origin's database; its plan and address limit are ones that a single client does not meet. */
async function startOne(
  { dir, keys, issuer, audience, jwksUrl }: OneOptions,
  { films }: { readonly films: Reads },
  disposals: (() => unknown)[],
): Promise<Runner> {
  const ownDir = join(dir, 'one');
  mkdirSync(ownDir);
  withDatabase(join(dir, databaseName), (database) => database.prepare('VACUUM INTO ?').run(join(ownDir, databaseName)));
  const child = new OriginProcess({
    TOMBOLO_ENV: 'production', TOMBOLO_DATA_DIR: ownDir, TOMBOLO_KEYS: keys, TOMBOLO_FLOOD_MAX: '1000000000',
    TOMBOLO_ISSUER: issuer, TOMBOLO_AUDIENCE: audience, TOMBOLO_JWKS_URL: jwksUrl, TOMBOLO_ANONYMOUS_PLAN: 'bench',
  }, oneProcess);
  disposals.push(() => child.kill9());
  // The first start makes what later ones find.
  await child.start();
  await child.stop();
  const readyMs = await untilAnswered(child.url + [...films.keys()][0], () => child.start());
  return { port: child.port, pid: child.pid, readyMs };
}

async function startPocketBase(dir: string, disposals: (() => unknown)[]): Promise<OneWorld['pocketBase']> {
  const binary = await buildPocketBase();
  if (binary === undefined) return undefined;
  const ownDir = join(dir, 'pocketbase');
  mkdirSync(ownDir);
  const pocketBase = new PocketBase(binary, ownDir);
  disposals.push(() => pocketBase.kill());
  const lines = new TextDecoder().decode(filmsNdjson().bytes).trimEnd().split('\n');
  const films = lines.map((line, row) => ({ ...(JSON.parse(line) as Omit<PocketFilm, 'id'>), id: `f${String(row).padStart(14, '0')}` }));
  await pocketBase.fill(films as PocketFilm[]);
  const ids = films.slice(0, 64).map(({ id }) => id);
  const readyMs = await untilAnswered(`${pocketBase.url}/api/collections/films/records/${ids[0]}`, () => pocketBase.start());
  return { port: pocketBase.port, pid: pocketBase.pid, readyMs, ids };
}

/** Milliseconds from a start to the first good answer. */
async function untilAnswered(url: string, start: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  const started = start();
  while (!(await fetch(url).then(({ ok }) => ok, () => false))) await Bun.sleep(5);
  const ms = performance.now() - startedAt;
  await started;
  return ms;
}

async function timed<Made>(make: () => Promise<Made>): Promise<[Made, number]> {
  const startedAt = performance.now();
  return [await make(), performance.now() - startedAt];
}

function newWorkerd(others: readonly number[]): number {
  const found = childrenOf(process.pid, 'workerd').find(({ pid }) => !others.includes(pid));
  if (found === undefined) throw new Error('no workerd was started');
  return found.pid;
}
