/** `npm run backup` and `npm run restore` as people run them, before caches and feeds that know what was there. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { createFilm, patchFilm } from '../support/film.ts';
import { Program } from '../support/program.ts';
import { startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

const project = join(import.meta.dir, '../..');

let world: World;
let into: string;
beforeEach(() => void (into = mkdtempSync(join(tmpdir(), 'tombolo-backups-'))));
afterEach(async () => {
  await world.close();
  rmSync(into, { recursive: true, force: true });
});

function start(command: 'backup' | 'restore', options: readonly string[], more: Readonly<Record<string, string>> = {}): Program {
  const env = { ...process.env, MONGODB_URI: '', TOMBOLO_DATA_DIR: world.dataDir, ...more };
  return new Program([process.execPath, `origin/database/${command}.ts`, ...options], { cwd: project, env });
}

async function run(...given: Parameters<typeof start>): Promise<{ readonly code: number; readonly text: string }> {
  const child = start(...given);
  const { code } = await child.ended();
  return { code, text: child.output };
}

const follow = async (headers: Readonly<Record<string, string>> = {}): Promise<EventStream> =>
  new EventStream(await fetch(`${world.edge.url}/v2/reviews/changes`, { headers: { accept: 'text/event-stream', ...headers } }));

const review = async (text: string): Promise<void> => {
  const json = { film: '01890a5d-ac96-774b-bcce-b302099a8057', author: 'alice', status: 'published', rating: 4, text };
  expect((await world.request('/v2/reviews', { token: await world.token(), json })).status).toBe(201);
};

describe.each(worldsOfBoth)('a restored backup on %s in %s', (engine, stack) => {
  beforeEach(async () => void (world = await startWorld({ engine, stack })));

  test('is what everybody sees: no document, list, count or feed answers from before', async () => {
    const { path } = await createFilm(world, { title: 'Backed up', genres: ['Western'] });
    const putBack = await backup();
    await patchFilm(world, path, { title: 'Lost' });
    await createFilm(world, { title: 'Lost too', genres: ['Western'] });
    const stream = await follow();
    await review('Lost');
    const lastId = (await stream.next())?.id ?? '';
    await stream.close();
    const list = '/v2/films?genres=Western&sort=-year,title&count=exact&fields=title';
    // What the edge has of the time before is warm.
    await eventually('all of it', async () => (await world.request(list)).page.page.total === 2);
    expect((await world.mustHit(list)).page.page.total).toBe(2);
    expect((await world.mustHit(path)).film.title).toBe('Lost');

    await world.origin.stop();
    await putBack();
    await world.origin.start();

    // The edge tells of an outage by its own copies until the origin answers it again.
    await eventually('the restored document', async () => (await world.request(path)).film.title === 'Backed up');
    for (let reads = 0; reads < 10; reads++) {
      expect((await world.request(path)).film.title).toBe('Backed up');
      const { data, page } = (await world.request(list)).page;
      expect([data.map(({ title }) => title), page.total]).toEqual([['Backed up'], 1]);
    }
    expect((await world.mustHit(path)).film.title).toBe('Backed up');
    expect((await world.mustHit(list)).page.page.total).toBe(1);
    const again = await follow({ 'last-event-id': lastId });
    expect((await again.next())?.name).toBe('resync');
    await again.close();
  });

  /** By this project's commands; before MongoDB by others' tools, and the command that follows them. */
  async function backup(): Promise<() => Promise<void>> {
    if (engine === 'mongodb') {
      const [putBack, uri] = [await world.foreign.backup(), 'uri' in world.foreign ? String(world.foreign.uri) : ''];
      expect(await run('backup', [into], { MONGODB_URI: uri })).toMatchObject({ code: 78, text: expect.stringContaining('mongodump') });
      return async () => {
        await putBack();
        expect((await run('restore', ['x'], { MONGODB_URI: uri })).code).toBe(64);
        expect(await run('restore', [], { MONGODB_URI: uri })).toMatchObject({ code: 0, text: expect.stringMatching(/^epoch \w+ begins/) });
      };
    }
    const { code, text } = await run('backup', [into, '--json']);
    expect(code).toBe(0);
    const { path, documents } = JSON.parse(text) as { path: string; documents: Record<string, number> };
    expect(documents['films']).toBe(1);
    expect(await run('restore', [path])).toMatchObject({ code: 78, text: expect.stringContaining('an origin runs on it') });
    return async () => {
      const { code, text } = await run('restore', [path]);
      const [, aside = ''] = /in a new epoch; what was there is in (.*)$/m.exec(text) ?? [];
      expect([code, text]).toEqual([0, expect.stringContaining(aside)]);
      expect(existsSync(join(aside, 'tombolo.sqlite'))).toBe(true);
    };
  }
});

test('one is taken every second, two stay, and each of them is whole', async () => {
  world = await startWorld({ engine: 'sqlite', stack: 'one process' });
  const child = start('backup', [into, '--every', '1s', '--keep', '2']);
  await child.says(/(?:whole[^]*){3}removed 1 older/, 15_000);
  child.signal('SIGTERM');
  expect((await child.ended()).code).toBe(0);
  const kept = readdirSync(into).filter((name) => name.endsWith('.sqlite'));
  expect(kept).toHaveLength(2);
  await world.origin.stop();
  for (const name of kept) expect((await run('restore', [join(into, name)])).code).toBe(0);
});

test('what was deleted by mistake is back as of a moment before it, by a backup that was taken after', async () => {
  world = await startWorld({ engine: 'sqlite', stack: 'one process' });
  const { path } = await createFilm(world, { title: 'Kept' });
  const before = new Date(Date.now() + 1);
  await Bun.sleep(2);
  await patchFilm(world, path, { title: 'Overwritten' });
  await createFilm(world, { title: 'New' });
  await world.foreign.remove('films', path.split('/').at(-1) ?? '');
  await eventually('it is gone', async () => (await world.request(path)).status === 404);
  expect((await run('backup', [into])).code).toBe(0);
  await world.origin.stop();
  const refused = [['yesterday', 64, '--at yesterday is no moment'], ['2026-01-01T00:00:00Z', 65, 'no further back']] as const;
  for (const [at, code, said] of refused) {
    expect(await run('restore', [into, '--at', at])).toMatchObject({ code, text: expect.stringContaining(said) });
  }
  const { code, text } = await run('restore', [into, '--at', before.toISOString()]);
  expect([code, text]).toEqual([0, expect.stringMatching(/films 1,.*, as of .*, with \d+ changes of after it undone, in a new epoch/)]);
  const late = await run('restore', [into, '--at', new Date().toISOString()]);
  expect(late).toMatchObject({ code: 65, text: expect.stringContaining('has none of after') });
  await world.origin.start();
  await eventually('it is back', async () => (await world.request(path)).film?.title === 'Kept');
});

test.each([
  [['a', 'b'], 64, 'one folder is enough'], [['--every', '1w'], 64, '--every takes'], [['--keep', '0'], 64, '--keep takes'],
  [['--fast'], 64, '--fast'],
])('a backup asked for by %j is refused in words', async (options, code, said) => {
  world = await startWorld({ engine: 'sqlite', stack: 'one process' });
  expect(await run('backup', options)).toMatchObject({ code, text: expect.stringContaining(said) });
});
