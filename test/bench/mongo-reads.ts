/**
 * Reads from MongoDB, this checkout's origin beside another one's: `bun test/bench/mongo-reads.ts CHECKOUT`.
 * Both serve one database on the project's test server, or the one of `MONGODB_URI`, in turn within every round.
 * The server takes most of the machine, so requests per second say little: what an origin spends is compared.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { send, signHop } from '../support/signed-hop.ts';
import { mustKeyRing } from '../../shared/hop/keys.ts';
import type { Server } from './bench-world.ts';
import type { Contender } from './contenders.ts';
import { filmsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { LoadGenerator, toRequestBytes } from './load.ts';
import { measure, median } from './rounds.ts';

const own = join(import.meta.dir, '../..');
const checkouts = new Map([['here', own], ['there', resolve(process.argv[2] ?? own)]]);
const rounds = { roundsMax: 9, untilMs: 150_000, forMs: 1_500, connections: 8 } as const;

const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-bench-'));
const keys = await openDevelopmentKeys(dataDir);
const programs: Program[] = [];
const load = new LoadGenerator();
try {
  await compare();
} finally {
  await load.close();
  for (const program of programs.reverse()) await program.kill();
  rmSync(dataDir, { recursive: true, force: true });
}

async function compare(): Promise<void> {
  const mongodbUri = process.env['MONGODB_URI'] || (await startServer());
  const origins = new Map<string, Server>();
  for (const [name, checkout] of checkouts) origins.set(name, await startOrigin(checkout, mongodbUri));
  const url = `http://127.0.0.1:${origins.get('here')?.port}`;
  await importAtOrigin(url, keys, filmsNdjson());
  const targets = await findTargets(url);
  const contenders = [...targets].flatMap(([what, list]) =>
    [...origins].map(([name, server]) => toContender(`${what}, ${name}`, server, list)),
  );
  const measured = await measure(load, contenders, rounds);
  for (const what of targets.keys()) {
    const [here = [], there = []] = [measured.get(`${what}, here`), measured.get(`${what}, there`)];
    const micros = (of: typeof here) => median(of.map((round) => round.cpuMicrosPerRequest)).toFixed(0).padStart(6);
    const share = median(here.map((round, index) => round.cpuMicrosPerRequest / (there[index]?.cpuMicrosPerRequest ?? Number.NaN)));
    const figures = `${micros(here)} µs here, ${micros(there)} µs there, ${share.toFixed(2)} of it (${here.length} rounds)`;
    process.stdout.write(`${what.padEnd(14)} CPU of the origin: ${figures}\n`);
  }
}

async function startServer(): Promise<string> {
  const program = start(['test/mongod/main.ts', '--port', String(freePort())], own, {});
  const [uri] = await program.says(/^mongodb:\S+$/m);
  return String(uri).replace('/?', '/bench?');
}

async function startOrigin(checkout: string, mongodbUri: string): Promise<Server> {
  const port = freePort();
  const settings = {
    TOMBOLO_DATA_DIR: mkdtempSync(join(dataDir, 'origin-')),
    TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: '', MONGODB_URI: mongodbUri, TOMBOLO_ENV: 'development',
    TOMBOLO_ORIGIN_PORT: String(port),
  };
  const program = start(['test/support/origin-child.ts'], checkout, settings);
  await program.says(/^listening on \d+$/m, 20_000);
  return { port, pid: program.pid };
}

function start(command: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Program {
  const program = new Program([process.execPath, ...command], { cwd, env: { ...process.env, ...env } });
  programs.push(program);
  return program;
}

async function findTargets(url: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const lists = (limit: number) =>
    ['Comedy', 'Drama', 'Action', 'Horror'].map((genre) => `/v2/films?genres=${genre}&sort=-year,title&limit=${limit}`);
  const { text } = await send(signHop(keys, { url: `${url}${lists(50)[0] ?? ''}` }));
  const { data } = JSON.parse(text) as { readonly data: readonly { readonly id: string }[] };
  return new Map([
    ['get by id', data.map(({ id }) => `/v2/films/${id}`)],
    ['list of 20', lists(20)],
    ['list of 100', lists(100)],
    ['20, projected', lists(20).map((target) => `${target}&fields=title,year`)],
  ]);
}

function toContender(name: string, server: Server, targets: readonly string[]): Contender {
  const key = mustKeyRing(keys)[0];
  return {
    name, status: 200, server,
    requests: () =>
      targets.map((target) =>
        toRequestBytes({
          method: 'GET',
          target,
          headers: signHop(keys, { key, url: `http://127.0.0.1${target}`, headers: {} }).init.headers,
        }),
      ),
  };
}
