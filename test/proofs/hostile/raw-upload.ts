/** Uploads byte by byte, and every way in which a client can fail to bring one to its end. */
import { connect } from 'node:net';
import { type RawAnswer, toAnswer } from './raw-http.ts';

export const sendings = ['length', 'chunks'] as const;
export const endings = ['reset', 'close', 'half close', 'wrong chunk'] as const;
export type Ending = (typeof endings)[number];

export interface RawUpload {
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly sending: (typeof sendings)[number];
  /** What comes instead of the rest. */
  readonly ending: Ending;
}

/** Long enough for what was sent to be read before the connection ends. */
export const readMs = 150;
const answerMsMax = 5_000;

/** Sends the beginning of a longer upload; the answer, if there is one. */
export function sendCut(url: string, { target, headers, body, sending, ending }: RawUpload): Promise<RawAnswer> {
  const bytes = Buffer.from(body);
  const framing = sending === 'length' ? `Content-Length: ${bytes.length + 1_000}` : 'Transfer-Encoding: chunked';
  const head = `POST ${target} HTTP/1.1\r\nHost: edge.test\r\n${headers.join('\r\n')}\r\n${framing}\r\n\r\n`;
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(head);
      socket.write(
        sending === 'length' ? bytes : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]),
      );
      setTimeout(() => end(ending), readMs);
    });
    const late = setTimeout(() => socket.destroy(), answerMsMax);
    const end = (how: Ending): void => {
      if (how === 'reset') socket.resetAndDestroy();
      else if (how === 'close') socket.destroy();
      else if (how === 'half close') socket.end();
      else socket.write('zz\r\n');
    };
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (/\r\n0\r\n\r\n$/.test(received) || /\r\n\r\n\{.*\}$/s.test(received)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      const answer = toAnswer(received);
      resolve({ ...answer, body: withoutChunks(answer) });
    });
  });
}

/** What chunks hold, joined; another body as it came. */
function withoutChunks({ head, body }: RawAnswer): string {
  if (!/^transfer-encoding: chunked\r?$/im.test(head)) return body;
  const bytes = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0, end = bytes.indexOf('\r\n'); end > at; end = bytes.indexOf('\r\n', at)) {
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts).toString();
}
