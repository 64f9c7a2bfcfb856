/**
 * An HTTP/1.1 client on one connection that never retries: it asks again on the connection that it has unless the last
 * answer said `Connection: close`, and a connection that ends under a question is a question that failed.
 */
import { connect, type Socket } from 'node:net';
import type { SignedHop } from './signed-hop.ts';

export interface Heard {
  readonly status: number;
  readonly text: string;
}

export class UnforgivingClient {
  readonly #port: number;
  readonly #opensEach: boolean;
  #socket: Socket | undefined;
  /** Connections that it has opened. */
  opened = 0;

  /** `opensEach`: a connection for each question. */
  constructor(port: number, { opensEach = false }: { readonly opensEach?: boolean } = {}) {
    this.#port = port;
    this.#opensEach = opensEach;
  }

  /** Rejects where no whole answer comes. */
  async ask({ url, init: { method, headers, body } }: SignedHop): Promise<Heard> {
    const { pathname, search } = new URL(url);
    const bytes = body === null ? Buffer.alloc(0) : Buffer.from(body);
    const lines = Object.entries({
      ...headers, host: `127.0.0.1:${this.#port}`, 'content-length': String(bytes.length),
      ...(this.#opensEach ? { connection: 'close' } : {}),
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = (this.#socket ??= await this.#open());
    socket.write(Buffer.concat([Buffer.from(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`), bytes]));
    const { head, text } = await whole(socket);
    if (this.#opensEach || /^connection: close\r?$/im.test(head)) this.close();
    return { status: Number(head.slice('HTTP/1.1 '.length, 12)), text };
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Promise<Socket> {
    this.opened++;
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
      socket.once('error', reject);
    });
  }
}

interface Whole {
  readonly head: string;
  readonly text: string;
}

/** Answers of the origin name their length, but for streams. */
function whole(socket: Socket): Promise<Whole> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const done = (): void => void socket.off('data', onData).off('close', onEnd).off('error', onEnd);
    const onEnd = (cause?: unknown): void => {
      done();
      reject(new Error(`the connection ended after ${got.length} bytes of an answer: ${String(cause)}`));
    };
    const onData = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = got.toString('latin1', 0, end);
      const length = Number(/^content-length: (\d+)\r?$/im.exec(head)?.[1]);
      if (got.length < end + 4 + length) return;
      done();
      resolve({ head, text: got.toString('utf8', end + 4, end + 4 + length) });
    };
    socket.on('data', onData).once('close', onEnd).once('error', onEnd);
  });
}
