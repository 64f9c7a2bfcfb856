/**
 * A bug of the driver (7.8.0, `Connection.writeCommand`): a command that meets a socket in the moment between its end
 * and its `close` waits for a `drain` that never comes, for ever, and holds its place in the pool. Each death of a
 * primary under load leaves some of them. Closing a connection wakes whoever waits to write on it; what they meet
 * then is the connection's error, as everybody else does.
 */
import { createRequire } from 'node:module';

/** The part of the driver's class that this is about. */
interface DriverConnection {
  readonly socket: { emit(event: 'drain'): void };
  cleanup(error: Error): void;
}

const repaired = new WeakSet<object>();

export function repairDriver(): void {
  const load = createRequire(import.meta.url);
  const { Connection } = load('mongodb/lib/cmap/connection.js') as { Connection: { prototype: DriverConnection } };
  const { prototype } = Connection;
  const { cleanup } = prototype;
  if (typeof cleanup !== 'function') {
    const file = 'origin/store/mongo/connection/driver-repair.ts';
    throw new Error(`the driver has no Connection.cleanup: see whether its hole is mended (${file})`);
  }
  if (repaired.has(prototype)) return;
  repaired.add(prototype);
  prototype.cleanup = function (error) {
    cleanup.call(this, error);
    this.socket.emit('drain');
  };
}
