/**
 * One machine's ways to serve an API, each on a direct socket with the same films:
 *
 *   load ──▶ one process (`npm run serve`, in production)
 *   load ──▶ PocketBase
 *   load ──▶ bare Hono on Bun, the same bytes from memory
 *   load ──▶ edge (workerd) ──▶ origin
 *   load ──▶ a bare Worker that passes on (workerd) ──▶ bare Hono on Bun
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare } from 'miniflare';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { childrenOf } from '../../origin/dev/processes.ts';
import { startEdge } from '../support/edge.ts';
import { freePort } from '../support/free-port.ts';
import { OriginProcess } from '../support/origin-process.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import { findReads, type Reads, startBareOrigin } from './bench-world.ts';
import { megabytesOfAll } from './cpu-time.ts';
import { filmsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { toNeighbour } from './neighbour.ts';
import type { Footprint } from './one-page.ts';
import { type PocketRunner, type Runner, startOne, startPocketBase } from './one-servers.ts';
import { type Disposals, opened } from './opened.ts';

export interface OneWorld {
  readonly token: string;
  readonly films: Reads;
  readonly lists: Reads;
  readonly one: Runner;
  readonly pocketBase: PocketRunner;
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
  const wordless = makeWordlessFilms();
  disposals.push(wordless.remove);
  const identity = await openIdentity(dir);
  const edgePort = freePort();
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: `http://127.0.0.1:${edgePort}`, TOMBOLO_ENV: 'development',
  });
  disposals.push(() => origin.kill9());
  await origin.start(wordless);
  await importAtOrigin(origin.url, keys, filmsNdjson());
  const reads = await findReads(origin.url, keys);
  const provider = {
    issuer: identity.issuer, audience: identity.audience, jwksUrl: `${origin.url}/.well-known/jwks.json`,
  };
  const one = await startOne({ dir, keys, releaseDir: wordless.releaseDir, ...provider }, reads, disposals);
  const pocketBase = await startPocketBase(dir, disposals);
  const [bare, bareMs] = await timed(() => startBareOrigin(new Map([...reads.films, ...reads.lists]), dir, disposals));
  const others = childrenOf(process.pid, 'workerd').map(({ pid }) => pid);
  const edge = await startEdge({
    ...provider, port: edgePort, originUrl: origin.url, keys, environment: 'production', floodMax: 1e9,
    workerModule: wordless.workerModule,
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

async function timed<Made>(make: () => Promise<Made>): Promise<[Made, number]> {
  const startedAt = performance.now();
  return [await make(), performance.now() - startedAt];
}

function newWorkerd(others: readonly number[]): number {
  const found = childrenOf(process.pid, 'workerd').find(({ pid }) => !others.includes(pid));
  if (found === undefined) throw new Error('no workerd was started');
  return found.pid;
}
