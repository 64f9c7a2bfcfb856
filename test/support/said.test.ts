import { expect, test } from 'bun:test';
import { secretsIn } from './said.ts';
import { testKeys } from './scripted-origin.ts';

test.each([
  ['a token', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmVk'],
  ['an API key', `tbk_${'0a'.repeat(12)}${'Zz9'.repeat(16)}x`],
  ['a refresh token', `tbr_${'ab'.repeat(16)}`],
  ['a secret of webhooks', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ['a key of the hop', testKeys],
  ['a private key', '-----BEGIN PRIVATE KEY-----'],
  ['a session', 'cookie: better-auth.session_token=abcdefghijkl.mnop'],
  ['a password in a URL', 'mongodb://ada:secret@127.0.0.1/films'],
  ['what a test planted', `planted${crypto.randomUUID().replaceAll('-', '')}`],
])('%s is found in a line, and not told', (what, secret) => {
  const [found, ...more] = secretsIn(`{"level":"info","msg":"well"}\n{"level":"warn","msg":"asked ${secret} of it"}\n`);
  expect([found?.startsWith(`${what}: `), found?.includes('asked'), more]).toEqual([true, true, []]);
  for (const part of secret.split(/[,:/@]+/).filter(({ length }) => length > 20)) expect(found).not.toContain(part);
});

test('lines as they are hold none', () => {
  const lines = [
    '{"level":"info","event":"request","requestId":"req_0a1b","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","principal":"qXz-01_aB9cD"}',
    'mongodb://127.0.0.1:27017/films', 'POST https://api.example.com/.tombolo/changes', 'tombolo ready: http://127.0.0.1:8787',
  ];
  expect(secretsIn(lines.join('\n'))).toEqual([]);
});
