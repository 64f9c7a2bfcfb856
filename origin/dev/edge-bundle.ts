/**
 * The edge as `wrangler deploy` would upload it, built beside the sources: development and tests run the very
 * bytes that production gets. A bundle's folder is named by a hash of everything that it is made of, and
 * appears by a rename, so that it is either whole or not there.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface EdgeBundle {
  /** Holds `worker.js`, its modules, and `worker-options.json`. */
  readonly dir: string;
  /** False: one of these inputs was there. */
  readonly built: boolean;
}

/** The last that were built: whoever runs one may have to start workerd with it again, though the sources have changed since. */
const keptMax = 4;

const inputs = [
  'wrangler.toml', 'package.json', 'bun.lock', 'tsconfig.json', 'edge/**/*', 'shared/**/*', 'wasm/dist/*',
  'origin/dev/worker-options.ts',
];

/** `project`: where `wrangler.toml` and `edge/` are. */
export async function buildEdgeBundle(project: string): Promise<EdgeBundle> {
  const dir = join(project, '.wrangler/edge-bundle');
  const target = join(dir, hashInputs(project));
  if (existsSync(target)) return { dir: target, built: false };
  const aside = join(dir, `building-${process.pid}`);
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  const [, options] = await Promise.all([
    runTool(project, [join(project, 'node_modules/wrangler/bin/wrangler.js'), 'deploy', '--dry-run', '--outdir', aside]),
    runTool(project, [join(import.meta.dir, 'worker-options.ts'), join(project, 'wrangler.toml')]),
  ]);
  writeFileSync(join(aside, 'worker-options.json'), options);
  putInPlace(aside, target);
  removeOld(dir);
  return { dir: target, built: true };
}

function hashInputs(project: string): string {
  const hash = new Bun.CryptoHasher('sha256');
  const found = inputs.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: project, onlyFiles: true })]);
  // Written by the build, and no part of the bundle.
  const files = found.filter((file) => !file.startsWith('edge/assets/'));
  for (const file of files.sort()) {
    hash.update(`${file}\n`);
    hash.update(readFileSync(join(project, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** When another process built the same at the same time, its bundle is as good. */
function putInPlace(aside: string, target: string): void {
  try {
    renameSync(aside, target);
  } catch (cause) {
    if (!existsSync(target)) throw cause;
    rmSync(aside, { recursive: true });
  }
}

/** Bundles past those that are kept, and what builds that were killed left. */
function removeOld(dir: string): void {
  const found = readdirSync(dir).map((name) => ({ path: join(dir, name), pid: /^building-(\d+)$/.exec(name)?.[1] }));
  const builtAt = ({ path }: { readonly path: string }) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const old = found.filter(({ pid }) => pid === undefined).sort((left, right) => builtAt(right) - builtAt(left)).slice(keptMax);
  const left = found.filter(({ pid }) => pid !== undefined && !isAlive(Number(pid)));
  for (const { path } of [...old, ...left]) rmSync(path, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs a script under this very Bun, so that neither node nor npx need be on PATH. */
async function runTool(project: string, command: readonly string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: project, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe',
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`the edge bundle cannot be built:\n${out}${err}`);
  return out;
}
