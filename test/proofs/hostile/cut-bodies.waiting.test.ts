/** Clients that hang up, cut a body or frame it badly: told so where they can still be told, and no failure of the server in any log. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { eventually } from '../../support/eventually.ts';
import { principalHeader, signHop } from '../../support/signed-hop.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';
import { sendRaw } from './raw-http.ts';
import { type Ending, endings, readMs, sendCut, sendings } from './raw-upload.ts';

describe.each([...stacks])('cut bodies, in %s', (stack) => {
  let world: World;
  const edgeLog: string[] = [];
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack, logLevel: 'debug', onEdgeLog: (line) => edgeLog.push(line) });
  });
  afterAll(() => world.close());

  /** Bun closes a connection that its client half closed, and answers bad framing itself. */
  const isTold = (ending: Ending) => stack === 'workerd' && (ending === 'half close' || ending === 'wrong chunk');

  const failures = (): readonly string[] => [
    ...edgeLog.filter((line) => line.includes('"level":"error"') || line.includes('"level":"warn"')),
    ...world.origin.output.split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line)),
  ];

  const settled = async (): Promise<void> => {
    await world.request('/v2/nope');
    // That no line comes is what is tested: there is no condition to wait for, and logs come over pipes.
    await Bun.sleep(200);
  };

  const json = '{"film":"0191d7a0-0000-7000-8000-000000000000","author":"alice","rating":3,"text":"cut he';
  const cells = sendings.flatMap((sending) =>
    endings.filter((ending) => sending === 'chunks' || ending !== 'wrong chunk').map((ending) => [sending, ending] as const),
  );

  test.each(cells)('a JSON body by %s, %s', async (sending, ending) => {
    const told = edgeLog.length;
    const answer = await sendCut(world.edge.url, {
      target: '/v2/reviews',
      sending,
      ending,
      body: json,
      headers: [`Authorization: Bearer ${await world.token()}`, 'Content-Type: application/json'],
    });
    await settled();
    if (isTold(ending)) {
      expect([answer.status, answer.body.includes('"code":"body_malformed"')]).toEqual([400, true]);
      await eventually('a line of the refusal', () =>
        edgeLog.slice(told).some((line) => line.includes('"level":"info"') && line.includes('body_malformed')),
      );
    }
    expect(failures()).toEqual([]);
  });

  test.each(cells)('the body of a request that is refused, by %s, %s', async (sending, ending) => {
    const answer = await sendCut(world.edge.url, {
      target: '/v2/nope', sending, ending, body: json, headers: ['Content-Type: application/json'],
    });
    await settled();
    if (isTold(ending)) expect(answer.status).toBe(404);
    expect(failures()).toEqual([]);
  });

  test('a chunk extension, which the platform does not read', async () => {
    const chunk = `${json.length.toString(16)};name=value\r\n${json}\r\n0\r\n\r\n`;
    const answer = await sendRaw(world.edge.url, {
      method: 'POST',
      target: '/v2/reviews',
      body: chunk,
      headers: [`Authorization: Bearer ${await world.token()}`, 'Content-Type: application/json', 'Transfer-Encoding: chunked'],
    });
    await settled();
    expect([answer.status, answer.body.includes('"code":"body_malformed"')]).toEqual([400, true]);
    expect(failures()).toEqual([]);
  });

  // In one process nothing crosses the hop.
  if (stack === 'workerd') test('an edge that dies while it sends', async () => {
    const body = JSON.stringify({ title: 'Half', year: 1999 });
    const { init } = signHop(world.keys, {
      url: `${world.origin.url}/v2/films`,
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'tombolo-principal': principalHeader('alice', ['editor']) },
    });
    const head = Object.entries(init.headers).map(([name, value]) => `${name}: ${value}`).join('\r\n');
    const said = world.origin.output.length;
    const socket = connect(world.origin.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /v2/films HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`);
    await Bun.sleep(readMs);
    socket.resetAndDestroy();
    await eventually('a line of it', () => world.origin.output.slice(said).includes('body_malformed'));
    expect(failures()).toEqual([]);
  });
});
