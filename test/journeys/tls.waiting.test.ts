/** One process that serves HTTPS by its settings: HTTP/1.1 and HTTP/2, and a certificate that is wrong is named at start. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import { makeSelfSigned, type SelfSigned } from '../support/self-signed.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-tls-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const [certificate, key] = [join(dir, 'certificate.pem'), join(dir, 'key.pem')];

function keep({ cert, key: secret }: Pick<SelfSigned, 'cert' | 'key'>): void {
  writeFileSync(certificate, cert);
  writeFileSync(key, secret);
}

const settings = {
  TOMBOLO_ENV: 'production', TOMBOLO_DATA_DIR: join(dir, 'data'), TOMBOLO_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64url')}`,
  TOMBOLO_ISSUER: 'https://login.example.invalid', TOMBOLO_AUDIENCE: 'api', TOMBOLO_JWKS_URL: 'https://login.example.invalid/jwks',
  TOMBOLO_TLS_CERTIFICATE: certificate, TOMBOLO_TLS_KEY: key,
};

/** What is agreed on with a client that offers these protocols, and the certificate that it is shown. */
function handshake(port: number, ca: string, protocols: string[]): Promise<{ protocol: string | false | null; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: protocols });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve({ protocol: socket.alpnProtocol, fingerprint: socket.getPeerCertificate().fingerprint256 });
      socket.destroy();
    });
  });
}

interface Heard {
  status: unknown;
  text: string;
  isOver: boolean;
}

function listen(stream: ClientHttp2Stream): Heard {
  const heard: Heard = { status: undefined, text: '', isOver: false };
  stream.setEncoding('utf8');
  stream.on('response', (head) => (heard.status = head[':status']));
  stream.on('data', (chunk: string) => (heard.text += chunk));
  stream.on('end', () => (heard.isOver = true));
  stream.on('error', () => undefined);
  return heard;
}

describe('with a certificate', () => {
  const made = makeSelfSigned();
  let served: OriginProcess;
  let session: ClientHttp2Session;
  beforeAll(async () => {
    keep(made);
    served = new OriginProcess(settings, oneProcess);
    await served.start();
    session = connectHttp2(`https://localhost:${served.port}`, { ca: made.cert });
    session.on('error', () => undefined);
  });
  afterAll(async () => {
    session.destroy();
    await served.kill9();
  });

  const get = async (head: OutgoingHttpHeaders): Promise<Heard> => {
    const heard = listen(session.request(head));
    await eventually('the answer', () => heard.isOver);
    return heard;
  };

  test('a client that offers HTTP/2 is served by it, and any other by HTTP/1.1', async () => {
    expect(await handshake(served.port, made.cert, ['h2', 'http/1.1'])).toEqual({ protocol: 'h2', fingerprint: made.fingerprint });
    expect((await handshake(served.port, made.cert, ['http/1.1'])).protocol).toBe('http/1.1');
    const answer = await fetch(`https://localhost:${served.port}/v2/films?limit=1`, { tls: { ca: made.cert } });
    expect([answer.status, answer.headers.get('strict-transport-security')]).toEqual([200, expect.stringContaining('max-age')]);
    const heard = await get({ ':path': '/v2/films?limit=1' });
    expect([heard.status, heard.text]).toEqual([200, await answer.text()]);
  });

  test('plain HTTP is not served', async () => {
    expect(await fetch(`http://localhost:${served.port}/health`).then(({ status }) => status < 400, () => false)).toBe(false);
  });

  test('many requests of one connection are answered at once, refusals by name among them', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, (_, index) =>
      get({ ':path': index % 2 === 0 ? '/v2/films?limit=1' : '/v2/nothing' })));
    expect(answers.filter(({ status }) => status === 200).length).toBe(30);
    expect(answers.filter(({ status, text }) => status === 404 && text.includes('route_not_found')).length).toBe(30);
  });

  test('an :authority that can be no host is refused, and what it asks for is not answered', async () => {
    for (const path of ['/ready', '/x/docs', '/v2/films']) {
      const heard = await get({ ':path': path, ':authority': 'a b' });
      expect([path, heard.status, heard.text]).toEqual([path, 400, expect.stringContaining('"at":"Host"')]);
    }
  });

  test('a body is taken over HTTP/2', async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/v2/films', 'content-type': 'application/json' });
    const heard = listen(stream);
    stream.end('{"title":"Without a year"}');
    await eventually('the refusal', () => heard.isOver);
    expect([heard.status, heard.text]).toEqual([422, expect.stringContaining('"at":"/year"')]);
  });

  test('a feed stays open over HTTP/2, and a stop ends it with a word', async () => {
    const heard = listen(session.request({ ':path': '/v2/reviews/changes', accept: 'text/event-stream' }));
    await eventually('the first words', () => heard.text.includes('id:'));
    // Longer than any request may take, and than a server waits on a quiet connection.
    await Bun.sleep(11_000);
    expect([heard.status, heard.isOver]).toEqual([200, false]);
    const { code, ms } = await served.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
    expect([heard.isOver, heard.text]).toEqual([true, expect.stringContaining('event: reconnect')]);
  });

  test('a renewed certificate is shown from the next start on', async () => {
    const renewed = makeSelfSigned();
    keep(renewed);
    await served.start();
    expect((await handshake(served.port, renewed.cert, ['h2'])).fingerprint).toBe(renewed.fingerprint);
    session.destroy();
    session = connectHttp2(`https://localhost:${served.port}`, { ca: renewed.cert });
  });

  test('an address that asks too much is known over HTTP/2 too', async () => {
    const statuses = new Set<unknown>();
    // A thousand in ten seconds are within the bound.
    for (let turn = 0; turn < 22; turn++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => get({ ':path': '/health' })));
      for (const { status } of answers) statuses.add(status);
    }
    expect([...statuses].sort()).toEqual([200, 429]);
  });
});

describe('files that are no certificate and its key', () => {
  let served: OriginProcess | undefined;
  afterEach(() => served?.kill9());
  const refusal = async (): Promise<string> => {
    served = new OriginProcess(settings, oneProcess);
    return served.start().then(() => '', (cause: unknown) => String(cause));
  };

  test('are named at start, and nothing is served', async () => {
    keep({ ...makeSelfSigned(), key: makeSelfSigned().key });
    expect(await refusal()).toContain('TOMBOLO_TLS_KEY: is not the key');
    keep({ cert: 'no PEM', key: '' });
    const both = await refusal();
    for (const variable of ['TOMBOLO_TLS_CERTIFICATE', 'TOMBOLO_TLS_KEY']) expect(both).toContain(`${variable}: `);
  });
});
