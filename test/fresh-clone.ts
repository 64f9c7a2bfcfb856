/**
 * What a newcomer does: clone, start, ask, stop; once with only Node and npm on PATH, once with only Bun.
 * Run by `.ci/run` after the tests, because it installs everything twice. Ends with the line of counts.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toCountsLine } from './support/test-report.ts';
import { freePort } from './support/free-port.ts';
import { eventually } from './support/eventually.ts';
import { processesUnder, Program } from './support/program.ts';

const project = join(import.meta.dir, '..');
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'tombolo-clone-')));

/** What every system has; the point is what is missing: no git, no curl, and only one of the runtimes. */
const system = [
  'sh', 'bash', 'env', 'uname', 'cat', 'ls', 'cp', 'mv', 'rm', 'mkdir', 'ln', 'dirname', 'basename', 'readlink', 'sed', 'grep',
  'tr', 'id', 'ps',
];

const machines = [
  { name: 'only Node and npm', commands: ['node', 'npm', 'npx'], start: ['npm', 'start'] },
  { name: 'only Bun', commands: ['bun', 'bunx'], start: ['bun', 'run', 'start'] },
] as const;

/** Bun itself is 103 of them; with the tools of development it is 446. */
const originMegabytesMax = 200;

type Machine = (typeof machines)[number];

function toPath(name: string, commands: readonly string[]): string {
  const dir = join(scratch, `${name.replaceAll(' ', '-')}-bin`);
  mkdirSync(dir);
  for (const command of [...system, ...commands]) {
    const found = command.startsWith('bun') ? process.execPath : Bun.which(command);
    if (found !== null) symlinkSync(command === 'npm' || command === 'npx' ? found : realpathSync(found), join(dir, command));
  }
  return dir;
}

async function startAndStop({ name, commands, start }: Machine): Promise<string> {
  const dir = join(scratch, name.replaceAll(' ', '-'));
  const clone = Bun.spawnSync(['git', 'clone', '--quiet', project, dir]);
  if (clone.exitCode !== 0) throw new Error(clone.stderr.toString());
  const path = toPath(name, commands);
  const [edgePort, originPort] = [freePort(), freePort()];
  const started = performance.now();
  const program = new Program([join(path, start[0]), ...start.slice(1)], {
    cwd: dir,
    env: {
      ...process.env, PATH: path, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: undefined, TOMBOLO_EDGE_PORT: String(edgePort),
      TOMBOLO_ORIGIN_PORT: String(originPort),
    },
  });
  try {
    await program.says(/^tombolo ready: (\S+)$/m, 300_000);
    const readyMs = performance.now() - started;
    const response = await fetch(`http://127.0.0.1:${edgePort}/v2/films?genres=Comedy&limit=1`);
    const { data } = (await response.json()) as { data: unknown[] };
    if (response.status !== 200 || data.length !== 1) throw new Error(`answered ${response.status} with ${data.length} documents`);
    program.signal('SIGTERM');
    const { ms, code } = await program.ended();
    await eventually('no process is left', () => processesUnder(dir).length === 0, { msMax: 2_000 }).catch(() => {
      throw new Error(`left behind: ${JSON.stringify(processesUnder(dir))}`);
    });
    return `ready after ${Math.round(readyMs)} ms, stopped after ${Math.round(ms)} ms with ${code}`;
  } finally {
    await program.kill();
  }
}

/** A host of the origin alone: what it installs, and that it serves. */
async function serveOrigin(): Promise<string> {
  const dir = join(scratch, 'origin-host');
  const clone = Bun.spawnSync(['git', 'clone', '--quiet', project, dir]);
  if (clone.exitCode !== 0) throw new Error(clone.stderr.toString());
  const path = toPath('origin-host', ['node', 'npm', 'npx']);
  const port = freePort();
  const program = new Program([join(path, 'npm'), 'run', 'origin'], {
    cwd: dir,
    env: {
      ...process.env, PATH: path, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: undefined, TOMBOLO_ORIGIN_PORT: String(port),
      TOMBOLO_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64url')}`,
    },
  });
  try {
    await program.says(/^tombolo origin listening on port /m, 300_000);
    const { status } = await fetch(`http://127.0.0.1:${port}/ready`);
    const megabytes = Number(/^\d+/.exec(Bun.spawnSync(['du', '-sm', join(dir, 'node_modules')]).stdout.toString())?.[0]);
    if (status !== 200 || !(megabytes < originMegabytesMax)) throw new Error(`/ready answered ${status}, with ${megabytes} MB installed`);
    program.signal('SIGTERM');
    return `${megabytes} MB installed, stopped with ${(await program.ended()).code}`;
  } finally {
    await program.kill();
  }
}

const checks = [
  ...machines.map((machine) => ({
    what: `a fresh clone starts, answers and stops with ${machine.name}`, check: () => startAndStop(machine),
  })),
  { what: 'a host of the origin installs what the origin needs', check: serveOrigin },
];
let failed = 0;
for (const { what, check } of checks) {
  try {
    process.stdout.write(`ok   ${what}: ${await check()}\n`);
  } catch (cause) {
    failed++;
    process.stdout.write(`FAIL ${what}: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  }
}
for (const { pid } of processesUnder(scratch)) process.kill(pid, 'SIGKILL');
rmSync(scratch, { recursive: true, force: true });
process.stdout.write(`${toCountsLine({ passed: checks.length - failed, failed, skipped: 0 })}\n`);
process.exitCode = failed === 0 ? 0 : 1;
