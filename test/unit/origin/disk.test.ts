/** A disk that is full or read-only and a file that is damaged: said in words, nothing half written, healed when it is back. */
import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peopleFileName } from '../../../origin/people/file.ts';
import { readiness } from '../../../origin/readiness.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { served } from '../../../shared/resources/all.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { testThat } from '../../support/needs.ts';
import { toFilm } from '../../support/film.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { fill, makeReadOnly, mayMount, openDisk } from '../../support/small-disk.ts';

const mountTest = testThat(mayMount);
const disposals = disposedAfterEach();

async function openOrigin(dataDir: string): Promise<Pipeline> {
  // The disk is smaller than what an origin wants left of one.
  const origin = await Pipeline.open({ TOMBOLO_DATA_DIR: dataDir, TOMBOLO_DISK_BYTES_MIN: '0' }, served);
  disposals.push(() => origin.context.services.stop(Date.now() + 5_000));
  return origin;
}

const create = (origin: Pipeline, title: string) =>
  origin.ask('/v2/films', { method: 'POST', body: JSON.stringify({ ...toFilm({ title }), cast: ['x'.repeat(200)] }) });
const titles = async (origin: Pipeline): Promise<readonly string[]> => {
  const { data } = (await origin.ask('/v2/films?sort=-year,title&limit=50&fields=title')).json as { data: { title: string }[] };
  return data.map(({ title }) => title).sort();
};

mountTest('a full disk refuses writes by its name, reads go on, nothing is half written, and room heals it unasked', async () => {
  const dataDir = openDisk(16, disposals);
  const origin = await openOrigin(dataDir);
  const acknowledged: string[] = [];
  expect((await create(origin, 'Before')).status).toBe(201);
  acknowledged.push('Before');
  const filling = fill(dataDir);
  const refused = await eventually('a write has no room', async () => {
    const title = `Film ${acknowledged.length}`;
    const answer = await create(origin, title);
    if (answer.status === 201) acknowledged.push(title);
    if (acknowledged.length > 40 || answer.status === 201) throw new Error('there is room');
    return answer;
  }, { everyMs: 0 });
  expect([refused.status, refused.json['code'], refused.json['detail']]).toEqual([503, 'store_unavailable', 'the disk is full']);
  expect(refused.headers.get('retry-after')).toBe('1');
  const unready = await readiness(origin.context.services);
  const { services } = (await unready.json()) as { services: Record<string, unknown> };
  expect([unready.status, services['store']]).toEqual([503, { ready: false, detail: 'nothing can be written: the disk is full' }]);
  expect(await titles(origin)).toEqual(acknowledged.toSorted());
  truncateSync(filling);
  // Nobody writes: being asked whether it is ready is enough.
  await eventually('ready', async () => (await readiness(origin.context.services)).status === 200, { msMax: 2_000 });
  expect((await create(origin, 'After')).status).toBe(201);
  await origin.restart();
  expect(await titles(origin)).toEqual([...acknowledged, 'After'].toSorted());
});

mountTest('people on a full disk are refused by its name, whoever they are, and signed in when there is room', async () => {
  const dataDir = join(openDisk(16, disposals), 'data');
  mkdirSync(dataDir);
  await using world = new PeopleWorld(dataDir, undefined);
  const ada = await world.member('ada@example.com');
  const filling = fill(dataDir);
  const signIn = () => world.person().signIn('ada@example.com', 'correct horse battery');
  const refused = await eventually('a sign-in has no room', async () => {
    const answer = await signIn();
    return answer.status === 200 ? undefined : answer;
  });
  expect([refused.status, refused.json]).toEqual([503, expect.objectContaining({ code: 'store_unavailable', detail: 'the disk is full' })]);
  const asked = { email: 'new@example.com', password: 'correct horse battery', name: 'New' };
  expect((await world.person().post('/auth/sign-up/email', asked)).status).toBe(503);
  rmSync(filling);
  expect((await signIn()).status).toBe(200);
  expect((await ada.get('/auth/token')).status).toBe(200);
});

test('a damaged people\'s file is a start refused in words, and stays as it is', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-disk-'));
  await using world = new PeopleWorld(dataDir, undefined);
  const path = join(dataDir, peopleFileName);
  const damaged = Buffer.alloc(8_192, 0x5a);
  writeFileSync(path, damaged);
  await expect(world.people.opened()).rejects.toThrow(/people\.sqlite[^]*is not ready[^]*damaged[^]*npm run restore/);
  expect(readFileSync(path).equals(damaged)).toBe(true);
});

mountTest('on a read-only disk a start is refused in words', async () => {
  const dataDir = openDisk(16, disposals);
  await (await openSqliteStore({ dataDir, resources: served.stored })).close();
  makeReadOnly(dataDir);
  const starting = openSqliteStore({ dataDir, resources: served.stored });
  await expect(starting).rejects.toThrow(/is not ready[^]*(read-only|EROFS)[^]*npm run doctor/);
});

test('on a damaged file a start is refused in words, and leaves the file as it is', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-disk-'));
  disposals.push(() => rmSync(dataDir, { recursive: true }));
  await (await openSqliteStore({ dataDir, resources: served.stored })).close();
  const path = join(dataDir, 'tombolo.sqlite');
  const damaged = readFileSync(path).fill(0x5a, 0, 4_096);
  writeFileSync(path, damaged);
  await expect(openSqliteStore({ dataDir, resources: served.stored })).rejects.toThrow(/is not ready[^]*damaged[^]*npm run restore/);
  expect(readFileSync(path).equals(damaged)).toBe(true);
});
