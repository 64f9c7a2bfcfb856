/** CPU seconds that a process has used so far, all its threads together. Linux alone: proc_pid_stat(5). */
import { readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK), which is 100 on every Linux that Bun runs on. */
const ticksPerSecond = 100;

export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, ...fields] = stat.slice(stat.lastIndexOf(')') + 1).trim().split(' ');
  // utime and stime are fields 14 and 15 of the line; `fields` begins with field 4.
  return (Number(fields[10]) + Number(fields[11])) / ticksPerSecond;
}
