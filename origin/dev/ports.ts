/** A taken port is found before anything is built, and said in words that name the variable to change. */
import { SettingsError } from '../settings.ts';

export interface PortWanted {
  readonly variable: string;
  readonly port: number;
}

export function mustFreePorts(wanted: readonly PortWanted[]): void {
  const [first, second] = wanted;
  if (first !== undefined && first.port === second?.port) throw new SettingsError(second.variable, `is ${second.port}, the same as ${first.variable}`);
  for (const { variable, port } of wanted) {
    if (!isFree(port)) throw new SettingsError(variable, `port ${port} is in use by another program; stop that program or set ${variable} to a free port`);
  }
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
