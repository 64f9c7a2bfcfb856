/** Two versions of one API: what v1 says of films is v1's, whichever way it is asked for, and what it writes is v2's (SEMANTICS §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer } from '../support/answer.ts';
import { eventually } from '../support/eventually.ts';
import { toFilm } from '../support/film.ts';
import { startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

const image = { url: 'https://example.org/a.jpg', width: 30, height: 40 };
const thumbnails = { thumbnail: image.url, thumbnail_width: 30, thumbnail_height: 40 };

describe.each(worldsOfBoth)('versions on %s in %s', (engine, stack) => {
  let world: World;
  let token: string;
  beforeAll(async () => {
    world = await startWorld({ engine, stack, onEdgeLog: (line) => log.push(line) });
    token = await world.token();
  });
  afterAll(() => world.close());
  const log: string[] = [];

  const create = async (members: JsonObject, version = 'v2'): Promise<{ id: string; path: string; etag: string }> => {
    const answer = await world.request(`/${version}/films`, { token, json: { ...toFilm(), ...members } });
    if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`);
    return { id: answer.film.id, path: `/films/${answer.film.id}`, etag: answer.etag ?? '' };
  };
  const json = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<JsonObject> =>
    JSON.parse((await world.request(path, { token, headers })).text) as JsonObject;
  const patch = (path: string, body: JsonObject, headers: Readonly<Record<string, string>> = {}) =>
    world.request(path, {
      method: 'PATCH', token, headers: { 'content-type': 'application/merge-patch+json', ...headers }, body: JSON.stringify(body),
    });

  test('show a film each in its own words, however the version is named', async () => {
    const { path } = await create({ image });
    const media = 'application/vnd.tombolo.v1+json';
    const old = await json(`/v1${path}`);
    expect(old).toMatchObject(thumbnails);
    expect(old).not.toHaveProperty('image');
    for (const [target, headers] of [
      [path, { 'api-version': 'v1' }], [path, { accept: media }], [`${path}?version=v1`, {}],
      [`/v1${path}?version=v1`, { 'api-version': 'v1', accept: `text/html;q=0.1, ${media}` }],
    ] as const) {
      const answer = await world.request(target, { headers });
      expect([target, answer.status, JSON.parse(answer.text), answer.headers.get('api-version')]).toEqual([target, 200, old, 'v1']);
      if ('accept' in headers) expect(answer.headers.get('content-type')).toBe(media);
      else expect(answer.headers.get('content-type')).toBe('application/json');
      if (target.startsWith('/films')) expect(answer.headers.get('vary')).toContain('API-Version');
    }
    for (const target of [path, `/v2${path}`, `${path}?version=v2`]) {
      const answer = await world.request(target);
      expect([target, JSON.parse(answer.text), answer.headers.get('api-version')]).toMatchObject([target, { image }, 'v2']);
    }
  });

  test('are refused where two names disagree, or name none that there is', async () => {
    const refused = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
      const answer = await world.request(path, { headers });
      return [answer.status, (JSON.parse(answer.text) as { code: string }).code];
    };
    expect(await refused('/v1/films', { 'api-version': 'v2' })).toEqual([400, 'version_conflict']);
    expect(await refused('/films?version=v1', { accept: 'application/vnd.tombolo.v2+json' })).toEqual([400, 'version_conflict']);
    expect(await refused('/films', { 'api-version': '1' })).toEqual([404, 'version_unknown']);
    expect(await refused('/v7/films')).toEqual([404, 'version_unknown']);
    expect(await refused('/films?version=v1&version=v1')).toEqual([400, 'query_invalid']);
    expect(await refused('/v1/nothing')).toEqual([404, 'route_not_found']);
  });

  test('take writes in their own words', async () => {
    const made = await create(thumbnails, 'v1');
    expect(await json(`/v2${made.path}`)).toMatchObject({ image });
    const after = ({ position }: Answer) => ({ 'tombolo-position': position });
    const answer = await patch(`/v1${made.path}`, { thumbnail_width: 31 });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([200, { ...thumbnails, thumbnail_width: 31 }]);
    expect(await json(`/v2${made.path}`, after(answer))).toMatchObject({ image: { ...image, width: 31 } });
    const removed = await patch(`/v1${made.path}`, { thumbnail: null, thumbnail_width: null, thumbnail_height: null });
    expect(removed.status).toBe(200);
    expect(await json(`/v2${made.path}`, after(removed))).not.toHaveProperty('image');
    const { rev: _rev, ...read } = await json(`/v1${made.path}`, after(removed));
    const put = await world.request(`/v1${made.path}`, { method: 'PUT', token, json: { ...read, ...thumbnails } });
    expect([put.status, JSON.parse(put.text)]).toMatchObject([200, thumbnails]);
    expect(await json(`/v2${made.path}`, after(put))).toMatchObject({ image });
  });

  test('refuse what the other has, and point to where they have it', async () => {
    const refused = async (version: string, members: JsonObject) => {
      const answer = await world.request(`/${version}/films`, { token, json: { ...toFilm(), ...members } });
      return [answer.status, ...(JSON.parse(answer.text) as { errors: { at: string }[] }).errors.map(({ at }) => at)];
    };
    expect(await refused('v1', { image })).toEqual([422, '/image']);
    expect(await refused('v2', { thumbnail: image.url })).toEqual([422, '/thumbnail']);
    expect(await refused('v1', { thumbnail: 'javascript:x', thumbnail_width: -1, year: 'x' })).toEqual(
      [422, '/year', '/thumbnail', '/thumbnail_width'],
    );
    const query = await world.request('/v1/films?fields=image.url&sort=thumbnail');
    expect([query.status, query.text]).toEqual([400, expect.stringContaining('unknown field \\"image.url\\"')]);
    const { path } = await create({ image });
    const patched = await patch(`/v1${path}`, { thumbnail_height: 'x' });
    expect([patched.status, (JSON.parse(patched.text) as { errors: { at: string }[] }).errors[0]?.at]).toEqual([422, '/thumbnail_height']);
  });

  test('have their own tags, and a write is conditional on those of its own version alone', async () => {
    const { path } = await create({ image });
    const [old, now] = [await world.request(`/v1${path}`), await world.request(`/v2${path}`)];
    expect(old.etag).not.toBe(now.etag);
    const stale = await patch(`/v1${path}`, { title: 'A' }, { 'if-match': now.etag ?? '' });
    expect(stale.status).toBe(412);
    const done = await patch(`/v1${path}`, { title: 'A' }, { 'if-match': `"x", ${old.etag}` });
    expect(done.status).toBe(200);
    expect((await patch(`/v1${path}`, { title: 'B' }, { 'if-match': old.etag ?? '' })).status).toBe(412);
    expect((await patch(`/v1${path}`, { title: 'B' }, { 'if-match': done.etag ?? '' })).status).toBe(200);
    await eventually('the last title', async () => (await json(`/v1${path}`))['title'] === 'B');
    const last = await world.mustHit(`/v1${path}`);
    for (const headers of [{ 'if-none-match': last.etag ?? '' }, { 'if-none-match': last.etag ?? '', 'cache-control': 'no-store' }]) {
      const unchanged = await world.request(`/v1${path}`, { headers });
      expect([unchanged.status, unchanged.text, unchanged.etag]).toEqual([304, '', last.etag]);
    }
    expect((await world.request(`/v2${path}`, { headers: { 'if-none-match': last.etag ?? '' } })).status).toBe(200);
  });

  test('are cached apart, each until the database changes', async () => {
    const { path } = await create({ image });
    await world.mustHit(`/v1${path}`);
    expect((await world.request(`/v2${path}`)).isHit).toBe(false);
    const now = await world.mustHit(`/v2${path}`);
    const old = await world.mustHit(`/v1${path}`);
    expect(JSON.parse(now.text)).toMatchObject({ image });
    expect(JSON.parse(old.text)).toMatchObject(thumbnails);
    await patch(`/v2${path}`, { image: { width: 99 } });
    const seen = async () => (await json(`/v1${path}`))['thumbnail_width'] === 99;
    await eventually('the change in v1', seen, { msMax: 2_000 });
  });

  test('page through lists by links of their own', async () => {
    for (const title of ['a', 'b', 'c']) await create({ title, genres: ['Linked'], image });
    for (const [target, named] of [
      ['/v1/films?genres=Linked&limit=2&fields=title,thumbnail', /^<\/v1\/films\?/],
      ['/films?version=v1&genres=Linked&limit=2&fields=title,thumbnail', /^<\/films\?.*version=v1/],
    ] as const) {
      const first = await world.request(target);
      const link = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
      expect(first.headers.get('link')).toMatch(named);
      expect(decodeURIComponent(link)).toContain('fields=title,thumbnail');
      const next = await json(link);
      expect(next['data']).toEqual([{ id: expect.any(String), title: expect.any(String), thumbnail: image.url }]);
    }
    const made = await world.request('/v1/films', { token, json: toFilm() });
    expect(made.headers.get('location')).toBe(`/v1/films/${made.film.id}`);
  });

  test('say that they end, when, and what comes after; use is told by caller', async () => {
    const { path } = await create({});
    const answer = await world.request(`/v1${path}`, { token });
    expect(answer.headers.get('deprecation')).toMatch(/^@\d+$/);
    expect(Date.parse(answer.headers.get('sunset') ?? '')).toBeGreaterThan(Date.now());
    expect(answer.headers.get('link')).toContain(`</v2${path}>; rel="successor-version"`);
    expect((await world.request(`/v2${path}`)).headers.has('deprecation')).toBe(false);
    const used = () => [...log, ...world.origin.output.split('\n')].filter((line) => line.includes('version.used'));
    await eventually('a line of use', () => used().some((line) => line.includes('"version":"v1"')));
    expect(used().join()).not.toContain('alice');
  });

  test('take imports in their own words, and report in them', async () => {
    const rows = [{ ...toFilm({ title: 'I1' }), ...thumbnails }, { ...toFilm(), image }, { ...toFilm(), thumbnail: 'x' }];
    const told = await world.request('/v1/films/import', {
      token, headers: { 'content-type': 'application/x-ndjson' }, body: rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    const lines = told.text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject);
    expect(lines).toMatchObject([
      { row: 2, errors: [{ at: '/image' }] }, { row: 3, errors: [{ at: '/thumbnail' }] }, { summary: { imported: 1, rejected: 2 } },
    ]);
    const csv = await world.request('/v1/films/import', {
      token, headers: { 'content-type': 'text/csv' }, body: `title,year,thumbnail,thumbnail_width\nI2,1950,${image.url},30\nI3,1950,,\n`,
    });
    expect(csv.text).toContain('"imported":2,');
    const foreign = await world.request('/v1/films/import', {
      token, headers: { 'content-type': 'text/csv' }, body: 'title,year,image.url\nI4,1950,https://e.org/a\n',
    });
    expect([foreign.status, foreign.text]).toEqual([422, expect.stringContaining('no such column')]);
    const shown = async (title: string) => ((await json(`/v2/films?title=${title}`, noStore))['data'] as JsonObject[])[0];
    expect(await shown('I1')).toMatchObject({ image });
    expect(await shown('I2')).toMatchObject({ image: { url: image.url, width: 30 } });
    expect(await shown('I3')).not.toHaveProperty('image');
  });

  test('change nothing by an old write that it does not name', async () => {
    const text = fc.constantFrom('https://example.org/b.jpg', 'https://example.org/c.png');
    const size = fc.integer({ min: 1, max: 999 });
    const change = fc.record(
      { thumbnail: fc.option(text), thumbnail_width: fc.option(size), thumbnail_height: fc.option(size), title: fc.constantFrom('x', 'y') },
      { requiredKeys: [] },
    );
    const begin = fc.record({ url: text, width: size, height: size }, { requiredKeys: [] });
    await fc.assert(fc.asyncProperty(begin, fc.array(change, { maxLength: 3 }), async (picture, changes) => {
      const { path } = await create({ image: picture, extract: 'kept' });
      for (const body of changes) {
        const [before, shown] = [await json(`/v2${path}`, noStore), await json(`/v1${path}`, noStore)];
        expect((await patch(`/v1${path}`, body as JsonObject)).status).toBe(200);
        const [after, told] = [await json(`/v2${path}`, noStore), await json(`/v1${path}`, noStore)];
        for (const name of Object.keys({ ...shown, ...told })) {
          if (name === 'rev' || name === 'updatedAt') continue;
          const expected = name in body ? ((body as JsonObject)[name] ?? undefined) : shown[name];
          expect([name, told[name]]).toEqual([name, expected]);
        }
        expect({ ...after, image: 0, title: 0, rev: 0, updatedAt: 0 }).toEqual({ ...before, image: 0, title: 0, rev: 0, updatedAt: 0 });
      }
    }), { numRuns: 15 });
  });
});

const noStore = { 'cache-control': 'no-store' };
