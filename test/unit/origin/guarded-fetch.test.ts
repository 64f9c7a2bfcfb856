/** The way out of an endpoint's handler leads to declared hosts by HTTPS, never inside, never on, and not without end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fetching, type FetchGuard, guardedFetch } from '../../../origin/access/guarded-fetch.ts';
import { isPublic } from '../../../origin/outgoing/addresses.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { onPath, testThat } from '../../support/needs.ts';

const host = 'pay.example.com';
const publicAddress = '93.184.216.34';

test('an address is public where no registry sets it aside', () => {
  const wanted = {
    [publicAddress]: true, '2606:2800:220:1::1': true,
    '127.0.0.1': false, '10.1.2.3': false, '172.31.0.1': false, '192.168.1.1': false, '169.254.169.254': false, '100.64.0.1': false,
    '0.0.0.0': false, '224.0.0.1': false, '255.255.255.255': false, '192.0.0.170': false,
    '::': false, '::1': false, 'fe80::1': false, 'fd00::1': false, 'ff02::1': false, '::ffff:127.0.0.1': false, '::ffff:8.8.8.8': false,
    '64:ff9b::7f00:1': false, '2002:7f00:1::1': false, '2001::1': false, '2001:db8::1': false, 'pay.example.com': false, '': false,
  };
  expect(Object.fromEntries(Object.keys(wanted).map((address) => [address, isPublic(address)]))).toEqual(wanted);
});

describe('without a connection', () => {
  const resolved: string[] = [];
  const guard = (addresses: readonly string[]): FetchGuard => ({
    hosts: [host], signal: AbortSignal.timeout(5_000), resolve: async (name) => (resolved.push(name), addresses),
  });

  test.each([
    'http://pay.example.com/', 'https://pay.example.com:8443/', 'https://user:word@pay.example.com/', 'https://other.example.com/',
    'https://pay.example.com.evil.example/', 'https://127.0.0.1/', 'https://[::1]/', 'file:///etc/passwd',
    'https://evil.example@pay.example.com/',
  ])('%s is not asked, nor its name resolved', async (url) => {
    resolved.length = 0;
    await expect(guardedFetch(guard([publicAddress]))(url)).rejects.toThrow(/^fetch of /);
    expect(resolved).toEqual([]);
  });

  test.each([[['127.0.0.1']], [['169.254.169.254']], [[publicAddress, '10.0.0.1']], [['::ffff:10.0.0.1']], [[]]])(
    'a name with the addresses %j is not connected to',
    async (addresses) => {
      const thrown = await guardedFetch(guard(addresses))(`https://${host}/`).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(Fault);
      expect((thrown as Fault).reason).toBe('upstream_failed');
      expect(String((thrown as Fault).cause)).toContain('not public');
    },
  );

  test('a call whose time is over asks nobody', async () => {
    resolved.length = 0;
    const over = { ...guard([publicAddress]), signal: AbortSignal.abort() };
    await expect(guardedFetch(over)(`https://${host}/`)).rejects.toThrow();
    expect(resolved).toEqual([]);
  });
});

const openssl = onPath('openssl');
const withTls = testThat(openssl);

let dir: string;
let server: Bun.Server<undefined> | undefined;
let ca = '';
const asked: { readonly path: string; readonly host: string | null; readonly body: string }[] = [];
/** Ends what is answered slowly. */
const over = new AbortController();

beforeAll(() => {
  if (!openssl.met) return;
  dir = mkdtempSync(join(tmpdir(), 'tombolo-tls-'));
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const made = Bun.spawnSync([
    'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', key,
    '-out', cert, '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`,
  ]);
  if (!made.success) throw new Error(made.stderr.toString());
  ca = readFileSync(cert, 'utf8');
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', tls: { key: readFileSync(key, 'utf8'), cert: ca }, fetch: answer });
});
afterAll(async () => {
  over.abort();
  await server?.stop(true);
  if (openssl.met) rmSync(dir, { recursive: true, force: true });
});

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  asked.push({ path: pathname, host: request.headers.get('host'), body: await request.text() });
  if (pathname === '/moved') return Response.redirect(`https://${host}/secret`, 307);
  if (pathname === '/long') return new Response('x'.repeat(limits.fetchedBytesMax + 1));
  if (pathname === '/whole') return new Response('x'.repeat(limits.fetchedBytesMax));
  if (pathname === '/slow') await new Promise((resolve) => over.signal.addEventListener('abort', resolve));
  return Response.json({ charged: true }, { status: 201 });
}

function ask(path: string, name = host, signal: AbortSignal = AbortSignal.timeout(5_000), headers: Fetching['headers'] = {}) {
  const resolve = async () => ['127.0.0.1'];
  const guard = { hosts: [host, 'other.example.com'], signal, resolve, isAllowed: () => true, port: server?.port ?? 0, ca };
  return guardedFetch(guard)(`https://${name}${path}`, { method: 'POST', body: '{"card":1}', headers });
}
const reasonOf = (asking: Promise<unknown>) =>
  asking.then(() => 'answered', (thrown: unknown) => (thrown instanceof Fault ? thrown.reason : thrown));

describe('over a connection', () => {
  withTls('the address that was looked at is asked, under the name, and its certificate is held to the name', async () => {
    const { status, text } = await ask('/charge');
    expect([status, text]).toEqual([201, '{"charged":true}']);
    expect(asked.at(-1)).toEqual({ path: '/charge', host, body: '{"card":1}' });
    asked.length = 0;
    expect(await reasonOf(ask('/charge', 'other.example.com'))).toBe('upstream_failed');
    expect(asked).toEqual([]);
  });

  withTls('no header of a handler names another host', async () => {
    for (const name of ['host', 'Host', 'HOST']) await ask('/charge', host, undefined, { [name]: 'evil.example.com' });
    expect(asked.slice(-3).map((each) => each.host)).toEqual([host, host, host]);
  });

  withTls('a redirect is not followed', async () => {
    asked.length = 0;
    expect(await reasonOf(ask('/moved'))).toBe('upstream_failed');
    expect(asked.map(({ path }) => path)).toEqual(['/moved']);
  });

  withTls('an answer is read up to the bound, and refused past it', async () => {
    expect((await ask('/whole')).text).toHaveLength(limits.fetchedBytesMax);
    expect(await reasonOf(ask('/long'))).toBe('upstream_failed');
  });

  withTls('the call’s end ends it', async () => {
    expect(await reasonOf(ask('/slow', host, AbortSignal.timeout(50)))).toBe('upstream_failed');
  });
});
