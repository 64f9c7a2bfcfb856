/** One JSON line an event. JSON escapes control characters, so nothing that a client sends can forge a line. */
export type LogLevel = 'info' | 'warn' | 'error';

export function log(level: LogLevel, event: string, facts: Readonly<Record<string, unknown>> = {}): void {
  console[level](JSON.stringify({ level, event, ...facts }));
}

/** The part of a thrown value that is logged: never the value itself, which may hold a request or a key. */
export function toLogged(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return typeof thrown;
  const cause = thrown.cause === undefined ? {} : { cause: toLogged(thrown.cause) };
  return { name: thrown.name, message: thrown.message.slice(0, 500), stack: thrown.stack?.slice(0, 2_000), ...cause };
}
