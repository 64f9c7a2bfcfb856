/**
 * What the operating system knows of a process: alive, since when, whose child. A pid alone names nobody, it
 * is used again; a pid with its start time does. Linux answers from /proc, others from `ps`.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessName {
  readonly pid: number;
  /** Opaque; equal only for the same process. */
  readonly startedAt: string;
}

/** `undefined` when no such process runs; one that ended and waits to be reaped does not run. */
export function nameOf(pid: number): ProcessName | undefined {
  const startedAt = process.platform === 'linux' ? startedAtOnLinux(pid) : ask('ps', '-o', 'lstart=', '-p', String(pid));
  return startedAt === undefined || startedAt === '' ? undefined : { pid, startedAt };
}

export function isRunning(named: ProcessName): boolean {
  return nameOf(named.pid)?.startedAt === named.startedAt;
}

/** The direct children of a process whose command contains `command`. */
export function childrenOf(parent: number, command: string): ProcessName[] {
  return (process.platform === 'linux' ? childrenOnLinux(parent, command) : childrenElsewhere(parent, command))
    .map(nameOf)
    .filter((named) => named !== undefined);
}

/** Asks a process to end and waits until it has, `msMax` at most. */
export async function askToEnd(named: ProcessName, msMax: number): Promise<void> {
  const until = Date.now() + msMax;
  signal(named.pid, 'SIGTERM');
  while (isRunning(named) && Date.now() < until) await Bun.sleep(10);
}

/** Ends a process that ignores being asked, and waits until it is gone; throws when it does not go. */
export async function endForSure(named: ProcessName, msMax = 5_000): Promise<void> {
  const until = Date.now() + msMax;
  while (isRunning(named)) {
    if (Date.now() > until) throw new Error(`process ${named.pid} does not end`);
    signal(named.pid, 'SIGKILL');
    await Bun.sleep(10);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH')) throw cause;
  }
}

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly command: string;
  readonly ticks: string;
}

function startedAtOnLinux(pid: number): string | undefined {
  const stat = statOf(pid);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${stat.ticks}`;
}

function childrenOnLinux(parent: number, command: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((pid) => {
    const stat = statOf(pid);
    return stat?.parent === parent && stat.command.includes(command);
  });
}

/** proc_pid_stat(5). The command stands in parentheses and may hold any character, so fields count from the last one. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return { command: text.slice(text.indexOf('(') + 1, end), state: fields[0] ?? '', parent: Number(fields[1]), ticks: fields[19] ?? '' };
}

function childrenElsewhere(parent: number, command: string): number[] {
  return (ask('ps', '-axo', 'pid=,ppid=,comm=') ?? '').split('\n').flatMap((line) => {
    const [pid, of, ...rest] = line.trim().split(/\s+/);
    return Number(of) === parent && rest.join(' ').includes(command) ? [Number(pid)] : [];
  });
}

function ask(...command: string[]): string | undefined {
  const { exitCode, stdout } = Bun.spawnSync(command, { stdout: 'pipe', stderr: 'ignore' });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}
