/** `npm run origin -- --processes N`: replaced one after another under load, killed, past their memory, stopped. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOf } from '../../origin/dev/processes.ts';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { mustSamples } from '../support/openmetrics.ts';
import { onPath, testThat } from '../support/needs.ts';
import { ProcessFleet } from '../support/process-fleet.ts';
import { Program } from '../support/program.ts';
import { expectReplacedUnderLoad } from '../support/rolled-under-load.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { principalHeader, send, signHop } from '../support/signed-hop.ts';

const project = join(import.meta.dir, '../..');
const writer = { 'tombolo-principal': principalHeader('eve', ['editor']), 'content-type': 'application/json' };
let fleet: ProcessFleet;
const variables = { TOMBOLO_PROCESS_BYTES_MAX: String(1_000_000_000) };
beforeAll(async () => void (fleet = await ProcessFleet.start('mongodb', 2, { variables })), 60_000);
afterAll(() => fleet[Symbol.asyncDispose]());

const get = (path: string) => signHop(testKeys, { url: `${fleet.url}${path}` });

test('20 000 questions of clients that never retry are answered while each process is replaced, again and again', async () => {
  await expectReplacedUnderLoad(fleet, { wanted: 20_000, rollsMin: 2 });
}, 240_000);

test('followers are told to come back while each process is replaced, and miss nothing', async () => {
  const film = '01890a5d-ac96-774b-bcce-b302099a8057';
  const review = (text: string) => send(signHop(testKeys, {
    url: `${fleet.url}/v2/reviews`, method: 'POST', headers: writer,
    body: JSON.stringify({ film, author: 'eve', status: 'published', rating: 4, text }),
  }));
  const heard: string[][] = [];
  let [opened, isOver] = [0, false];
  const follow = async (texts: string[]): Promise<void> => {
    for (let lastId = ''; !isOver;) {
      const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) };
      const { url, init } = signHop(testKeys, { url: `${fleet.url}/v2/reviews/changes`, headers });
      const stream = new EventStream(await fetch(url, { ...init, keepalive: false }));
      if (await stream.heardFrom() !== '') opened++;
      for (let event = await stream.next(); event !== undefined && event.name !== 'reconnect'; event = await stream.next()) {
        if (event.name !== 'created') throw new Error(`heard ${event.name}`);
        texts.push((JSON.parse(event.data) as { text: string }).text);
        lastId = event.id;
      }
      lastId = stream.lastId;
      await stream.close();
    }
  };
  const following = Array.from({ length: 6 }, async () => {
    const texts: string[] = [];
    heard.push(texts);
    await follow(texts);
  });
  await eventually('all follow', () => opened === 6);
  const written: string[] = [];
  const roll = fleet.roll();
  let rolled = false;
  void roll.then(() => (rolled = true));
  while (!rolled || written.length < 50) {
    const text = `Review ${written.length}`;
    expect((await review(text)).status).toBe(201);
    written.push(text);
    await Bun.sleep(10);
  }
  await eventually('all have heard all', () => heard.every((texts) => texts.length >= written.length));
  for (const texts of heard) expect(texts).toEqual(written);
  // Each came back to the other process at least once.
  expect(opened).toBeGreaterThanOrEqual(12);
  isOver = true;
  await fleet.roll();
  await Promise.all(following);
}, 60_000);

test('one that is killed is followed by another, and the port for operators tells of all', async () => {
  const [victim] = await fleet.processes();
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await eventually('another in its place', async () => {
    const serving = (await fleet.processes()).filter(({ serves }) => serves);
    return serving.length === 2 && serving.every(({ pid }) => pid !== victim?.pid);
  }, { msMax: 20_000 });
  expect((await send(get('/v2/films?limit=1'))).status).toBe(200);
  expect(fleet.program.output).toContain('a process ended unasked');
  const samples = mustSamples(await (await fetch(`http://127.0.0.1:${fleet.operatorsPort}/metrics`)).text());
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  expect(of('tombolo_processes').map(({ value }) => value)).toEqual([2]);
  expect(of('tombolo_processes_replaced_total').find(({ labels }) => labels['cause'] === 'ended')?.value).toBe(1);
  const stores = of('tombolo_service_ready').filter(({ labels }) => labels['service'] === 'store');
  expect(stores.map(({ labels }) => Number(labels['process'])).sort()).toEqual((await fleet.processes()).map(({ process }) => process));
});

testThat(onPath('curl'))('its commands answer as README prints', async () => {
  const [, section = ''] = readFileSync(join(project, 'README.md'), 'utf8').split('### Several processes\n');
  const [, , script = ''] = /```sh\n([^]*?)```[^]*?```sh\n([^]*?)```/.exec(section) ?? [];
  const before = (await fleet.processes()).map(({ pid }) => pid);
  const rolled = fleet.rolled();
  // Not waited for in one piece: their database is in this process.
  const shell = Bun.spawn(['sh', '-ec', script.replaceAll('127.0.0.1:9464', `127.0.0.1:${fleet.operatorsPort}`)]);
  const said = await new Response(shell.stdout).text();
  expect(said).toMatch(/^\{"status":"ready","supervisor":\d+,"processes":\[\{"process":\d+,"pid":\d+,"serves":true,"bytes":\d+,/);
  expect(said).toMatch(/^tombolo_processes 2$/m);
  expect(said.match(/^tombolo_service_ready\{service="store",process="\d"\} 1$/gm)).toHaveLength(2);
  await rolled;
  expect((await fleet.processes()).filter(({ pid }) => before.includes(pid))).toEqual([]);
}, 60_000);

test('processes of a supervisor that is killed end in order, and the next one waits for their port', async () => {
  const pids = (await fleet.processes()).map(({ pid }) => pid);
  process.kill(fleet.program.pid, 'SIGKILL');
  await fleet.program.ended();
  await fleet.again();
  await eventually('they have ended', () => pids.every((pid) => nameOf(pid) === undefined));
  expect((await send(get('/v2/films?limit=1'))).status).toBe(200);
}, 60_000);

test('a stop ends all of them within ten seconds', async () => {
  const pids = (await fleet.processes()).map(({ pid }) => pid);
  fleet.program.signal('SIGTERM');
  const { code, ms } = await fleet.program.ended();
  expect([code, ms < 10_000]).toEqual([0, true]);
  expect(pids.filter((pid) => nameOf(pid) !== undefined)).toEqual([]);
}, 30_000);

test('one that is past its memory is replaced, on SQLite too', async () => {
  await using heavy = await ProcessFleet.start('sqlite', 1, { variables: { TOMBOLO_PROCESS_BYTES_MAX: '67108864' } });
  const [first] = await heavy.processes();
  await heavy.program.says(/past its memory and is replaced.*\n(?:.*\n)*.*a process was replaced/, 40_000);
  const [second, ...more] = (await heavy.processes()).filter(({ serves }) => serves);
  expect([second?.pid === first?.pid, more.length]).toEqual([false, 0]);
}, 90_000);

test.each([
  ['0', {}, '--processes: must be a whole number from 1 to 64'],
  ['many', {}, '--processes: must be a whole number from 1 to 64'],
  ['2', { TOMBOLO_ORIGIN_PORT: '0', MONGODB_URI: 'mongodb://127.0.0.1:1' }, 'TOMBOLO_ORIGIN_PORT: is 0'],
])('--processes %s with %p does not start', async (count, variables, why) => {
  const program = new Program([process.execPath, join(project, 'origin/main.ts'), '--processes', count], {
    cwd: project, env: { ...process.env, MONGODB_URI: '', TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: makeTempDir(), ...variables },
  });
  expect((await program.ended()).code).toBe(78);
  expect(program.output).toContain(why);
});

test('edge and origin as one process take no such option', async () => {
  const program = new Program([process.execPath, join(project, 'origin/one-process/main.ts'), '--processes', '2'], {
    cwd: project, env: { ...process.env, MONGODB_URI: '', TOMBOLO_DATA_DIR: makeTempDir() },
  });
  expect((await program.ended()).code).toBe(78);
  expect(program.output).toContain('--processes: there are no options');
});
