/** Lists of places on the map: what is seen, counted, refused and bounded (SEMANTICS §7). */
import { describe, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { touchedOf } from '../../../origin/purge/touched.ts';
import { dependenciesOfList, toBucket } from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { point } from '../../../shared/contract/types.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { changesTo } from '../../suites/store/read-changes.ts';
import { eventually } from '../../support/eventually.ts';
import { randomQuestion, randomStation, stations } from '../../support/map-stations.ts';
import { Random } from '../../support/random.ts';
import { editor } from '../../support/text-notes.ts';
import { TextWorld } from '../../support/text-world.ts';
import { engines } from '../../support/whole-world.ts';

const writing = { document: randomStation, changed: ['at', 'open'] } as const;
const at = (longitude: number, latitude: number): JsonObject => ({ type: 'Point', coordinates: [longitude, latitude] });
const station = (longitude: number, latitude: number): JsonObject => ({ kind: 'bus', open: true, lines: [], at: at(longitude, latitude) });
const toBuckets = (query: string) => dependenciesOfList(stations, parseListQuery(stations, `?${query}`)).flatMap(({ buckets }) => buckets);

describe.each([...engines])('on %s', (engine) => {
  test('what is written is found at once where it is, and not where it was', async () => {
    await using world = await TextWorld.on(engine, stations, writing);
    await world.untilServed('near=0,0&distance=1');
    const write = (operation: 'replace' | 'patch' | 'remove', body?: object) =>
      world.origin.ask(operation, stations, { id: 'a', principal: editor, ...(body === undefined ? {} : { body }) });
    const found = async (...queries: readonly string[]) => (await Promise.all(queries.map((query) => world.find(query)))).flat();
    await write('replace', station(179.9999, -17));
    expect(await found('near=-179.9999,-17&distance=25', 'within=179,-18,-179,-16', 'near=0,0&distance=1000')).toEqual(['a', 'a']);
    await write('patch', { at: at(24.94, 60.17) });
    expect(await found('near=-179.9999,-17&distance=25', 'within=179,-18,-179,-16', 'within=24.94,60.17,24.94,60.17')).toEqual(['a']);
    const refused = await write('patch', { at: at(60.17, 124.94) });
    expect(refused).toMatchObject({ outcome: 'document_invalid', errors: [{ at: '/at/coordinates' }] });
    const read = await world.origin.ask('get', stations, { id: 'a', principal: editor });
    expect(read.json['at']).toEqual(at(24.94, 60.17));
    await write('remove');
    expect(await found('near=24.94,60.17&distance=20015115')).toEqual([]);
  });

  test('places that are no Points on the earth are not found, and those that others wrote before are', async () => {
    const plain = resource({
      name: 'stations', id: stations.id, rev: false, createdAt: false, updatedAt: false, schema: stations.schema,
      rules: { read: anyone, write: anyone }, shapes: { all: {} },
    });
    await using world = await TextWorld.on(engine, plain, writing);
    const others = [{ at: [1, 2] }, { at: { type: 'Point', coordinates: ['1', 2] } }, { at: at(181, 0) }, { at: null }, {}];
    await world.origin.ask('replace', plain, { id: 'a', body: station(1, 2) });
    for (const [index, { at: wrong }] of others.entries()) {
      const body: JsonObject = { kind: 'bus', open: true, lines: [], ...(wrong === undefined ? {} : { at: wrong }) };
      // A database may check what others write.
      await world.program.insert('stations', `n${index}`, body).catch(() => undefined);
    }
    await world.end();
    await world.begin(stations);
    const ask = () => world.origin.ask('list', stations, { query: '?within=-180,-90,180,90&count=exact', principal: editor });
    const { json } = await eventually('it is served', async () => {
      const answer = await ask();
      return answer.outcome === 'found' && answer;
    });
    expect((json['data'] as readonly JsonObject[]).map(({ id }) => id)).toEqual(['a']);
    expect(json['page']).toMatchObject({ total: 1, next: null });
  });

  test('whoever may not read a place may not ask by it, and what is hidden is not counted', async () => {
    await using world = await TextWorld.on(engine, stations, writing);
    await world.untilServed('near=0,0&distance=1&kind=bus&open=true');
    const body = { ...station(0, 0), depot: at(1, 1), open: false };
    await world.origin.ask('replace', stations, { id: 'a', body, principal: editor });
    const asked = (query: string, principal = anonymous) => world.origin.ask('list', stations, { query, principal });
    for (const area of ['near=1,1&distance=5', 'within=0,0,2,2', 'near=9,9&distance=5']) {
      expect(await asked(`?${area}&kind=bus&open=true`)).toMatchObject({ outcome: 'forbidden', errors: [{ at: 'depot.coordinates' }] });
    }
    expect(await world.find('near=1,1&distance=5&kind=bus&open=false')).toEqual(['a']);
    expect((await asked('?within=-1,-1,1,1&count=exact')).json['page']).toMatchObject({ total: 0 });
    expect((await asked('?within=-1,-1,1,1&count=exact', editor)).json['page']).toMatchObject({ total: 1 });
  });

  test('a change that alters an answer touches what the answer depended on', async () => {
    const seed = Date.now() % 1_000_000;
    const random = new Random(seed);
    await using world = await TextWorld.on(engine, stations, writing);
    await world.untilServed('near=0,0&distance=1&kind=bus');
    const { store, contract } = world.origin.context;
    const asked = Array.from({ length: 12 }, () => randomQuestion(random, [editor, anonymous]));
    const answers = () => Promise.all(asked.map(({ query, principal }) => world.page(`?${query}`, principal)));
    let altered = 0;
    for (let round = 0; round < 150 && altered < 15; round++) {
      const before = await answers();
      await (random.chance(0.5) ? world.foreignWrite(random) : world.ownWrite(random));
      await world.settled();
      store.news?.since(store.news.head());
      const [after, to] = [await answers(), await store.head()];
      for (const [index, { query }] of asked.entries()) {
        const [was, is] = [before[index], after[index]];
        if (was === undefined || is === undefined) throw new Error(`${query} was refused`);
        if (Bun.deepEquals(was.ids, is.ids)) continue;
        altered++;
        const touched = (await changesTo(store, was.readAt, to)).flatMap((change) => touchedOf(contract, change) ?? []);
        const buckets = toBuckets(query);
        const isTouched = touched.some(({ resource: name, keys }) =>
          name === stations.name && (keys === undefined || [...keys].some((key) => buckets.includes(toBucket(key)))));
        expect([`seed ${seed}: ${query}`, isTouched]).toEqual([`seed ${seed}: ${query}`, true]);
      }
    }
    expect(altered).toBeGreaterThanOrEqual(15);
  }, 120_000);

  test('what an area finds is removed in one request, and nothing else', async () => {
    await using world = await TextWorld.on(engine, stations, writing);
    await world.untilServed('near=0,0&distance=1');
    for (const [id, longitude] of [['a', 1], ['b', 2], ['c', 30]] as const) {
      await world.origin.ask('replace', stations, { id, body: station(longitude, 0), principal: editor });
    }
    const remove = (query: string) => world.origin.askBy(bulk.removeMany, execute, stations, { query, principal: editor });
    expect((await remove('?near=2,0&distance=10&limit=1')).json['results']).toMatchObject([{ id: 'b' }]);
    expect((await remove('?within=0,-1,5,1')).json['results']).toMatchObject([{ id: 'a' }]);
    expect(await world.find('within=-180,-90,180,90')).toEqual(['c']);
  });
});

describe('the work of a page', () => {
  const bare = resource({
    name: 'stations', id: stations.id, rev: false, createdAt: false, updatedAt: false,
    schema: z.object({ at: point(), kind: z.string().optional() }),
    rules: { read: anyone, write: anyone }, shapes: { onMap: { place: 'at', beside: ['kind'], examined: 150 } },
  });

  async function worldOf(places: Iterable<JsonObject>): Promise<TextWorld> {
    const world = await TextWorld.on('sqlite', bare);
    await world.untilServed('near=0,0&distance=1');
    const puts = [...places].map((place, index) => ({
      resource: bare, id: `p${String(index).padStart(5, '0')}`, 
      decide: () => ({ kind: 'put' as const, document: { at: place, ...(index % 50 === 0 ? { kind: 'bus' } : {}) } }),
    }));
    for (let start = 0; start < puts.length; start += 500) {
      await world.origin.context.store.write(puts.slice(start, start + 500), { deadline: Date.now() + 60_000 });
    }
    const writtenAt = performance.now();
    await eventually('the consumer of entries has looked at all of them', async () => (await completeAt(world)) > writtenAt);
    return world;
  }

  /** When the consumer of entries had last nothing before it, as `performance.now` has it. */
  async function completeAt({ origin: { context } }: TextWorld): Promise<number> {
    const found = (await context.services.figures()).find(({ service }) => service.startsWith('entries of '));
    return performance.now() - Number(found?.figures['lagSeconds']) * 1_000;
  }

  /** A page, and how many entries were read for it. */
  async function examined(world: TextWorld, query: string) {
    const { store } = world.origin.context;
    using list = spyOn(store, 'list');
    const page = await world.page(query);
    const reads = await Promise.all(list.mock.results.map(async ({ value }) => (await (value as ReturnType<typeof store.list>)).value));
    return { page, count: reads.flat().length };
  }

  test('grows by little with what is elsewhere, and with what is nearer', async () => {
    const random = new Random(7);
    const unit = () => random.below(1_000_001) / 1_000_000;
    await using world = await worldOf(Array.from({ length: 10_000 }, () => at(20 + 10 * unit(), 40 + 10 * unit())));
    const first = await examined(world, '?near=25,45&distance=20015115&limit=20');
    expect([first.page?.ids.length, first.count < 1_000]).toEqual([20, true]);
    const all = '?near=25,45&distance=20015115&limit=200';
    let reached = await examined(world, all);
    for (let page = 0; page < 25; page++) reached = await examined(world, `${all}&after=${reached.page?.next}`);
    expect([reached.page?.ids.length, reached.count < 5_000]).toEqual([200, true]);
    const within = await examined(world, '?within=24,44,26,46&limit=20');
    expect([within.page?.ids.length, within.count < 1_000]).toEqual([20, true]);
  }, 120_000);

  test('at one point goes on by ids, each page at the cost of the first', async () => {
    await using world = await worldOf(Array.from({ length: 3_000 }, () => at(25, 45)));
    const query = '?near=25,45.0001&distance=100&limit=200';
    const found: string[] = [];
    const costs: number[] = [];
    for (let after = ''; ; ) {
      const { page, count } = await examined(world, `${query}${after}`);
      found.push(...(page?.ids ?? []));
      costs.push(count);
      if (page?.next === undefined) break;
      after = `&after=${page.next}`;
    }
    expect(found).toEqual(Array.from({ length: 3_000 }, (_, index) => `p${String(index).padStart(5, '0')}`));
    expect(Math.max(...costs)).toBeLessThanOrEqual((costs[0] ?? 0) + 100);
    const buses: string[] = [];
    for (let after = ''; ; ) {
      using many = spyOn(world.origin.context.store, 'many');
      const { page, count } = await examined(world, `${query}&kind[exists]=true${after}`);
      buses.push(...(page?.ids ?? []));
      expect(count).toBeLessThanOrEqual(costs[0] ?? 0);
      expect(many.mock.calls.reduce((sum, [, ids]) => sum + ids.length, 0)).toBeLessThanOrEqual(150);
      if (page?.next === undefined) break;
      expect(page.ids).toHaveLength(3);
      after = `&after=${page.next}`;
    }
    expect(buses).toEqual(found.filter((_id, index) => index % 50 === 0));
    const { page } = (await world.page(`${query}&kind[exists]=true&count=exact`)) ?? {};
    expect(page).toMatchObject({ total: 3, totalIsMinimum: true });
  }, 120_000);

  test('ends at a stated number of entries, is short then and goes on, and a count says that there may be more', async () => {
    // All around the pole at one distance, as nothing that people make lies: every cell there has to be read.
    await using world = await worldOf(Array.from({ length: 12_000 }, (_, index) => at(-180 + index * 0.03, 89.9)));
    const { count } = await examined(world, '?within=-180,89,180,90&count=exact&limit=1');
    expect(count).toBeLessThanOrEqual(2 * (limits.placesExaminedMax + 100));
    expect((await world.page('?within=-180,89,180,90&count=exact&limit=1'))?.page).toMatchObject({ totalIsMinimum: true });
    const around = await examined(world, '?near=0,90&distance=20000&limit=200');
    expect([around.page?.ids, typeof around.page?.next, around.count <= limits.placesExaminedMax + 100]).toEqual([[], 'string', true]);
    const answer = await world.origin.ask('list', bare, { query: `?near=0,90&distance=20000&limit=200&after=${around.page?.next}` });
    expect([answer.outcome, answer.detail]).toEqual([
      'query_not_served', `more than ${limits.placesExaminedMax} places lie as far away as the page begins; ask for a smaller area`,
    ]);
    const { text } = await world.origin.ask('export', bare, { query: '?near=0,90&distance=20000' });
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly id?: string; readonly $export?: JsonObject });
    expect(new Set(lines.flatMap(({ id }) => id ?? [])).size).toBe(12_000);
    expect(lines.at(-1)?.$export).toMatchObject({ rows: 12_000, complete: true });
  }, 120_000);
});
