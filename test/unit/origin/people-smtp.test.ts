/** Mails by SMTP over TLS (RFC 8314 §3), to a real server on this machine: from the first byte, by STARTTLS, and never without. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { makeSelfSigned } from '../../support/self-signed.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-smtp-'));
const { cert, key } = makeSelfSigned();
const trusted = join(dir, 'ca.pem');
const servers: SMTPServer[] = [];
const received: string[] = [];

beforeAll(() => writeFileSync(trusted, cert));
afterAll(async () => {
  for (const server of servers) await new Promise<void>((closed) => server.close(closed));
  rmSync(dir, { recursive: true, force: true });
});

async function listen(options: SMTPServerOptions): Promise<number> {
  const server = new SMTPServer({
    authOptional: false, key, cert, ...options, logger: false,
    onAuth: ({ username, password }, _session, done) =>
      (username === 'ada@example.com' && password === 'p@ss' ? done(null, { user: username }) : done(new Error('no'))),
    onData: (stream, _session, done) => void new Response(stream as unknown as ReadableStream).text().then((text) => {
      received.push(text);
      done();
    }),
  });
  server.on('error', () => undefined);
  servers.push(server);
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  return (server.server.address() as AddressInfo).port;
}

/** In a process of its own, since what a process trusts is told at its start; gives what it said. */
async function send(url: string, ca: string | undefined): Promise<string> {
  const mail = { to: 'ben@example.com', subject: 'A code', text: 'open this' };
  const script = `const { openMail } = await import('${join(import.meta.dir, '../../../origin/people/mail.ts')}');
    const send = await openMail({ smtp: { url: '${url}', from: 'api@example.com' } }, '${dir}');
    await send(${JSON.stringify(mail)}).then(() => console.log('sent'), (cause) => console.log(cause.code));
    process.exit(0);`;
  const program = Bun.spawn([process.execPath, '-e', script], { env: { ...process.env, NODE_EXTRA_CA_CERTS: ca }, stdout: 'pipe' });
  return (await new Response(program.stdout).text()).trim();
}

const user = 'ada%40example.com:p%40ss';

test('a mail is sent by TLS to a server that is trusted, and to no other', async () => {
  const without = { hideSTARTTLS: true, disabledCommands: ['STARTTLS'] };
  const [tls, starting, plain] = await Promise.all([listen({ secure: true }), listen({}), listen(without)]);
  expect(await send(`smtps://${user}@localhost:${tls}`, trusted)).toBe('sent');
  expect(await send(`smtp://${user}@localhost:${starting}`, trusted)).toBe('sent');
  expect(received.length).toBe(2);
  for (const text of received) expect(text).toContain('To: ben@example.com');
  expect(await send(`smtps://${user}@localhost:${tls}`, undefined)).not.toBe('sent');
  expect(await send(`smtp://${user}@localhost:${starting}`, undefined)).not.toBe('sent');
  expect(await send(`smtp://${user}@localhost:${plain}`, trusted)).not.toBe('sent');
  expect(await send(`smtps://ada%40example.com:wrong@localhost:${tls}`, trusted)).toBe('EAUTH');
  expect(received.length).toBe(2);
}, 60_000);
