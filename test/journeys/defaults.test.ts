/** `npm run apply` fills in declared defaults and takes them out again, and is killed in the middle of either. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openMongoStore } from '../../origin/store/mongo/mongo-store.ts';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import { openSqliteStore } from '../../origin/store/sqlite/sqlite-store.ts';
import { films } from '../../shared/resources/films.ts';
import { served } from '../../shared/resources/all.ts';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { eventually } from '../support/eventually.ts';
import { openControlledDatabase } from '../support/mongo-database.ts';
import { Program } from '../support/program.ts';

const project = join(import.meta.dir, '../..');

const disposals = disposedAfterEach();

function start(env: Readonly<Record<string, string>>, ...command: readonly string[]): Program {
  const program = new Program([process.execPath, 'run', '--silent', ...command], {
    cwd: project, env: { ...process.env, MONGODB_URI: '', ...env },
  });
  disposals.push(() => program.kill());
  return program;
}

async function run(env: Readonly<Record<string, string>>, ...command: readonly string[]): Promise<string> {
  const program = start(env, ...command);
  const { code } = await program.ended(30_000);
  return code === 0 ? program.output : `${code}: ${program.output}`;
}

/** As somebody left them before the schema named `cast` and `genres`. */
const document = (index: number) => ({ title: `Film ${index}`, year: 1900 + (index % 100), director: { name: 'Ada', awards: [1.5] } });
/** Every other one with spaces, as some programs write JSON. */
const textOf = (index: number) => JSON.stringify(document(index), undefined, index % 2);
const idOf = (index: number) => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;

test('on MongoDB what was filled in stays so, the next one fills in the rest, and all of it is taken out the same way', async () => {
  const { server, uri, foreign, remove } = await openControlledDatabase();
  disposals.push(remove);
  await (await openMongoStore({ uri, resources: served.stored })).close();
  const collection = foreign.collection<{ _id: string }>('films');
  const count = 600;
  await collection.insertMany(Array.from({ length: count }, (_, index) => ({ _id: idOf(index), ...document(index) })));
  const rest = () => collection.find({}, { projection: { cast: 0, genres: 0 }, sort: { _id: 1 } }).toArray();
  const bytes = async () => {
    const raw = await collection.find({}, { raw: true, sort: { _id: 1 } }).toArray();
    return raw.map((each) => Buffer.from(each as unknown as Uint8Array).toString('hex'));
  };
  const found = await bytes();
  const lain = await rest();
  const filled = () => collection.countDocuments({ cast: [], genres: [] });
  const holding = (field: string) => collection.countDocuments({ [field]: [] });
  const stuck = {
    failCommands: ['update'], appName: 'tombolo', namespace: collection.namespace, blockConnection: true, blockTimeMS: 60_000,
    errorCode: 11_602,
  };
  server.failPoint('failCommand', { skip: 350 }, stuck);
  const killed = start({ MONGODB_URI: uri }, 'apply');
  await eventually('some are filled in', async () => (await filled()) > 0);
  await killed.kill();
  server.failPoint('failCommand', 'off', {});
  const half = await filled();
  expect([half > 0, half < count]).toEqual([true, true]);
  const lacking = count - (await holding('cast'));
  expect(await run({ MONGODB_URI: uri }, 'plan', '--full')).toContain(`missing     cast, which has a default: ${lacking} (`);
  expect(await run({ MONGODB_URI: uri }, 'apply')).toContain(`films: ${count - half} documents were given the defaults that they lacked`);
  expect([await filled(), await rest()]).toEqual([count, lain]);
  expect(await run({ MONGODB_URI: uri }, 'apply')).not.toContain('were given');
  server.failPoint('failCommand', { skip: 350 }, stuck);
  const cutShort = start({ MONGODB_URI: uri }, 'apply', '--remove', 'films');
  await eventually('some are taken out', async () => (await holding('cast')) < count);
  await cutShort.kill();
  server.failPoint('failCommand', 'off', {});
  const left = await holding('cast');
  expect([left > 0, left < count]).toEqual([true, true]);
  const planned = await run({ MONGODB_URI: uri }, 'plan', '--remove', 'films');
  expect(planned).toContain(`// taken out of films: cast, filled into ${left} documents, of each where it is still what was filled in`);
  expect(await run({ MONGODB_URI: uri }, 'apply', '--remove', 'films')).toBe(planned);
  expect(await bytes()).toEqual(found);
  expect(await run({ MONGODB_URI: uri }, 'plan', '--remove', 'films')).toContain('nothing was added to films');
}, 90_000);

test('on SQLite, beside an origin that reads, likewise', async () => {
  const dataDir = makeTempDir();
  disposals.push(() => rmSync(dataDir, { recursive: true }));
  const store = await openSqliteStore({ dataDir, resources: served.stored });
  disposals.push(() => store.close());
  const foreign = new Database(join(dataDir, databaseName));
  disposals.push(() => foreign.close());
  foreign.run('PRAGMA busy_timeout = 5000');
  const count = 3_000;
  const insert = foreign.prepare<null, [string, string]>('INSERT INTO films(id, doc) VALUES (?, ?)');
  foreign.transaction(() => Array.from({ length: count }, (_, index) => insert.run(idOf(index), textOf(index))))();
  const counted = (where: string) =>
    foreign.query<{ count: number }, []>(`SELECT count(*) AS count FROM films WHERE ${where}`).get()?.count ?? 0;
  const filled = () => counted(`doc ->> '$.cast' = '[]' AND doc ->> '$.genres' = '[]'`);
  const texts = () => foreign.query<{ doc: string }, []>('SELECT doc FROM films ORDER BY n').all().map(({ doc }) => doc);
  const found = texts();
  const untouched = () => texts().filter((text, index) => text.startsWith(textOf(index).trimEnd().slice(0, -1).trimEnd())).length;
  // Nobody comes past the middle: that write takes an hour.
  const hour = 'WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each LIMIT 100000000000) SELECT count(*) FROM each';
  const stick = () => foreign.run(`CREATE TRIGGER stuck BEFORE UPDATE ON films WHEN OLD.id = '${idOf(count / 2)}' BEGIN ${hour}; END`);
  stick();
  const killed = start({ TOMBOLO_DATA_DIR: dataDir }, 'apply');
  await eventually('some are filled in', () => filled() > 0);
  await killed.kill();
  foreign.run('DROP TRIGGER stuck');
  const half = filled();
  expect([half > 0, half < count, untouched()]).toEqual([true, true, count]);
  expect((await store.get(films, idOf(0), { deadline: Date.now() + 5_000 })).value?.value).toMatchObject({ title: 'Film 0' });
  expect(await run({ TOMBOLO_DATA_DIR: dataDir }, 'plan', '--full')).toContain(`missing     cast, which has a default: ${count - half} (`);
  const applied = await run({ TOMBOLO_DATA_DIR: dataDir }, 'apply');
  expect(applied).toContain(`films: ${count - half} documents were given the defaults that they lacked`);
  expect([filled(), untouched()]).toEqual([count, count]);
  expect((await store.get(films, idOf(count - 1), { deadline: Date.now() + 5_000 })).value?.value).toMatchObject({ cast: [], genres: [] });
  stick();
  const cutShort = start({ TOMBOLO_DATA_DIR: dataDir }, 'apply', '--remove', 'films');
  await eventually('some are taken out', () => filled() < count);
  await cutShort.kill();
  foreign.run('DROP TRIGGER stuck');
  const left = filled();
  expect([left > 0, left < count]).toEqual([true, true]);
  const planned = await run({ TOMBOLO_DATA_DIR: dataDir }, 'plan', '--remove', 'films');
  const json = await run({ TOMBOLO_DATA_DIR: dataDir }, 'plan', '--remove', 'films', '--json');
  const { filled: counts } = JSON.parse(json) as { readonly filled: unknown };
  const none = { count: 0, examples: [] };
  expect(counts).toMatchObject(['cast', 'genres'].map((path) => ({ path, documents: left, changed: none, gone: 0, refused: none })));
  expect(planned).toContain(`// taken out of films: cast, filled into ${left} documents, of each where it is still what was filled in`);
  expect(await run({ TOMBOLO_DATA_DIR: dataDir }, 'apply', '--remove', 'films')).toBe(planned);
  expect(texts()).toEqual(found);
  expect(await run({ TOMBOLO_DATA_DIR: dataDir }, 'plan', '--remove', 'films')).toContain('nothing was added to films');
}, 90_000);
