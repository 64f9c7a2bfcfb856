/** Operations that go on behind their answer: what is told of them and to whom, what they answer, and every way in which they end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { spool } from '../../../origin/deferred/spool.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { deferredLimits } from '../../../shared/deferred/limits.ts';
import { deferred, deferredParts } from '../../../shared/deferred/resource.ts';
import { prefersAsync } from '../../../shared/deferred/prefer.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { eventually } from '../../support/eventually.ts';
import { principalHeader } from '../../support/signed-hop.ts';
import { Pipeline, type PipelineAnswer, type PipelineAsking } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

const things = resource({
  name: 'things', id: { kind: 'string', format: z.string() }, schema: z.object({ title: z.string(), size: z.int().optional() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

const later = { prefer: 'respond-async' };
const rowsOf = (name: string, count: number) => Array.from({ length: count }, (_, n) => `{"id":"${name}${n}","title":"t"}\n`).join('');

test('the preference is read as RFC 7240 writes it', () => {
  const asks = ['respond-async', 'Respond-Async', 'return=minimal, respond-async; x=1', 'wait=10,respond-async'];
  const asksNot = ['', 'respond', 'x="a, respond-async"', 'respond-asynchronously', 'return=respond-async'];
  expect([...asks, ...asksNot].map(prefersAsync)).toEqual([...asks.map(() => true), ...asksNot.map(() => false)]);
  expect(prefersAsync(null)).toBe(false);
});

describe.each([...engines])('behind its answer on %s', (engine) => {
  let origin: Pipeline;
  beforeAll(async () => void (origin = await Pipeline.on(engine, contract(things))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const begin = async (path: string, asking: PipelineAsking) => {
    const answer = await origin.ask(path, { ...asking, headers: { ...later, ...asking.headers } });
    expect([answer.status, answer.text]).toEqual([202, expect.stringContaining('"state":"waiting"')]);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(answer.headers.get('retry-after')).toBe(String(deferredLimits.retryAfterSeconds));
    return answer.headers.get('location') ?? '';
  };
  const ended = (path: string, asking: PipelineAsking = {}): Promise<PipelineAnswer['json']> => eventually('it ends', async () => {
    const { json } = await origin.ask(path, asking);
    return ['done', 'failed', 'cancelled'].includes(String(json['state'])) ? json : undefined;
  });
  const importLater = (body: string, asking: PipelineAsking = {}) => begin('/v1/things/import', { method: 'POST', body, ...asking });
  const count = async (name: string) =>
    (await origin.ask('/v1/things/export')).text.split('\n').filter((line) => line.includes(`"id":"${name}`)).length;

  test('an import says how far it came, and answers what it answers directly', async () => {
    const body = `${rowsOf('i', 450)}{"id":"bad"}\n`;
    const path = await importLater(body);
    const status = await ended(path);
    expect(status).toMatchObject({
      operation: 'import', resource: 'things', state: 'done', rows: 451, rejected: 1,
      summary: { imported: 450, rejected: 1, lastCommittedRow: 450, complete: true, position: expect.any(String) },
      result: { path: `${path}/result`, mediaType: 'application/x-ndjson' },
    });
    expect(status['problem']).toBeUndefined();
    const result = await origin.ask(`${path}/result`);
    expect(result.headers.get('content-type')).toBe('application/x-ndjson');
    const [rejected, summary] = result.text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject);
    expect(rejected).toMatchObject({ row: 451, code: 'document_invalid' });
    expect(summary).toEqual({ summary: status['summary'] as JsonObject });
    expect(await count('i')).toBe(450);
  });

  test('an export is kept whole, in each of its forms', async () => {
    await origin.ask('/v1/things/import', { method: 'POST', body: rowsOf('e', 1_000).replaceAll('"t"', `"${'ä\u{1f600}'.repeat(200)}"`) });
    for (const format of ['ndjson', 'csv', 'json']) {
      const query = `/v1/things/export?format=${format}`;
      const status = await ended(await begin(query, {}));
      expect(status).toMatchObject({ operation: 'export', state: 'done' });
      const { path, bytes } = status['result'] as { path: string; bytes: number };
      const [result, direct] = [await origin.ask(path), await origin.ask(query)];
      expect(result.headers.get('content-type')).toBe(direct.headers.get('content-type'));
      const withoutPosition = (text: string) => text.replace(/"position":"[^"]*"/, '');
      expect(withoutPosition(result.text) === withoutPosition(direct.text)).toBe(true);
      expect(Buffer.byteLength(result.text)).toBe(bytes);
      expect(bytes).toBeGreaterThan(deferredLimits.partCharacters * 2);
    }
  }, 30_000);

  test('a bulk change answers its results, and one that is refused as a whole its problem', async () => {
    await origin.ask('/v1/things/import', { method: 'POST', body: rowsOf('b', 2) });
    const change = (body: string, query = '') =>
      begin(`/v1/things${query}`, { method: 'PATCH', body, headers: { 'content-type': 'application/json' } });
    const body = '[{"id":"b0","merge":{"title":"new"}},{"id":"none","merge":{"title":"new"}}]';
    const status = await ended(await change(body));
    expect(status).toMatchObject({ operation: 'patchMany', state: 'done', rows: 2, rejected: 1 });
    const { json } = await origin.ask((status['result'] as { path: string }).path);
    expect(json['results']).toMatchObject([{ id: 'b0', status: 200 }, { id: 'none', status: 404 }]);
    const refused = await ended(await change(body, '?atomic=true'));
    expect(refused).toMatchObject({ state: 'failed', problem: { status: 404, code: 'document_not_found' } });
    expect(refused['result']).toBeUndefined();
  });

  test('one idempotency key has one effect, however often it is begun', async () => {
    await origin.ask('/v1/things/import', { method: 'POST', body: rowsOf('k', 1) });
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' };
    const change = () => begin('/v1/things', { method: 'PATCH', body: '[{"id":"k0","merge":{"size":1}}]', headers });
    const results = [];
    for (const path of [await change(), await change()]) {
      expect(await ended(path)).toMatchObject({ state: 'done' });
      results.push((await origin.ask(`${path}/result`)).text);
    }
    expect(results[0]).toBe(results[1] ?? '');
    const both = { ...later, 'idempotency-key': 'a' };
    const answer = await origin.ask('/v1/things/import', { method: 'POST', body: rowsOf('x', 1), headers: both });
    expect([answer.status, answer.json['code']]).toEqual([400, 'idempotency_refused']);
  });

  test('it is its caller’s alone: others learn nothing, an admin its status', async () => {
    const path = await importLater(rowsOf('o', 1));
    await ended(path);
    const asked = async (principal: object, method = 'GET', below = '') => {
      const headers = { 'tombolo-principal': Buffer.from(JSON.stringify(principal)).toString('base64url') };
      return (await origin.ask(`${path}${below}`, { method, headers })).status;
    };
    const eve = { subject: 'eve', roles: ['editor'], claims: {} };
    const admin = { subject: 'root', roles: ['admin'], claims: {} };
    const ofOther = { subject: 'olga', roles: ['admin'], claims: { tenant: 'odeon' } };
    const byKey = { subject: 'ada', roles: [], claims: {}, key: { id: 'a'.repeat(24), scopes: ['*:*'] } };
    for (const principal of [eve, ofOther, byKey]) {
      expect([await asked(principal), await asked(principal, 'GET', '/result'), await asked(principal, 'DELETE')]).toEqual([404, 404, 404]);
    }
    expect([await asked(admin), await asked(admin, 'GET', '/result')]).toEqual([200, 403]);
    expect(await asked({ roles: [], claims: {} })).toBe(401);
    expect((await origin.ask(`${path}/result`)).status).toBe(200);
  });

  test('without a name it is answered directly', async () => {
    const anonymous = Buffer.from(JSON.stringify({ roles: [], claims: {} })).toString('base64url');
    const answer = await origin.ask('/v1/things/import', {
      method: 'POST', body: rowsOf('n', 1), headers: { ...later, 'tombolo-principal': anonymous },
    });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, null]);
  });

  test('cancelled, it ends behind its current batch, and what was committed stays and is told', async () => {
    const path = await importLater(rowsOf('c', 20_000));
    expect((await origin.ask(`${path}/result`)).json['code']).toBe('document_conflict');
    const answer = await origin.ask(path, { method: 'DELETE' });
    expect(answer.status).toBe(202);
    const status = await ended(path);
    expect(status).toMatchObject({ state: 'cancelled', problem: { code: 'operation_cancelled' } });
    const there = await count('c');
    expect(there).toBeLessThan(20_000);
    const summary = status['summary'] as { lastCommittedRow: number } | undefined;
    expect(summary?.lastCommittedRow ?? 0).toBe(there);
  });

  test('one that has ended is forgotten by DELETE, with all that it answered', async () => {
    const path = await importLater(rowsOf('d', 1));
    await ended(path);
    const id = path.split('/').at(-1) ?? '';
    expect(await origin.stored(deferredParts, `${id}-0`)).toBeDefined();
    const answer = await origin.ask(path, { method: 'DELETE' });
    expect([answer.status, answer.json['state']]).toEqual([200, 'done']);
    expect((await origin.ask(path)).status).toBe(404);
    expect([await origin.stored(deferred, id), await origin.stored(deferredParts, `${id}-0`)]).toEqual([undefined, undefined]);
  });

  test('of one caller only so many wait or run at once', async () => {
    const paths = [await importLater(rowsOf('m', 20_000)), await importLater(rowsOf('m', 20_000))];
    const third = await origin.ask('/v1/things/import', { method: 'POST', body: rowsOf('z', 1), headers: later });
    expect([third.status, third.headers.get('retry-after')]).toEqual([429, String(deferredLimits.retryAfterSeconds)]);
    for (const path of paths) await origin.ask(path, { method: 'DELETE' });
    for (const path of paths) await ended(path);
    expect(await count('z')).toBe(0);
  });

  test('an upload that breaks off begins nothing', async () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given, given.enqueue(new TextEncoder().encode(rowsOf('u', 300)))),
    });
    const asked = origin.ask('/v1/things/import', { method: 'POST', stream, headers: later });
    await Bun.sleep(50);
    controller?.error(new Error('gone'));
    expect((await asked).json['code']).toBe('body_malformed');
    expect(await count('u')).toBe(0);
  });

  test('one whose origin said nothing for too long has failed, and nobody goes on with it', async () => {
    const path = await importLater(rowsOf('l', 1));
    await ended(path);
    const id = path.split('/').at(-1) ?? '';
    const stored = await origin.stored(deferred, id);
    const { id: _id, endedAt: _endedAt, ...left } = stored ?? {};
    await origin.put(deferred, id, { ...left, state: 'running', aliveUntil: new Date(Date.now() - 1).toISOString() } as JsonObject);
    expect((await origin.ask(path)).json).toMatchObject({
      state: 'failed', problem: { code: 'operation_interrupted', detail: expect.stringContaining('the origin ended') },
    });
  });

  test('an origin that stops says how far it came, also once another has started', async () => {
    const path = await importLater(rowsOf('s', 20_000));
    await eventually('it runs', async () => ((await origin.ask(path)).json['state'] === 'running' ? true : undefined), { everyMs: 5 });
    await Bun.sleep(50);
    await origin.restart();
    const { json } = await origin.ask(path);
    expect(json).toMatchObject({ state: 'failed', problem: { code: 'operation_interrupted' } });
    expect((json['summary'] as { lastCommittedRow: number }).lastCommittedRow).toBe(await count('s'));
  });

  test('of those that have ended the last twenty are kept, and none past its time', async () => {
    const headers = { 'tombolo-principal': principalHeader('zoe', ['editor']) };
    const paths: string[] = [];
    for (let made = 0; made < deferredLimits.keptOfOneMax + 1; made++) {
      const path = await importLater(rowsOf('t', 1), { headers });
      await ended(path, { headers });
      paths.push(path);
    }
    const statuses = [];
    for (const path of paths) statuses.push((await origin.ask(path, { headers })).status);
    expect(statuses).toEqual([404, ...paths.slice(1).map(() => 200)]);
    const id = paths.at(-1)?.split('/').at(-1) ?? '';
    const { id: _id, ...there } = await origin.stored(deferred, id) ?? {};
    await origin.put(deferred, id, { ...there, keptUntil: new Date(Date.now() - 1).toISOString() } as JsonObject);
    expect((await origin.ask(paths.at(-1) ?? '', { headers })).status).toBe(404);
    expect(await origin.context.deferrals.kept.sweep(Date.now())).toBe(false);
    expect([await origin.stored(deferred, id), await origin.stored(deferredParts, `${id}-0`)]).toEqual([undefined, undefined]);
    expect((await origin.ask(paths.at(-2) ?? '', { headers })).status).toBe(200);
  });

  test('a key that is not there any more ends what it asked for', async () => {
    const principal = { subject: 'ada', roles: [], claims: {}, key: { id: 'b'.repeat(24), scopes: ['things:import'] } };
    const headers = { 'tombolo-principal': Buffer.from(JSON.stringify(principal)).toString('base64url') };
    const path = await importLater(rowsOf('r', 1_000), { headers });
    expect(await ended(path)).toMatchObject({ state: 'failed', problem: { code: 'key_invalid' } });
    expect(await count('r')).toBe(0);
  });
});

describe('an upload that waits for its turn', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-spool-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  const piece = new Uint8Array(1_048_576).fill(7);
  async function* pieces(count: number) {
    for (let given = 0; given < count; given++) yield piece;
  }

  test('is read back as it came, and has no name on the disk', async () => {
    const { chunks, close } = await spool(pieces(3), dataDir);
    expect(readdirSync(dataDir)).toEqual([]);
    let bytes = 0;
    for await (const chunk of chunks) {
      expect(chunk.every((byte) => byte === 7)).toBe(true);
      bytes += chunk.length;
    }
    expect(bytes).toBe(3 * piece.length);
    await close();
  });

  test('has a bound, past which nothing of it is left', async () => {
    const tooMany = spool(pieces(deferredLimits.uploadBytesMax / piece.length + 1), dataDir);
    const detail = expect.stringContaining(`at most ${deferredLimits.uploadBytesMax} bytes`);
    await expect(tooMany).rejects.toMatchObject({ reason: 'body_too_large', detail });
    expect(readdirSync(dataDir)).toEqual([]);
  });
});
