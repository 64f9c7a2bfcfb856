/** A taken port is found before anything is built, and said in words that name the variable to change. */
import { SettingsError } from '../../shared/settings/reader.ts';

export interface PortWanted {
  readonly variable: string;
  readonly port: number;
}

/** `patienceMs`: how long a process that was just ended may take to let go of a port. */
export async function mustFreePorts(wanted: readonly PortWanted[], patienceMs = 0): Promise<void> {
  const [first, second] = wanted;
  if (first !== undefined && first.port === second?.port) {
    throw new SettingsError([`${second.variable}: is ${second.port}, the same as ${first.variable}`]);
  }
  for (const { variable, port } of wanted) {
    if (!(await isFreeWithin(port, patienceMs))) {
      throw new SettingsError([
        `${variable}: port ${port} is in use by another program; stop that program or set ${variable} to a free port`,
      ]);
    }
  }
}

async function isFreeWithin(port: number, patienceMs: number): Promise<boolean> {
  const untilMs = performance.now() + patienceMs;
  while (!isFree(port)) {
    if (performance.now() >= untilMs) return false;
    await Bun.sleep(20);
  }
  return true;
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') return false;
    throw cause;
  }
}
