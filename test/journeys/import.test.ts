/** All films in, counted, and read page by page while others write. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FilmDocument } from '../support/answer.ts';
import { createFilm, importRows, patchFilm } from '../support/film.ts';
import { sharedData, sharedDataDir, testThat } from '../support/needs.ts';
import { startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';

const sampleDir = join(import.meta.dir, '../../origin/dev/sample');
const everything = sharedData.met ? join(sharedDataDir, 'films.ndjson') : join(sampleDir, 'films.ndjson');
const toRow = (title: string) => `${JSON.stringify({ title, year: 2_001 })}\n`;
// Words make them several times dearer, and are none of this.
const films = makeWordlessFilms();
afterAll(films.remove);
const rowsIn = readFileSync(everything, 'utf8').trimEnd().split('\n').length;

describe.each(worldsOfBoth)('imports on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack, releaseDir: films.releaseDir })));
  afterAll(() => world.close());

  const pages = async function* (query: string): AsyncGenerator<readonly FilmDocument[]> {
    for (let after = ''; ; ) {
      const { data, page } = (await world.request(`/v2/films?${query}${after}`)).page;
      yield data;
      if (page.next === null) return;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
  };

  test('takes a file of films, counts it exactly, and refuses none', async () => {
    // The whole file was written when v1 was the current version.
    const { summary, rejected } = await importRows(world, 'films', readFileSync(everything), '', sharedData.met ? 'v1' : 'v2');
    expect(rejected).toEqual([]);
    expect(summary).toMatchObject({ imported: rowsIn, rejected: 0, complete: true, lastCommittedRow: rowsIn });
    expect((await world.request('/v2/films?count=exact&limit=1')).page.page.total).toBe(rowsIn);
  });

  testThat(sharedData)('takes all 11 216 films', () => expect(rowsIn).toBe(11_216));

  test('pages through all of them while others insert, change and remove: none twice, none missed', async () => {
    const stay = new Set<string>();
    for await (const page of pages('sort=-year,title&limit=200')) for (const { id } of page) stay.add(id);
    expect(stay.size).toBe(rowsIn);
    const passing = await Promise.all(
      Array.from({ length: 20 }, (_, index) => createFilm(world, { title: `Passing ${index}`, year: 1_985 + index * 2 })),
    );
    const seen = new Map<string, number>();
    const editor = await world.token();
    let turn = 0;
    for await (const page of pages('sort=-year,title&limit=200')) {
      for (const { id } of page) seen.set(id, (seen.get(id) ?? 0) + 1);
      const gone = passing[turn++];
      const [touched] = page;
      // Between any two pages: one film is new, one is gone, and one of this page is another document now.
      await createFilm(world, { title: `New ${turn}`, year: 1_980 + (turn % 40) });
      if (gone !== undefined) await world.request(gone.path, { method: 'DELETE', token: editor });
      if (touched !== undefined && stay.has(touched.id)) await patchFilm(world, `/v2/films/${touched.id}`, { genres: [`Turn ${turn}`] });
    }
    expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
    expect([...stay].filter((id) => !seen.has(id))).toEqual([]);
  });

  test('goes back by `prev` to the page that it came from', async () => {
    const first = (await world.request('/v2/films?sort=-year,title&limit=50')).page;
    const second = (await world.request(`/v2/films?sort=-year,title&limit=50&after=${first.page.next}`)).page;
    const back = (await world.request(`/v2/films?sort=-year,title&limit=50&after=${second.page.prev}`)).page;
    expect(back.data.map(({ id }) => id)).toEqual(first.data.map(({ id }) => id));
  });

  test('keeps leading zeros of codes, and does with rows that are there what it is told', async () => {
    const body = readFileSync(join(sampleDir, 'places.ndjson'));
    const rows = body.toString().trimEnd().split('\n').length;
    expect((await importRows(world, 'places', body)).summary).toMatchObject({ imported: rows, rejected: 0 });
    expect((await world.request('/v2/places/00501')).json<{ city: string }>().city).toBe('Holtsville');
    expect((await importRows(world, 'places', body, '?onDuplicate=skip')).summary).toMatchObject({
      imported: 0,
      skipped: rows,
      rejected: 0,
    });
    expect((await importRows(world, 'places', body, '?onDuplicate=replace')).summary).toMatchObject({
      imported: 0,
      replaced: rows,
      rejected: 0,
    });
    expect((await importRows(world, 'places', body)).summary).toMatchObject({ imported: 0, rejected: rows });
  });

  test('tells its head while rows are still to come', async () => {
    // More than the edge gathers before it sends any on.
    const [early, title] = [400, 'Early '.repeat(100)];
    let upload: ReadableStreamDefaultController<string> | undefined;
    const body = new ReadableStream<string>({ start: (controller) => void (upload = controller) });
    upload?.enqueue(toRow(title).repeat(early));
    const headers = { authorization: `Bearer ${await world.token()}`, 'content-type': 'application/x-ndjson' };
    // An upload that goes on only then ends as broken off where its answer waits for it.
    const answer = await fetch(`${world.edge.url}/v2/films/import`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    upload?.enqueue(toRow('Late'));
    upload?.close();
    const { summary } = JSON.parse(await answer.text()) as { readonly summary: object };
    expect(summary).toMatchObject({ imported: early + 1, rejected: 0, complete: true });
  });

  test('names the rows that it rejects and commits the others', async () => {
    const lines = [
      '{"title":"Good","year":2001}',
      '{"title":"","year":2001}',
      'not json',
      '{"title":"Late","year":"2001"}',
      '{"title":"Also good","year":2002}',
    ];
    // The whole file was written when v1 was the current version.
    const { summary, rejected } = await importRows(world, 'films', lines.join('\n'));
    expect(summary).toMatchObject({ imported: 2, rejected: 3, complete: true });
    expect(rejected.map((line) => (JSON.parse(line) as { row: number }).row)).toEqual([2, 3, 4]);
  });
});
