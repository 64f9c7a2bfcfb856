/** Tombolo started, as people start it, beside a program whose database it is. */
import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { fillShop, wholeOf } from '../support/foreign-shop.ts';
import { freePort } from '../support/free-port.ts';
import { type MongoDatabase, openMongoDatabase } from '../support/mongo-database.ts';
import { Program } from '../support/program.ts';

const project = join(import.meta.dir, '../..');
const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-guest-'));
const [edgePort, originPort] = [freePort(), freePort()];
const keys = `k1:${Buffer.alloc(32, 7).toString('base64url')}`;

let program: Program | undefined;
let database: MongoDatabase | undefined;
afterEach(async () => {
  await program?.kill();
  await database?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Beside {
  readonly before: string;
  readonly shop: MongoDatabase;
}

async function start(script: string, more: Readonly<Record<string, string>>): Promise<Beside> {
  const shop = (database = await openMongoDatabase());
  await fillShop(shop.foreign);
  const before = await wholeOf(shop.foreign);
  const ports = { TOMBOLO_EDGE_PORT: String(edgePort), TOMBOLO_ORIGIN_PORT: String(originPort) };
  const env = { ...process.env, CI: undefined, TOMBOLO_DATA_DIR: dataDir, ...ports, MONGODB_URI: shop.uri, ...more };
  program = new Program([process.execPath, 'run', script], { cwd: project, env });
  return { before, shop };
}

async function stop(): Promise<void> {
  program?.signal('SIGTERM');
  await program?.ended();
}

const ready = async () => (await (await fetch(`http://127.0.0.1:${originPort}/ready`)).json()) as {
  readonly status: string;
  readonly services: { readonly store: { readonly pending?: readonly string[]; readonly detail?: string } };
};

test('in development, even asked to seed, it serves what it can, names what is pending, and changes nothing', async () => {
  const { before, shop } = await start('start', { TOMBOLO_SEED: '1' });
  await program?.says(/^tombolo ready/m);
  expect(program?.output).toContain('npm run plan');
  expect(program?.output).not.toContain('put its sample');
  const answer = await fetch(`http://127.0.0.1:${edgePort}/v2/films?sort=title`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  const problem = { type: 'urn:tombolo:problem:shape_not_ready', detail: expect.stringContaining('films: index') };
  expect(await answer.json()).toMatchObject(problem);
  expect((await ready()).services.store.pending).toContain('orders: images');
  await stop();
  expect(await wholeOf(shop.foreign)).toBe(before);
});

test('in production it is ready, names what is pending in its log and at /ready, and changes nothing', async () => {
  const { before, shop } = await start('origin', {
    TOMBOLO_ENV: 'production', TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'https://api.example.invalid',
  });
  await program?.says(/listening on port/);
  await eventually('it is ready', async () => (await ready()).status === 'ready');
  expect(program?.output).toContain('reviews: index');
  expect((await ready()).services.store.pending).toContain('tombolo_meta: collection');
  await stop();
  expect(await wholeOf(shop.foreign)).toBe(before);
});

test('npm run plan prints what is pending and changes nothing; npm run apply does it, and the origin serves it', async () => {
  const { before, shop } = await start('origin', { TOMBOLO_KEYS: keys });
  await program?.says(/listening on port/);
  const run = async (...command: readonly string[]) => {
    const child = new Program([process.execPath, 'run', '--silent', ...command], {
      cwd: project, env: { ...process.env, MONGODB_URI: shop.uri },
    });
    return { code: (await child.ended()).code, text: child.output };
  };
  const { steps, documents } = JSON.parse((await run('plan', '--json')).text) as { readonly steps: unknown; readonly documents: unknown };
  expect(steps).toContainEqual(expect.objectContaining({ name: 'orders: images', documents: 3 }));
  expect(documents).toContainEqual(expect.objectContaining({ resource: 'orders', documents: 3, isComplete: true, fitting: 0 }));
  const toDo = (await run('plan')).text;
  expect(toDo).toMatch(/\nsteps: \d+ \(\d+ on .*orders.*, \d+ on Tombolo's own small collections\); npm run apply does them/);
  expect(toDo).toContain('db.runCommand({"collMod":"orders","changeStreamPreAndPostImages":{"enabled":true}})');
  expect(await wholeOf(shop.foreign)).toBe(before);
  expect((await run('apply')).code).toBe(0);
  await eventually('nothing is pending', async () => (await ready()).services.store.pending === undefined);
  // What is tried again once a second is told once for each reason.
  const troubles = program?.output.match(/"reason":.*could not be looked through/g) ?? [];
  expect(troubles).toHaveLength(new Set(troubles).size);
  expect(troubles).not.toBeEmpty();
  expect((await ready()).services.store.detail).toStartWith('stored documents are not');
  expect((await run('plan')).text).toContain('has all that the declaration asks for');
  const planned = (await run('plan', '--remove', 'orders')).text;
  expect(planned).toContain('db.runCommand({"dropIndexes":"orders"');
  const { commands } = JSON.parse((await run('plan', '--remove', 'orders', '--json')).text) as { readonly commands: readonly unknown[] };
  const [told, ...dropped] = planned.trim().split('\n').reverse();
  expect(told).toBe('// taken out of orders: status, filled into 1 documents, of each where it is still what was filled in');
  expect(commands).toHaveLength(dropped.length);
  expect(await run('apply', '--remove', 'orders')).toEqual({ code: 0, text: planned });
  expect((await shop.foreign.collection('orders').indexes()).map(({ name }) => name)).toEqual(['_id_', 'one each']);
  const isPending = async () => (await ready()).services.store.pending?.includes('orders: images') === true;
  await eventually('what was taken out is pending', isPending);
  expect((await run('apply', '--remove', 'orders')).text).toContain('nothing was added to orders');
  // As npm passes it on where somebody forgot the two dashes.
  expect(await run('apply', 'orders')).toMatchObject({ code: 64, text: expect.stringContaining('Nothing was done') });
  await stop();
}, 60_000);
