/** Bodies in chunks of a byte, and bodies that never come: work is proportional to bytes, and every wait has an end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { limits } from '../../../shared/wire/limits.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';
import { type RawAnswer, toAnswer } from './raw-http.ts';

describe.each([...stacks])('slow bodies, in %s', (stack) => {
  let world: World;
  let editor: string;
  const edgeLog: string[] = [];
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack, onEdgeLog: (line) => edgeLog.push(line) });
    editor = await world.token();
  });
  afterAll(() => world.close());

  /** The longest wait of others meanwhile: 100 ms on a machine at rest, where one read for each chunk would make it 4 000. */
  const waitMsMax = 600;
  const answerMsMax = 20_000;

  interface Sent {
    readonly answer: RawAnswer;
    readonly ms: number;
  }

  /** `write` sends the body, after the head. */
  function send(
    target: string,
    headers: readonly string[],
    write: (socket: { write(text: string | Uint8Array): unknown }) => () => void,
  ): Promise<Sent> {
    const { promise, resolve } = Promise.withResolvers<Sent>();
    const started = performance.now();
    let received = '';
    const socket = connect(Number(new URL(world.edge.url).port), '127.0.0.1');
    socket.write(`POST ${target} HTTP/1.1\r\nHost: edge.test\r\n${headers.join('\r\n')}\r\n\r\n`);
    const stop = write(socket);
    const late = setTimeout(() => socket.destroy(), answerMsMax);
    socket.on('data', (chunk) => {
      received += chunk.toString();
      if (/\r\n0\r\n\r\n$|\}\n?$/.test(received)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(late);
      stop();
      resolve({ answer: toAnswer(received), ms: performance.now() - started });
    });
    return promise;
  }

  function byBytes(body: string): Buffer {
    return Buffer.from(`${[...Buffer.from(body)].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')}0\r\n\r\n`);
  }

  async function longestWait(during: Promise<unknown>): Promise<number> {
    let isOver = false;
    const over = during.finally(() => (isOver = true));
    let longest = 0;
    while (!isOver) {
      const asked = performance.now();
      await world.request('/health');
      longest = Math.max(longest, performance.now() - asked);
      await Bun.sleep(5);
    }
    await over;
    return longest;
  }

  const row = '{"title":"By bytes","year":1999}\n';
  const rows = 400_000 / row.length;
  const chunked = 'Transfer-Encoding: chunked';

  test.each([
    ['a path that is none', '/v2/nope', 'text/plain', false, 404],
    ['a create', '/v2/reviews', 'application/json', false, 400],
    ['an import that is refused', '/v2/films/import', 'application/x-ndjson', false, 401],
    ['an import', '/v2/films/import', 'application/x-ndjson', true, 200],
  ] as const)('400 KB in chunks of a byte to %s keep nobody waiting', async (_, target, type, signedIn, status) => {
    const body = byBytes(row.repeat(rows));
    const sending = send(target, [chunked, `Content-Type: ${type}`, ...(signedIn ? [`Authorization: Bearer ${editor}`] : [])], (socket) => {
      socket.write(body);
      return () => undefined;
    });
    const wait = await longestWait(sending);
    const { answer } = await sending;
    expect(wait).toBeLessThan(waitMsMax);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toContain(`"imported":${Math.floor(rows)}`);
  });

  const inEitherFraming = test.concurrent.each(['length', 'chunks'] as const);

  /** A byte, and another one each second, of a body that declares many. */
  const trickle = (framing: 'length' | 'chunks') => (socket: { write(text: string): unknown }) => {
    const timer = setInterval(() => socket.write(framing === 'length' ? 'x' : '1\r\nx\r\n'), 1_000);
    return () => clearInterval(timer);
  };

  inEitherFraming('a body that trickles in is answered when its time is over, sent by %s', async (framing) => {
    const { answer, ms } = await send(
      '/v2/reviews',
      ['Content-Type: application/json', framing === 'length' ? 'Content-Length: 1000' : chunked],
      trickle(framing),
    );
    expect([answer.status, answer.body.includes('"code":"body_late"')]).toEqual([408, true]);
    expect(ms).toBeLessThan(limits.requestMsMax + 2_000);
    expect(edgeLog.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  inEitherFraming('a refusal does not wait for a body that trickles in, sent by %s', async (framing) => {
    const { answer, ms } = await send(
      '/v2/nope',
      ['Content-Type: application/json', framing === 'length' ? 'Content-Length: 1000' : chunked],
      trickle(framing),
    );
    expect(answer.status).toBe(404);
    expect(ms).toBeLessThan(edgeLimits.discardMsMax + 1_500);
  });
});
