/**
 * An operation is a row and a handler, a module one word in the list of modules: a release that adds a row to the table of
 * documents, a second module of two rows, and a file for each handler, and nothing else, serves them through edge and
 * origin. Routes, `Allow`, cost, cache, preconditions and idempotency follow from the rows.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { createFilm } from '../support/film.ts';
import { makeRelease, type Release } from '../support/release.ts';
import { unitsLeft } from '../support/units-left.ts';
import { startWorld, type World } from '../support/whole-world.ts';

const table = 'shared/operations/documents.ts';
const rows = `
  tally: {
    ...read, at: '/tally', summary: 'Counts what a list finds.',
    parse: parseListQuery,
    cached: ({ resource, input }: StateRead<ListQuery>) => ({
      name: \`tally \${formatQuery(input)}\`, dependencies: dependenciesOfList(resource, input), keepsAbsence: false,
    }),
  },
  changes: {`;

/** A module with an operation on a document, and one on a path of its own. */
const years = `
import { dependenciesOfList } from '../contract/dependencies.ts';
import { formatQuery, type ListQuery, parseListQuery } from '../contract/query.ts';
import type { Resource } from '../contract/resource.ts';
import { operations, type StateRead } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';

const short = {
  bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, body: 'none', takes: [], gives: ['application/json'],
} as const;
const move = {
  ...short, method: 'POST', answers: 'effect', right: 'update', carries: ['idempotency-key', 'if-match', 'if-none-match'],
  conditions: 'change',
  offered: ({ fields }: Resource) => fields.has('year'),
  parse: (_resource: Resource, query: string) => mustBeWithoutParameters(query),
} as const;

export const years = {
  operations: operations({
    advance: { ...move, at: '/:id/advance', cost: 7, summary: 'Moves a film on by a year.' },
    retreat: { ...move, at: '/:id/retreat', cost: 1, summary: 'Moves a film back by a year.' },
    span: {
      ...short, method: 'GET', at: { path: '/years/of/films/span', about: 'films' }, answers: 'state', right: 'read', cost: 1,
      summary: 'Counts films between two years.', carries: ['if-match', 'if-none-match'], conditions: 'read',
      parse: parseListQuery,
      cached: ({ resource, input }: StateRead<ListQuery>) => ({
        name: \`span \${formatQuery(input)}\`, dependencies: dependenciesOfList(resource, input), keepsAbsence: false,
      }),
    },
  }),
};`;

const span = `
import type { years } from '../../shared/years/module.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

export async function span(access: ReadAccess, call: Call<typeof years.operations.span>): Promise<StateAnswer> {
  const { value, position } = await access.count(call.input, 100);
  return access.represent([JSON.stringify({ films: value.count })], { readAt: position });
}`;

const tally = `
import type { documents } from '../../shared/operations/documents.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Call, StateAnswer } from '../call.ts';

export async function tally(access: ReadAccess, call: Call<typeof documents.tally>): Promise<StateAnswer> {
  const { value, position } = await access.count(call.input, 100);
  return access.represent([JSON.stringify({ count: value.count })], { readAt: position });
}`;

const advance = `
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer } from '../call.ts';

export function advance(access: WriteAccess): Promise<Answer> {
  return access.merge((seen) => ({ year: Number(seen()['year']) + 1 }));
}

export function retreat(access: WriteAccess): Promise<Answer> {
  return access.merge((seen) => ({ year: Number(seen()['year']) - 1 }));
}`;

const imports = [
  "import { advance, retreat } from './operations/advance.ts';", "import { tally } from './operations/tally.ts';",
  "import { span } from './operations/span.ts';", '',
].join('\n');

let release: Release;
let world: World;
beforeAll(async () => {
  release = makeRelease([
    [table, '\n  changes: {', rows],
    ['origin/execute.ts', 'import { changes }', `${imports}import { changes }`],
    ['origin/execute.ts', 'export: exportRows, changes,', 'export: exportRows, tally, advance, retreat, span, changes,'],
    ['shared/modules.ts', '/operations/module.ts\';', "/operations/module.ts';\nimport { years } from './years/module.ts';"],
    ['shared/modules.ts', 'operations: documents },', 'operations: documents },\n  years,'],
  ], {
    'origin/operations/tally.ts': tally, 'origin/operations/advance.ts': advance, 'origin/operations/span.ts': span,
    'shared/years/module.ts': years,
  });
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
  const path = '/v2/films/tally?genres=Counted';
  const counted = await world.mustHit(path);
  expect(counted.text).toBe('{"count":1}');
  expect((await world.mustHit('/v2/films?genres=Counted')).text).toContain('"data":[');
  expect((await world.request(path, { headers: { 'if-none-match': counted.etag } })).status).toBe(304);
  await createFilm(world, { genres: ['Counted'] });
  await eventually('the new count', async () => (await world.request(path)).text === '{"count":2}');
  expect((await world.request('/v2/films/tally?nope=1')).code).toBe('query_invalid');
});

test('an effect of a second module is for whom its rule lets in, on the document as they read it, once for each key', async () => {
  const { path, answer } = await createFilm(world, { year: 1950 });
  const token = await world.token();
  const ask = (headers: Readonly<Record<string, string>>, action = 'advance') =>
    world.request(`${path}/${action}`, { method: 'POST', headers, token });
  expect((await world.request(`${path}/advance`, { method: 'POST' })).status).toBe(401);
  expect((await ask({ 'if-match': '"other"' })).status).toBe(412);
  const key = { 'idempotency-key': crypto.randomUUID() };
  const first = await ask({ ...key, 'if-match': answer.etag });
  expect([first.status, first.film.year]).toEqual([200, 1951]);
  const again = await ask({ ...key, 'if-match': answer.etag });
  expect([again.status, again.text]).toEqual([200, first.text]);
  // The same key on another path is another's.
  expect((await ask({ ...key, 'if-match': first.etag }, 'retreat')).film.year).toBe(1950);
  await eventually('the new year', async () => (await world.request(path)).film.year === 1950);
});

test('an effect costs what its row says', async () => {
  const { path } = await createFilm(world, { year: 1960 });
  const token = await world.token();
  const left = async (action: string, method: string) => unitsLeft((await world.request(`${path}${action}`, { method, token })).headers);
  const before = await left('', 'GET');
  expect(before - (await left('/advance', 'POST'))).toBe(7);
});

test('a state on a path of a module has its own, is cached, and is dropped when what it depends on changes', async () => {
  await createFilm(world, { genres: ['Spanned'] });
  const path = '/v2/years/of/films/span?genres=Spanned';
  const counted = await world.mustHit(path);
  expect(counted.text).toBe('{"films":1}');
  expect((await world.request(path, { headers: { 'if-none-match': counted.etag } })).status).toBe(304);
  await createFilm(world, { genres: ['Spanned'] });
  await eventually('the new count', async () => (await world.request(path)).text === '{"films":2}');
  expect((await world.request(`${path}&nope=1`)).code).toBe('query_invalid');
});

test('each place allows what its rows say, and there are no others', async () => {
  const token = await world.token();
  const id = '0198c0de-0000-7000-8000-0000000000ee';
  const allowOf = async (path: string, method: string) => (await world.request(path, { method, token })).headers.get('allow');
  expect(await allowOf('/v2/films/tally', 'DELETE')).toBe('GET, HEAD, OPTIONS');
  expect(await allowOf(`/v2/films/${id}`, 'OPTIONS')).toBe('GET, PUT, PATCH, DELETE, HEAD, OPTIONS');
  expect(await allowOf(`/v2/films/${id}/advance`, 'OPTIONS')).toBe('POST, OPTIONS');
  expect(await allowOf(`/v2/films/${id}/advance`, 'GET')).toBe('POST, OPTIONS');
  expect(await allowOf('/v2/years/of/films/span', 'POST')).toBe('GET, HEAD, OPTIONS');
  const none = [`/v2/films/${id}/none`, `/v2/films/${id}/advance/`, '/v2/films/import/advance', `/v2/places/${id}/advance`, '/v2/years'];
  for (const path of none) expect([path, (await world.request(path, { method: 'POST', token })).code]).toEqual([path, 'route_not_found']);
});

test('the description of the API has what was added, as the rows say it', async () => {
  const { paths } = JSON.parse((await world.request('/openapi.json')).text) as { paths: Record<string, Record<string, object>> };
  expect(paths['/v2/films/tally']?.['get']).toMatchObject({ operationId: 'films.tally', summary: 'Counts what a list finds.' });
  expect(paths['/v2/films/{id}/advance']?.['post']).toMatchObject({
    summary: 'Moves a film on by a year.', description: expect.stringContaining('Costs 7 units'), security: [{ bearer: [] }],
  });
  expect(paths['/v2/years/of/films/span']?.['get']).toMatchObject({ operationId: 'films.span' });
  expect(Object.keys(paths)).not.toContain('/v2/places/{id}/advance');
});
