/**
 * The edge in real workerd, in this process: the bundle that would be deployed, under Miniflare's API, on a
 * direct socket. Built once a run; each `startEdge` is its own workerd with its own Durable Object storage.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Miniflare, MiniflareOptions, WorkerOptions } from 'miniflare';
import { buildEdgeBundle } from '../../origin/dev/edge-bundle.ts';
import type { localAssets } from '../../origin/dev/local-assets.ts';
import { freePort } from './free-port.ts';
import { keptSaid } from './said.ts';

const root = resolve(import.meta.dir, '../..');

export interface EdgeOptions {
  /** A free one unless said. */
  readonly port?: number;
  /** Further Workers in the same workerd, beside the edge. */
  readonly neighbours?: readonly WorkerOptions[];
  /** What the platform lets one address ask in its window; that of `wrangler.toml` unless said. */
  readonly floodMax?: number;
  readonly originUrl: string;
  readonly keys: string;
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly environment?: 'development' | 'production';
  readonly corsOrigins?: string;
  readonly memoMs?: number;
  readonly feedSilentMs?: number;
  /** The folder for the state of Durable Objects and the Cache API; without it the state ends with the process. */
  readonly persistDir?: string;
  /** A module that exports `served: Contract`, in place of the one of `shared/resources/all.ts`. */
  readonly contractModule?: string;
  /** A module to run in place of `edge/worker.ts`. */
  readonly workerModule?: string;
  /** Variables to leave out or to set otherwise. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Lines of the Worker's log. */
  readonly onLog?: (line: string) => void;
}

export interface Edge {
  readonly url: string;
  /**
   * A new workerd on the same port, of another contract or Worker if one is given; Durable Objects and cache keep what
   * `persistDir` holds.
   */
  restart(changed?: Pick<EdgeOptions, 'contractModule' | 'workerModule'>): Promise<void>;
  close(): Promise<void>;
}

export async function startEdge(options: EdgeOptions): Promise<Edge> {
  let { port } = options;
  const run = async (given: EdgeOptions): Promise<Miniflare> => {
    const { Miniflare } = await import('miniflare');
    const toOptions = await withBundle(given);
    port ??= freePort();
    const made = new Miniflare(toOptions(port));
    await made.ready;
    return made;
  };
  let running = await run(options);
  return {
    url: `http://127.0.0.1:${port}`,
    async restart(changed = {}) {
      await running.dispose();
      running = await run({ ...options, ...changed });
    },
    close: () => running.dispose(),
  };
}

/** The files beside the Worker of a release, as its own sources make them. */
async function assetsOf({ workerModule = '' }: EdgeOptions): Promise<typeof localAssets> {
  const dir = isAbsolute(workerModule) ? resolve(dirname(workerModule), '..') : root;
  return ((await import(join(dir, 'origin/dev/local-assets.ts'))) as { localAssets: typeof localAssets }).localAssets;
}

/** Miniflare is loaded by whoever starts an edge: most files that import this module start none. */
async function withBundle(options: EdgeOptions): Promise<(port: number) => MiniflareOptions> {
  const { Log, LogLevel } = await import('miniflare');
  const { dir } = await buildEdgeBundle(root);
  const worker = JSON.parse(readFileSync(join(dir, 'worker-options.json'), 'utf8')) as WorkerOptions & { bindings: object };
  const [script, assets] = await Promise.all([bundle(options, dir), assetsOf(options)]);
  const bindings = Object.fromEntries(
    Object.entries({ ...worker.bindings, ...variablesOf(options) }).filter(([, value]) => value !== undefined),
  );
  return (port) => ({
    log: new Log(LogLevel.NONE),
    ...(options.persistDir === undefined
      ? {}
      : { durableObjectsPersist: options.persistDir, cachePersist: join(options.persistDir, 'cache') }),
    handleRuntimeStdio: (stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream) =>
      [stdout, stderr].forEach((stream) => readLines(stream, options.onLog ?? (() => undefined))),
    workers: [
      {
        ...worker, ...floodOf(options), name: 'edge', bindings, serviceBindings: { ASSETS: assets },
        modulesRoot: script.directory, modules: script.modules,
        // Miniflare would put a Worker of its own before every fetch, which Cloudflare does not have and which costs 100 µs.
        stripCfConnectingIp: false,
        unsafeDirectSockets: [{ host: '127.0.0.1', port }],
      },
      ...(options.neighbours ?? []),
    ],
  }) as MiniflareOptions;
}

function floodOf({ floodMax }: EdgeOptions): object {
  return floodMax === undefined ? {} : { ratelimits: { FLOOD: { simple: { limit: floodMax, period: 10 } } } };
}

function variablesOf(options: EdgeOptions): Record<string, string | undefined> {
  return {
    TOMBOLO_ENV: options.environment ?? 'development',
    TOMBOLO_ORIGIN_URL: options.originUrl,
    TOMBOLO_KEYS: options.keys,
    TOMBOLO_ISSUER: options.issuer,
    TOMBOLO_AUDIENCE: options.audience,
    TOMBOLO_JWKS_URL: options.jwksUrl,
    TOMBOLO_CORS_ORIGINS: options.corsOrigins ?? '',
    TOMBOLO_MEMO_MS: String(options.memoMs ?? 1_000),
    TOMBOLO_FEED_SILENT_MS: String(options.feedSilentMs ?? 1_000),
    // Tests ask as fast as they can, and all from one address.
    TOMBOLO_ANONYMOUS_PLAN: 'bench',
    ...options.variables,
  };
}

interface Bundle {
  readonly directory: string;
  readonly modules: readonly {
    readonly type: 'ESModule' | 'CompiledWasm';
    readonly path: string;
    readonly contents: string | Uint8Array;
  }[];
}

const bundles = new Map<string, Promise<Bundle>>();

/** What `wrangler deploy` would upload; `built` is that of the served contract. */
function bundle({ contractModule, workerModule }: EdgeOptions, built: string): Promise<Bundle> {
  const key = workerModule ?? contractModule ?? built;
  const made = bundles.get(key) ?? (key === built ? Promise.resolve(read(built)) : build(key, workerModule !== undefined));
  bundles.set(key, made);
  return made;
}

async function build(module: string, isWorker: boolean): Promise<Bundle> {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-edge-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const entry = isWorker ? resolve(root, module) : writeEntry(directory, module);
  const outdir = join(directory, 'out');
  const command = [
    process.execPath,
    join(root, 'node_modules/wrangler/bin/wrangler.js'),
    'deploy', entry, '--config', writeConfig(directory), '--dry-run', '--outdir', outdir,
  ];
  const child = Bun.spawn(command, { cwd: root, stdout: 'pipe', stderr: 'pipe', env: { ...process.env, WRANGLER_SEND_METRICS: 'false' } });
  if ((await child.exited) !== 0) {
    throw new Error(`the bundle was not built: ${await new Response(child.stderr).text()}${await new Response(child.stdout).text()}`);
  }
  return read(outdir);
}

/** `wrangler.toml` without the files of `[assets]`, which are those of the served contract and written once for all tests. */
function writeConfig(directory: string): string {
  const { build: _build, main, assets, ...config } = Bun.TOML.parse(readFileSync(join(root, 'wrangler.toml'), 'utf8')) as WranglerConfig;
  const path = join(directory, 'wrangler.json');
  const ours = { ...config, main: join(root, main), assets: { ...assets, directory: join(root, assets.directory) } };
  writeFileSync(path, JSON.stringify(ours));
  return path;
}

interface WranglerConfig {
  readonly main: string;
  readonly assets: { readonly directory: string };
  readonly build: unknown;
}

function read(outdir: string): Bundle {
  const files = readdirSync(outdir).filter((file) => /\.(js|wasm)$/.test(file)).sort((a) => (a.endsWith('.js') ? -1 : 1));
  return {
    directory: outdir,
    modules: files.map((file) => {
      const path = join(outdir, file);
      return file.endsWith('.wasm')
        ? { type: 'CompiledWasm' as const, path, contents: readFileSync(path) }
        : { type: 'ESModule' as const, path, contents: readFileSync(path, 'utf8') };
    }),
  };
}

function writeEntry(directory: string, contractModule: string): string {
  const entry = join(directory, 'worker.ts');
  const lines = [
    `import { served as contract } from ${JSON.stringify(resolve(root, contractModule))};`,
    `import { offered as plans } from ${JSON.stringify(join(root, 'shared/resources/plans.ts'))};`,
    `import { toWorker } from ${JSON.stringify(join(root, 'edge/host/cloudflare.ts'))};`,
    `export * from ${JSON.stringify(join(root, 'edge/worker.ts'))};`,
    'export default toWorker({ contract, plans });',
  ];
  writeFileSync(entry, lines.join('\n'));
  return entry;
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  const keep = keptSaid();
  stream.on('data', (chunk: Buffer) => {
    keep(chunk.toString());
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
