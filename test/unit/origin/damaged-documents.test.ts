/** What becomes of documents that other programs made wrong, as the resource says. */
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { type Origin, startOrigin } from '../../../origin/server.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { EventStream } from '../../support/event-stream.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { signHop } from '../../support/signed-hop.ts';
import { withDatabase } from '../../support/store-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-damaged-'));
let origin: Origin;
afterEach(async () => {
  await origin.close();
  rmSync(dir, { recursive: true, force: true });
});

async function open(invalid: 'serve' | 'refuse'): Promise<void> {
  const boats = resource({
    name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string(), masts: z.number() }),
    rules: { read: anyone, write: anyone }, shapes: { all: {} }, live: true, validation: { level: 'off' }, invalid,
  });
  origin = await startOrigin(
    mustSettings({
      TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: dir, TOMBOLO_ORIGIN_PORT: '0', TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9',
      TOMBOLO_LOG_LEVEL: 'silent',
    }),
    { contract: contract(boats) },
  );
}

async function ask(path: string, method = 'GET', json?: object): Promise<Response> {
  const { url, init } = signHop(testKeys, {
    url: `http://127.0.0.1:${origin.port}${path}`,
    method,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return fetch(url, init);
}

const spoil = (doc: string) =>
  withDatabase(join(dir, 'tombolo.sqlite'), (database) => void database.run(`UPDATE boats SET doc = ? WHERE id = 'fram'`, [doc]));
const statusAndCode = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];

test('where they are refused, reads name document and places, feeds leave them out, and a replacement mends them', async () => {
  await open('refuse');
  await ask('/v1/boats', 'POST', { id: 'fram', name: 'Fram', masts: 3 });
  await ask('/v1/boats', 'POST', { id: 'maud', name: 'Maud', masts: 3 });
  const stream = new EventStream(await ask('/v1/boats/changes'));
  await stream.heardFrom();
  spoil('{"name":7,"masts":"secret","more":1}');
  expect([(await stream.next())?.name, (await ask('/v1/boats/maud')).status]).toEqual(['left', 200]);
  const answer = await ask('/v1/boats/fram');
  const problem = (await answer.json()) as { code: string; detail: string };
  expect([answer.status, problem.code, problem.detail]).toEqual([
    500,
    'document_damaged',
    'boats/fram does not fit its schema at /name, /masts; another program wrote it so',
  ]);
  expect(await statusAndCode(await ask('/v1/boats'))).toEqual([500, 'document_damaged']);
  expect((await ask('/v1/boats/fram', 'PUT', { name: 'Fram', masts: 3 })).status).toBe(200);
  expect([(await stream.next())?.name, (await ask('/v1/boats')).status]).toEqual(['entered', 200]);
  await stream.close();
});

test('fields that the schema does not name make none wrong', async () => {
  await open('refuse');
  await ask('/v1/boats', 'POST', { id: 'fram', name: 'Fram', masts: 3 });
  spoil('{"name":"Fram","masts":3,"more":1}');
  expect(await (await ask('/v1/boats/fram')).json()).toEqual({ id: 'fram', name: 'Fram', masts: 3 });
});

test('they are served unless said', async () => {
  await open('serve');
  await ask('/v1/boats', 'POST', { id: 'fram', name: 'Fram', masts: 3 });
  spoil('{"name":7}');
  expect(await (await ask('/v1/boats/fram')).json()).toEqual({ id: 'fram', name: 7 });
});
