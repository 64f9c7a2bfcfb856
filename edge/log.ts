/** One JSON line an event. JSON escapes control characters, so nothing that a client sends can forge a line. */
import type { LeastLevel } from '../shared/settings/reader.ts';

export type LogLevel = 'info' | 'warn' | 'error';

const levels: readonly LeastLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Of this isolate. Before its settings are read, what is wrong with them is told. */
let least: LeastLevel = 'info';

/** Lines below `level` are not written from now on. */
export function logFrom(level: LeastLevel): void {
  least = level;
}

/** `debug`: every request has a line. */
export function isTold(level: LeastLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(least);
}

export function log(level: LogLevel, event: string, facts: Readonly<Record<string, unknown>> = {}): void {
  if (isTold(level)) console[level](JSON.stringify({ level, event, ...facts }));
}

/** The part of a thrown value that is logged: never the value itself, which may hold a request or a key. */
export function toLogged(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return typeof thrown;
  const cause = thrown.cause === undefined ? {} : { cause: toLogged(thrown.cause) };
  return { name: thrown.name, message: thrown.message.slice(0, 500), stack: thrown.stack?.slice(0, 2_000), ...cause };
}
