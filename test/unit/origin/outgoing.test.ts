/** The way out of the origin under attack: names and addresses that lead inside, answers without end, and whoever moves meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { isLoopback, isPublic } from '../../../origin/outgoing/addresses.ts';
import { askOutside, OutgoingFailure, type Way } from '../../../origin/outgoing/outgoing.ts';
import { whyNoTarget } from '../../../origin/webhooks/target.ts';

/** Ways to write addresses of this machine, of a private net and of a cloud's metadata. */
const spellings = [
  '127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.1', '0x7f.0.0.1', '0177.0.0.1', '017700000001',
  '0', '0.0.0.0', '0x0', '127.0.0.1.', '１２７.０.０.１', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]',
  '[::127.0.0.1]', '[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2001:0:7f00:1::]',
  '169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.254.43518', '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]', '[fd00:ec2::254]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1',
  '192.0.0.192', '198.18.0.1', '224.0.0.1', '255.255.255.255', '[4000::1]', '[100::1]', '[2001:db8::1]',
];

const asking = (signal = AbortSignal.timeout(5_000), bytesMax = 1_000) => ({ method: 'POST', headers: {}, body: '{}', signal, bytesMax });

test.each(spellings)('https://%s is neither connected to nor taken for a webhook', async (host) => {
  const url = `https://${host}/`;
  expect(whyNoTarget(url, { webhooksLoopback: false })).toBeString();
  const thrown = await askOutside(new URL(url), asking()).catch((cause: unknown) => cause);
  expect(thrown).toBeInstanceOf(OutgoingFailure);
  expect(String(thrown)).toMatch(/not public|has no address/);
});

test('names of this machine are refused where its addresses are, and taken in development where that is said', () => {
  for (const url of ['http://localhost:1/', 'http://127.0.0.1:1/', 'http://[::1]:1/', 'https://localhost/']) {
    expect(whyNoTarget(url, { webhooksLoopback: false })).toBeString();
    expect(whyNoTarget(url, { webhooksLoopback: true })).toBeUndefined();
  }
  for (const url of ['http://10.0.0.1/', 'https://10.0.0.1/', 'http://example.com/', 'https://169.254.169.254/']) {
    expect(whyNoTarget(url, { webhooksLoopback: true })).toBeString();
  }
  expect(whyNoTarget('https://hooks.example.com:8443/a', { webhooksLoopback: false })).toBeUndefined();
});

test('of addresses the public are public, and loopback is this machine, mapped too', () => {
  expect(['8.8.8.8', '2606:4700::1111'].map(isPublic)).toEqual([true, true]);
  expect(['127.0.0.2', '::1', '::ffff:127.0.0.1'].map(isLoopback)).toEqual([true, true, true]);
  expect(['10.0.0.1', '8.8.8.8', ''].map(isLoopback)).toEqual([false, false, false]);
});

describe('over a connection', () => {
  let server: Bun.Server<undefined>;
  const paths: string[] = [];
  let sent = 0;
  const drip = () => new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Each byte comes in time for whoever waits for the next one alone.
      await Bun.sleep(20);
      controller.enqueue(new Uint8Array(1));
    },
  });
  const flood = () => new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  const bomb = gzipSync(new Uint8Array(50_000_000));

  beforeAll(() => {
    server = Bun.serve({
      port: 0, hostname: '127.0.0.1',
      fetch: (request) => {
        const { pathname } = new URL(request.url);
        paths.push(`${request.headers.get('host')}${pathname}`);
        if (pathname === '/moved') return new Response(null, { status: 302, headers: { location: `${server.url.origin}/inside` } });
        if (pathname === '/drip') return new Response(drip());
        if (pathname === '/flood') return new Response(flood());
        if (pathname === '/bomb') return new Response(bomb, { headers: { 'content-encoding': 'gzip' } });
        return new Response('taken');
      },
    });
  });
  afterAll(() => server.stop(true));

  const way = (more: Way = {}): Way => ({ resolve: async () => ['127.0.0.1'], isAllowed: () => true, port: server.port ?? 0, ...more });

  test('a name that changes its mind is asked once, and what was looked at is connected to', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1'], ['10.0.0.1']];
    const asked: string[] = [];
    const resolve = async (host: string) => (asked.push(host), answers.shift() ?? []);
    const isAllowed = (address: string) => address === '127.0.0.1';
    expect((await askOutside(new URL('http://turn.example/a'), asking(), way({ resolve, isAllowed }))).text).toBe('taken');
    expect(asked).toEqual(['turn.example']);
    expect(paths.at(-1)).toBe('turn.example/a');
    await expect(askOutside(new URL('http://turn.example/a'), asking(), way({ resolve, isAllowed }))).rejects.toThrow('not public');
  });

  test('one private address among public ones is enough to refuse', async () => {
    const before = paths.length;
    const resolve = async () => ['93.184.216.34', '127.0.0.1'];
    const { isAllowed: _all, ...strict } = way({ resolve });
    await expect(askOutside(new URL('http://half.example/'), asking(), strict)).rejects.toThrow('not public');
    expect(paths.length).toBe(before);
  });

  test('a redirect is an answer, and nobody goes there', async () => {
    paths.length = 0;
    expect((await askOutside(new URL('http://a.example/moved'), asking(), way())).status).toBe(302);
    expect(paths).toEqual(['a.example/moved']);
  });

  test('an answer that drips ends with the time', async () => {
    const begun = performance.now();
    const dripping = askOutside(new URL('http://a.example/drip'), asking(AbortSignal.timeout(300)), way());
    await expect(dripping).rejects.toThrow('breaks its answer off');
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  test('of a flood no more is read than was asked for', async () => {
    const came = await askOutside(new URL('http://a.example/flood'), asking(), way());
    expect([came.text.length, came.isCut]).toEqual([1_000, true]);
    expect(sent).toBeLessThan(50_000_000);
  });

  test('a bomb is not unpacked', async () => {
    const before = process.memoryUsage().rss;
    const { text } = await askOutside(new URL('http://a.example/bomb'), { ...asking(undefined, 65_536), isRaw: true }, way());
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });

  test('no proxy of the environment is asked', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1', http_proxy: 'http://127.0.0.1:1' });
    try {
      expect((await askOutside(new URL('http://a.example/'), asking(), way())).text).toBe('taken');
    } finally {
      for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
