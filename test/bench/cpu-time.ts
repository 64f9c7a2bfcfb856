/** What a process has used so far, all its threads together. Linux alone: proc_pid_stat(5), proc_pid_status(5). */
import { readFileSync } from 'node:fs';
import type { Server } from './bench-world.ts';

/** sysconf(_SC_CLK_TCK), which is 100 on every Linux that Bun runs on. */
const ticksPerSecond = 100;

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, ...fields] = stat.slice(stat.lastIndexOf(')') + 1).trim().split(' ');
  // utime and stime are fields 14 and 15 of the line; `fields` begins with field 4.
  return (Number(fields[10]) + Number(fields[11])) / ticksPerSecond;
}

export function cpuSecondsOfAll({ pid, behind = [] }: Server): number {
  return [pid, ...behind].reduce((seconds, each) => seconds + cpuSecondsOf(each), 0);
}

/** Resident memory of all its processes; pages that two of them share count twice. */
export function megabytesOfAll({ pid, behind = [] }: Server): number {
  const kilobytes = [pid, ...behind].map((each) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1]));
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1_024;
}
