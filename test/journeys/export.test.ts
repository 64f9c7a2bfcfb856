/** Everything out again: whole or recognisably not, in the words of its version, at the pace of its reader. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../shared/wire/values.ts';
import { eventually } from '../support/eventually.ts';
import { importRows } from '../support/film.ts';
import { startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';

const image = { url: 'https://example.org/a,b.jpg', width: 30 };
const filmsMany = 20_000;
// Words make them dearer to write, and are none of this.
const films = makeWordlessFilms();
afterAll(films.remove);

function toRow(at: number): JsonObject {
  return {
    title: `Film ${at}, "${at % 7}"`, year: 1900 + (at % 100), genres: at % 3 === 0 ? [] : ['Comedy', `G${at % 5}`], cast: [],
    extract: `${at} `.repeat(80), ...(at % 2 === 0 ? { image } : {}), ...(at % 4 === 0 ? {} : { href: `film-${at}` }),
  };
}

interface Exported {
  readonly rows: readonly JsonObject[];
  readonly end: { readonly rows: number; readonly complete: boolean; readonly next: string | null };
}

function toExported(text: string): Exported {
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject & { $export?: Exported['end'] });
  const end = lines.at(-1)?.$export;
  if (end === undefined) throw new Error(`no end: ${text.slice(-200)}`);
  return { rows: lines.filter((line) => line.$export === undefined), end };
}

describe.each(worldsOfBoth)('exports on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ engine, stack, releaseDir: films.releaseDir });
    const rows = Array.from({ length: filmsMany }, (_, at) => JSON.stringify(toRow(at))).join('\n');
    const { summary } = await importRows(world, 'films', new TextEncoder().encode(rows));
    expect(summary).toMatchObject({ imported: filmsMany, rejected: 0 });
  }, 120_000);
  afterAll(() => world.close());

  const asking = (path: string, accept?: string) => world.request(path, accept === undefined ? {} : { headers: { accept } });

  test('come in the form that is asked for, each whole', async () => {
    const lines = await asking('/v2/films/export');
    expect(lines.headers.get('content-type')).toBe('application/x-ndjson');
    const { rows, end } = toExported(lines.text);
    expect(rows).toHaveLength(filmsMany);
    expect(end).toMatchObject({ rows: filmsMany, complete: true, next: null });
    const array = await asking('/v2/films/export', 'application/json');
    expect(JSON.parse(array.text)).toEqual([...rows]);
    const table = await asking('/v2/films/export?format=csv', 'text/html, */*;q=0.1');
    expect(table.headers.get('content-type')).toBe('text/csv');
    expect(table.text.split('\r\n')).toHaveLength(filmsMany + 3);
    expect(table.text).toEndWith('\r\n\r\n');
    for (const answer of [lines, array, table]) {
      expect(answer.headers.get('vary')).toContain('Accept');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect((await asking('/v2/films/export', 'image/png')).status).toBe(406);
    expect((await world.request('/v2/films/export', { method: 'HEAD' })).status).toBe(200);
  });

  test('go into another world as they came, from either form', async () => {
    const { text } = await asking('/v2/films/export?format=csv&year[gte]=1990&sort=-year,title');
    const { rows } = toExported((await asking('/v2/films/export?year[gte]=1990&sort=-year,title')).text);
    const token = await world.token();
    for (const [body, type] of [[text, 'text/csv'], [rows.map((row) => JSON.stringify(row)).join('\n'), 'application/x-ndjson']] as const) {
      const answer = await world.request('/v2/films/import?onDuplicate=replace', { token, body, headers: { 'content-type': type } });
      // What is put in the place of the same is no change.
      expect(answer.json<{ summary: JsonObject }>().summary).toMatchObject({ replaced: rows.length, rejected: 0, complete: true });
    }
    expect(toExported((await asking('/v2/films/export?year[gte]=1990&sort=-year,title')).text).rows.map(({ rev }) => rev))
      .toEqual(rows.map(({ rev }) => rev));
  });

  test('of the older version are in its words in every form, and are taken back by it', async () => {
    const query = 'year[lt]=1910&sort=-year,title';
    const { rows } = toExported((await asking(`/v1/films/export?${query}`)).text);
    const first = rows.find((row) => 'thumbnail' in row);
    expect(first).toMatchObject({ thumbnail: image.url, thumbnail_width: 30 });
    expect(rows.some((row) => 'image' in row)).toBe(false);
    expect(JSON.parse((await asking(`/v1/films/export?${query}&format=json`)).text)).toEqual([...rows]);
    const [header = '', line = '', ...rest] = (await asking(`/v1/films/export?${query}`, 'text/csv')).text.split('\r\n');
    expect(header).toBe('id,title,year,cast,genres,href,extract,thumbnail,thumbnail_width,thumbnail_height,rev,createdAt,updatedAt');
    expect(line).toContain(String(rows[0]?.['id']));
    expect(rest).toHaveLength(rows.length + 1);
    const token = await world.token();
    const body = [header, line, ...rest].join('\r\n');
    const taken = await world.request('/v1/films/import?onDuplicate=replace', { token, body, headers: { 'content-type': 'text/csv' } });
    expect(taken.json<{ summary: JsonObject }>().summary).toMatchObject({ replaced: rows.length, rejected: 0, complete: true });
    expect(toExported((await asking(`/v1/films/export?${query}`)).text).rows).toEqual(rows);
    expect((await asking('/v1/films/export?format=csv&fields=thumbnail&title=nothing')).text).toBe('id,thumbnail\r\n\r\n');
  });

  test('are of what is looked into and passed over too, in the words of either version', async () => {
    const wanted = Array.from({ length: filmsMany }, (_, at) => at).filter((at) => at % 3 !== 0 && at % 5 === 1 && at % 2 === 1).length;
    const [current, older] = ['/v2/films/export?genres=G1&image.url[exists]=false', '/v1/films/export?genres=G1&thumbnail[exists]=false'];
    const { rows, end } = toExported((await asking(current)).text);
    expect([rows.length, end]).toEqual([wanted, expect.objectContaining({ rows: wanted, complete: true })]);
    expect(toExported((await asking(older)).text).rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    const table = (await asking(`${older}&fields=title`, 'text/csv')).text.split('\r\n');
    expect([table[0], table.length]).toEqual(['id,title', wanted + 3]);
    expect((await asking('/v1/films/export?thumbnail[exists]=false&distinct=year')).text).toContain('"distinct"');
    expect((await asking('/v1/films?distinct=year', 'text/csv')).text).toContain('"format"');
  });

  test('of a page are cached beside its JSON, and expire with it', async () => {
    const path = '/v2/films?title=Table&limit=1';
    const [table, page] = [await world.mustHit(path, { headers: { accept: 'text/csv' } }), await world.mustHit(path)];
    expect([table.headers.get('content-type'), page.headers.get('content-type')]).toEqual(['text/csv', 'application/json']);
    expect(table.etag).not.toBe(page.etag);
    for (const { headers } of [table, page]) expect(headers.get('vary')).toContain('Accept');
    const same = await world.request(path, { headers: { accept: 'text/csv', 'if-none-match': table.etag } });
    expect([same.status, same.isHit]).toEqual([304, true]);
    expect((await world.mustHit(`${path}&format=csv`)).text).toBe(table.text);
    const created = await world.request('/v2/films', { token: await world.token(), json: { title: 'Table', year: 1950 } });
    const headers = { accept: 'text/csv', 'tombolo-position': created.position };
    expect((await world.request(path, { headers })).text).toContain(created.film.id);
    const older = await world.mustHit('/v1/films?title=Table&limit=1', { headers: { accept: 'text/csv' } });
    expect(older.text).toStartWith('id,');
    expect(older.text).toContain('thumbnail');
    const link = (await asking('/v1/films?format=csv&limit=1')).headers.get('link') ?? '';
    const [, next = ''] = /<([^>]*)>; rel="next"/.exec(link) ?? [];
    expect((await asking(next)).text).toStartWith('id,');
  });

  test('end when their reader goes: the place of two that are left is free again', async () => {
    const token = await world.token({ subject: 'leaver' });
    const open = () => fetch(`${world.edge.url}/v2/films/export`, { headers: { authorization: `Bearer ${token}` } });
    const [first, second] = [await open(), await open()];
    const third = await open();
    expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
    expect(third.headers.get('retry-after')).toBe('5');
    await third.body?.cancel();
    await first.body?.cancel();
    await second.body?.cancel();
    await eventually('a place', async () => {
      const again = await open();
      await again.body?.cancel();
      return again.status === 200;
    });
  });

  test('that are cut do not end as whole ones do', async () => {
    const readers = await Promise.all(['ndjson', 'csv'].map((format) => SlowReader.open(world, `/v2/films/export?format=${format}`)));
    for (const reader of readers) await eventually('the beginning', async () => reader.text.includes('200 OK'));
    await world.origin.kill9();
    for (const reader of readers) {
      const text = await reader.readRest();
      expect(text).not.toMatch(/\r\n\r\n(\r\n0)?\r\n\r\n$/);
      expect(text).not.toContain('"complete":true');
    }
    await world.origin.start();
    await eventually('an answer', async () => (await asking('/v2/films?limit=1')).status === 200);
  });
});

/** Reads what comes first, and the rest when it is told to; byte for byte: a client's own buffers would take it all at once. */
class SlowReader {
  text = '';
  readonly #closed = Promise.withResolvers<void>();
  #socket: Bun.Socket | undefined;

  static async open(world: World, path: string): Promise<SlowReader> {
    const { hostname, port } = new URL(world.edge.url);
    const reader = new SlowReader();
    reader.#socket = await Bun.connect({
      hostname, port: Number(port),
      socket: {
        open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`),
        data: (socket, bytes) => {
          reader.text += bytes.toString('latin1');
          if (!reader.#isHurried) socket.pause();
        },
        close: () => reader.#closed.resolve(),
        error: () => reader.#closed.resolve(),
      },
    });
    return reader;
  }

  #isHurried = false;

  async readRest(): Promise<string> {
    this.#isHurried = true;
    this.#socket?.resume();
    await this.#closed.promise;
    return this.text;
  }
}
