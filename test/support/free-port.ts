/** Below every system's range of ports for outgoing connections: one of those may be taken at any moment. */
const ports = { first: 20_000, count: 10_000 };

/** Each process goes on from a place of its own, so that two seldom give away the same port before it is taken. */
let last = Math.floor(Math.random() * ports.count);

/** A port that nobody has right now; for programs that must be told theirs. */
export function freePort(): number {
  for (;;) {
    last = (last + 1) % ports.count;
    const port = ports.first + last;
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // The port is taken: the next one is tried.
    }
  }
}
