/** Two origins on one MongoDB behind one edge: one is stopped in its tracks, and then killed. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity, type Identity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { type Edge, startEdge } from '../support/edge.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { MongoProgram } from '../support/mongo-program.ts';
import { OriginProcess } from '../support/origin-process.ts';

const subjects = Array.from({ length: 12 }, (_, index) => `caller-${index}`);
const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-two-'));
const log: string[] = [];
let mongo: MongoProgram;
let edge: Edge;
let identity: Identity;
let origins: readonly [OriginProcess, OriginProcess];

beforeAll(async () => {
  const [keys, port] = [await openDevelopmentKeys(dataDir), freePort()];
  mongo = await MongoProgram.start();
  const variables = {
    TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: `http://127.0.0.1:${port}`, MONGODB_URI: mongo.uri, TOMBOLO_ENV: 'development',
    TOMBOLO_DATA_DIR: dataDir,
  };
  origins = [new OriginProcess(variables), new OriginProcess(variables)];
  identity = await openIdentity(dataDir);
  for (const origin of origins) await origin.start();
  edge = await startEdge({
    port, keys, issuer: identity.issuer, audience: identity.audience, originUrl: origins.map(({ url }) => url).join(', '),
    jwksUrl: `${origins[0].url}/.well-known/jwks.json`, onLog: (line) => log.push(line),
  });
}, 60_000);
afterAll(async () => {
  for (const origin of origins) await origin.kill9();
  await edge.close();
  await mongo.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const tokenOf = (subject: string) => identity.mint({ subject, roles: ['editor'], plan: 'bench' });

async function ask(subject: string, path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { authorization: `Bearer ${await tokenOf(subject)}`, 'cache-control': 'no-cache', ...init.headers };
  const answer = await fetch(`${edge.url}${path}`, { ...init, headers });
  return { status: answer.status, text: await answer.text() };
}

const asksAll = (path: string) => Promise.all(subjects.map(async (subject) => (await ask(subject, path)).status));
const create = (subject: string, title: string, key: string) => ask(subject, '/v2/films', {
  method: 'POST', body: JSON.stringify({ title, year: 2_000 }), headers: { 'content-type': 'application/json', 'idempotency-key': key },
});

test('what is written through one is read through the other, and one that stops is passed over', async () => {
  await eventually('answers to all', async () => (await asksAll('/v2/films?limit=1')).every((status) => status === 200));
  const made = await create('caller-0', 'Two', 'two-1');
  expect(made.status).toBe(201);
  const { id } = JSON.parse(made.text) as { id: string };
  expect(new Set(await asksAll(`/v2/films/${id}`))).toEqual(new Set([200]));

  origins[1].freeze();
  // Those who ask the one that is stopped wait for it; whoever comes after them is answered by the other.
  const first = await asksAll(`/v2/films/${id}`);
  expect(new Set(first)).toEqual(new Set([200, 504]));
  const started = performance.now();
  expect(new Set(await asksAll(`/v2/films/${id}`))).toEqual(new Set([200]));
  expect(performance.now() - started).toBeLessThan(2_000);

  await origins[1].kill9();
  for (const subject of subjects) expect((await create(subject, `Of ${subject}`, `key-${subject}`)).status).toBe(201);
  // Each was carried out once, whoever was asked.
  const { text } = await ask('caller-0', '/v2/films?limit=50');
  const titles = (JSON.parse(text) as { data: { title: string }[] }).data.map(({ title }) => title).sort();
  expect(titles).toEqual([...subjects.map((subject) => `Of ${subject}`), 'Two'].sort());
  expect(log.filter((line) => line.includes('origin.databases_differ'))).toEqual([]);
}, 90_000);
