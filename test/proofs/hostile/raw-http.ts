/** Requests byte by byte, as no HTTP client would send them, and everything that comes back until the end. */
import { connect } from 'node:net';

export interface RawRequest {
  readonly method?: string;
  /** 1.1 unless said. */
  readonly version?: '1.0';
  /** The request target as it stands on the wire. */
  readonly target: string;
  /** Lines without their end; names may repeat. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

export interface RawAnswer {
  /** The status; 0 where the connection ended without an answer. */
  readonly status: number;
  /** The head of the first answer. */
  readonly head: string;
  readonly body: string;
  /** Whether the Worker answered. The runtime before it refuses some of what is no HTTP with a bare 400 or 500 of its own. */
  readonly isOurs: boolean;
  /** How many answers came over the connection. */
  readonly answers: number;
}

const answerMsMax = 5_000;
const quietMs = 20;

/** `Host`, which HTTP/1.0 has not, and with a body `Content-Length` are added where no line gives them. */
export function sendRaw(url: string, { method = 'GET', version, target, headers = [], body }: RawRequest): Promise<RawAnswer> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const given = (name: string): boolean => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const lines = [
    `${method} ${target} HTTP/${version ?? '1.1'}`,
    ...(given('host') || version !== undefined ? [] : ['Host: edge.test']),
    ...(bytes === undefined || given('content-length') || given('transfer-encoding') ? [] : [`Content-Length: ${bytes.length}`]),
    ...headers, 'Connection: close',
  ];
  return exchange(url, Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes ?? new Uint8Array(0)]));
}

function exchange(url: string, bytes: Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let late = setTimeout(() => socket.destroy(), answerMsMax);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (!isWhole(received)) return;
      // The other side may keep the connection; a second answer, to a smuggled request, would follow at once.
      clearTimeout(late);
      late = setTimeout(() => socket.destroy(), quietMs);
    });
    // A refused connection is an answer, too: what was sent did not get in.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      resolve(toAnswer(received));
    });
  });
}

function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = received.slice(0, end).toLowerCase();
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
  if (length !== undefined) return Buffer.byteLength(received.slice(end + 4)) >= Number(length);
  return (
    !head.includes('transfer-encoding: chunked') ||
    received.endsWith('\r\n0\r\n\r\n') ||
    received.slice(end).startsWith('\r\n\r\n0\r\n\r\n')
  );
}

export function toAnswer(received: string): RawAnswer {
  const end = received.indexOf('\r\n\r\n');
  const head = end < 0 ? received : received.slice(0, end);
  return {
    isOurs: /\r\nx-request-id: /i.test(head),
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0),
    head,
    body: end < 0 ? '' : received.slice(end + 4),
    answers: received.match(/HTTP\/1\.[01] \d{3} /g)?.length ?? 0,
  };
}
