/**
 * An operation is a row and a handler: a release that adds two rows to the table and a file for each handler, and nothing
 * else, serves them through edge and origin. Routes, `Allow`, cache, preconditions and idempotency follow from the rows.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { createFilm } from '../support/film.ts';
import { makeRelease, type Release } from '../support/release.ts';
import { startWorld, type World } from '../support/whole-world.ts';

const table = 'shared/operations/documents.ts';
const rows = `
  aggregate: {
    ...read, at: '/aggregate', summary: 'Counts what a list finds.',
    parse: parseListQuery,
    cached: ({ resource, input }: StateRead<ListQuery>) => ({
      name: \`aggregate \${formatQuery(input)}\`, dependencies: dependenciesOfList(resource, input), keepsAbsence: false,
    }),
  },
  advance: {
    ...write, method: 'POST', at: '/:id', right: 'update', body: 'none', takes: [], summary: 'Moves a film on by a year.',
    parse: parseNone,
  },
  changes: {`;

const aggregate = `
import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

export async function aggregate(access: ReadAccess, call: Call<typeof documents.aggregate>): Promise<StateAnswer> {
  const { value, position } = await access.count(call.input, 100);
  return access.represent([JSON.stringify({ count: value })], { readAt: position });
}`;

const advance = `
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer } from '../call.ts';

export function advance(access: WriteAccess): Promise<Answer> {
  return access.merge((seen) => ({ year: Number(seen()['year']) + 1 }));
}`;

const imports = "import { advance } from './operations/advance.ts';\nimport { aggregate } from './operations/aggregate.ts';\n";

let release: Release;
let world: World;
beforeAll(async () => {
  release = makeRelease([
    [table, '\n  changes: {', rows],
    ['origin/execute.ts', 'import { changes }', `${imports}import { changes }`],
    ['origin/execute.ts', 'import: importRows, changes }', 'import: importRows, aggregate, advance, changes }'],
  ], { 'origin/operations/aggregate.ts': aggregate, 'origin/operations/advance.ts': advance });
  world = await startWorld({ engine: 'sqlite', memoMs: 50 });
  await world.edge.restart({ workerModule: `${release.dir}/edge/worker.ts` });
  await world.origin.stop();
  await world.origin.start({ releaseDir: release.dir });
});
afterAll(async () => {
  await world.close();
  release.remove();
});

test('a state is served, cached under a name of its own, validated, and dropped when what it depends on changes', async () => {
  await createFilm(world, { genres: ['Counted'] });
  const path = '/v1/films/aggregate?genres=Counted';
  const counted = await world.mustHit(path);
  expect(counted.text).toBe('{"count":1}');
  expect((await world.mustHit('/v1/films?genres=Counted')).text).toContain('"data":[');
  expect((await world.request(path, { headers: { 'if-none-match': counted.etag } })).status).toBe(304);
  await createFilm(world, { genres: ['Counted'] });
  await eventually('the new count', async () => (await world.request(path)).text === '{"count":2}');
  expect((await world.request('/v1/films/aggregate?nope=1')).code).toBe('query_invalid');
});

test('an effect is for those whom its rule lets in, on the document as they read it, and once for each key', async () => {
  const { path, answer } = await createFilm(world, { year: 1950 });
  const token = await world.token();
  const ask = (headers: Readonly<Record<string, string>>, given = { token }) => world.request(path, { method: 'POST', headers, ...given });
  expect((await world.request(path, { method: 'POST' })).status).toBe(401);
  expect((await ask({ 'if-match': '"other"' })).status).toBe(412);
  const key = { 'idempotency-key': crypto.randomUUID() };
  const first = await ask({ ...key, 'if-match': answer.etag });
  expect([first.status, first.film.year]).toEqual([200, 1951]);
  const again = await ask({ ...key, 'if-match': answer.etag });
  expect([again.status, again.text]).toEqual([200, first.text]);
  await eventually('the new year', async () => (await world.request(path)).film.year === 1951);
});

test('each place allows what its rows say', async () => {
  const token = await world.token();
  const allowOf = async (path: string, method: string) => (await world.request(path, { method, token })).headers.get('allow');
  expect(await allowOf('/v1/films/aggregate', 'DELETE')).toBe('GET, HEAD, OPTIONS');
  expect(await allowOf('/v1/films/0198c0de-0000-7000-8000-0000000000ee', 'OPTIONS')).toBe('GET, PUT, PATCH, DELETE, POST, HEAD, OPTIONS');
});
