/**
 * The edge on this machine: the bundle in workerd, run by Miniflare in this process, with the bindings of
 * `wrangler.toml`. Served on a direct socket, because Miniflare's own port is a proxy that changes answers.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Log, LogLevel, Miniflare, type WorkerOptions } from 'miniflare';
import { localAssets } from './local-assets.ts';
import { askToEnd, childrenOf, isRunning, type ProcessName } from './processes.ts';
import { withShieldedWorkerd } from './shielded-workerd.ts';

export interface EdgeOptions {
  readonly bundleDir: string;
  /** 127.0.0.1 unless said. */
  readonly host?: string;
  readonly port: number;
  /** Variables and secrets over those of `wrangler.toml`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where Durable Objects keep their state. */
  readonly stateDir: string;
  /** Where the Cache API keeps answers; without it, among the temporary files of the system. */
  readonly cacheDir?: string;
}

export interface EdgeWorker {
  readonly processes: readonly ProcessName[];
  /** Resolves when workerd ended without being asked. */
  readonly died: Promise<void>;
  /** Passes on to clients what the origin has answered, then ends. */
  close(): Promise<void>;
}

const watchEveryMs = 100;

/** Until answers that workerd has begun are with their clients, on a busy machine too; what is not is cut. */
const drainMsMax = 3_000;

export async function startEdgeWorker(options: EdgeOptions, onSpawn: (found: readonly ProcessName[]) => void): Promise<EdgeWorker> {
  const before = new Set(workerds().map(({ pid }) => pid));
  const spawned = (): ProcessName[] => workerds().filter(({ pid }) => !before.has(pid));
  // Noted as soon as it is there: what is killed in the next moment must still be found by the next start.
  const watch = setInterval(() => {
    const found = spawned();
    if (found.length === 0) return;
    clearInterval(watch);
    onSpawn(found);
  }, 10);
  const miniflare = await withShieldedWorkerd(options.stateDir, () => startMiniflare(options)).finally(() => clearInterval(watch));
  dropForeignSignalListeners();
  const processes = spawned();
  onSpawn(processes);
  const { died, stop } = watchFor(processes);
  return {
    processes,
    died,
    async close() {
      stop();
      // At SIGTERM workerd takes nothing more, finishes its answers and ends; Miniflare would kill it in the midst of them.
      await Promise.all(processes.map((named) => askToEnd(named, drainMsMax)));
      await miniflare.dispose();
    },
  };
}

async function startMiniflare(options: EdgeOptions): Promise<Miniflare> {
  const miniflare = new Miniflare(toMiniflareOptions(options));
  try {
    await miniflare.ready;
    return miniflare;
  } catch (cause) {
    await miniflare.dispose();
    throw cause;
  }
}

function toMiniflareOptions(options: EdgeOptions): ConstructorParameters<typeof Miniflare>[0] {
  const { bundleDir, host = '127.0.0.1', port, variables, stateDir, cacheDir } = options;
  const worker = JSON.parse(readFileSync(join(bundleDir, 'worker-options.json'), 'utf8')) as WorkerOptions;
  return {
    ...worker,
    name: 'tombolo-edge',
    modulesRoot: bundleDir,
    modules: modulesOf(bundleDir),
    serviceBindings: { ASSETS: localAssets },
    bindings: { ...('bindings' in worker ? worker.bindings : {}), ...variables },
    unsafeDirectSockets: [{ host, port }],
    // Miniflare would put a Worker of its own before every fetch, which Cloudflare does not have and which costs 100 µs.
    stripCfConnectingIp: false,
    durableObjectsPersist: stateDir,
    ...(cacheDir === undefined ? {} : { cachePersist: cacheDir }),
    // Else each start asks Cloudflare where it is, and waits for that.
    cf: false,
    log: new Log(LogLevel.WARN),
  } as ConstructorParameters<typeof Miniflare>[0];
}

/** The entry module first; wrangler names it after `main`. */
function modulesOf(bundleDir: string): { type: 'ESModule' | 'CompiledWasm'; path: string }[] {
  const files = readdirSync(bundleDir)
    .filter((file) => /\.(js|wasm)$/.test(file))
    .sort((a, b) => Number(b === 'worker.js') - Number(a === 'worker.js'));
  return files.map((file) => ({ type: file.endsWith('.js') ? 'ESModule' : 'CompiledWasm', path: join(bundleDir, file) }));
}

function workerds(): ProcessName[] {
  return childrenOf(process.pid, 'workerd');
}

/**
 * Miniflare ends the process at the first `await` of one's own handler of SIGTERM or SIGINT. Its hook on
 * `exit` stays: it kills workerd when this process ends in any orderly way.
 */
function dropForeignSignalListeners(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    for (const listener of process.listeners(signal)) if (!ownListeners.has(listener)) process.off(signal, listener);
  }
}

const ownListeners = new Set<unknown>();

/** Registers a handler that `dropForeignSignalListeners` leaves in place. */
export function onSignal(signal: 'SIGTERM' | 'SIGINT', listener: NodeJS.SignalsListener): void {
  ownListeners.add(listener);
  process.on(signal, listener);
}

function watchFor(processes: readonly ProcessName[]): { died: Promise<void>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    if (processes.every(isRunning)) return;
    clearInterval(timer);
    resolve();
  }, watchEveryMs);
  timer.unref();
  return { died: promise, stop: () => clearInterval(timer) };
}
