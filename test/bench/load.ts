/** The load generator as its caller sees it: an order, and the report that comes of it. */
import { join } from 'node:path';

export interface LoadOrder {
  readonly port: number;
  /** Whole requests as bytes, sent in turn. */
  readonly requests: readonly Uint8Array[];
  /** Whether each is sent once at most, because it carries a nonce that is spent. */
  readonly once: boolean;
  readonly connections: number;
  readonly forMs: number;
  /** The status expected of every answer. */
  readonly status: number;
  /** Text in the head of an answer that is counted. */
  readonly mark: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly marked: number;
  /** Answers of another status, and broken connections. */
  readonly failed: number;
  readonly seconds: number;
  /** CPU that the generator itself used. */
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export class LoadGenerator {
  readonly #child: Bun.Subprocess<'ignore', 'inherit', 'inherit'>;
  #settle: ((report: LoadReport) => void) | undefined;

  constructor() {
    this.#child = Bun.spawn([process.execPath, join(import.meta.dir, 'load.worker.ts')], {
      stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', serialization: 'advanced',
      ipc: (report) => this.#settle?.(report as LoadReport),
    });
  }

  /** Runs one order at a time. */
  async run(order: LoadOrder): Promise<LoadReport> {
    const { promise, resolve } = Promise.withResolvers<LoadReport>();
    this.#settle = resolve;
    this.#child.send(order);
    const ended = this.#child.exited.then((code) => Promise.reject(new Error(`the load generator ended with ${code}`)));
    return Promise.race([promise, ended]);
  }

  async close(): Promise<void> {
    this.#child.disconnect();
    await this.#child.exited;
  }
}

/** A request as it goes over the wire. */
export function toRequestBytes({
  method,
  target,
  headers,
  body = '',
}: {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}): Uint8Array {
  const length = method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries({ host: '127.0.0.1', ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
