/** An origin with too much to do refuses what costs most first, and tells the edge. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { Load } from '../../../origin/load.ts';
import { served } from '../../../shared/resources/all.ts';
import { refusedAt } from '../../../shared/operations/load-level.ts';
import { mustRoute } from '../../../shared/operations/route.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline } from '../../support/pipeline.ts';
import type { Engine } from '../../support/whole-world.ts';

const film = '/v2/films/00000000-0000-7000-8000-000000000000';
const asked = [
  [1, 'GET', '/v2/films/export'], [1, 'POST', '/v2/films/import'], [1, 'GET', '/v2/places/export'],
  [2, 'GET', '/v2/films'], [2, 'GET', '/v2/films/aggregate'], [2, 'POST', '/v2/transaction'],
  [3, 'POST', '/v2/films'], [3, 'PATCH', film], [3, 'DELETE', film], [3, 'GET', '/v2/reviews/changes'],
  [4, 'GET', film],
] as const;

test.each(asked)('from level %d on it refuses %s %s', (level, method, path) => {
  const { resource, operation } = mustRoute(served, method, path);
  expect(refusedAt(resource, operation)).toBe(level);
});

describe('the level', () => {
  const route = mustRoute(served, 'GET', film);

  test('rises with the calls under way, and falls as they end', () => {
    const load = new Load();
    const levels: number[] = [];
    const leaves = Array.from({ length: 4_000 }, (_, index) => {
      if ([499, 500, 1_000, 2_000, 3_999].includes(index)) levels.push(load.level);
      return load.mustEnter(route);
    });
    expect([...levels, load.level]).toEqual([0, 1, 2, 3, 3, 4]);
    expect(() => load.mustEnter(route)).toThrow('overloaded');
    for (const leave of leaves) leave();
    expect(load.level).toBe(0);
  });

  test('rises while the event loop is late, and not with one pause', () => {
    const load = new Load();
    load.noteLag(60_000);
    load.noteLag(0);
    expect(load.level).toBe(0);
    const levels = new Set(Array.from({ length: 60 }, () => (load.noteLag(1_200), load.level)));
    expect([...levels]).toEqual([1, 2, 3, 4]);
    for (let index = 0; index < 22; index++) load.noteLag(0);
    expect(load.level).toBe(0);
  });
});

describe.each<Engine>(['sqlite', 'mongodb'])('on %s', (engine) => {
  let origin: Pipeline;
  let made: string;
  beforeAll(async () => {
    // Answers that are kept are given whatever the load, and do not tell of it.
    origin = await Pipeline.on(engine, served, {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
    const { json } = await origin.ask('/v2/films', { method: 'POST', body: '{"title":"A","year":2000}' });
    made = `/v2/films/${String(json['id'])}`;
  });
  afterAll(() => origin[Symbol.asyncDispose]());
  beforeEach(() => eventually('no load', () => origin.context.load.level === 0));

  /** What `ask` gives while the event loop is late by so much, as far as the load is told. */
  const whileLate = async <T>(ms: number, ask: () => Promise<T>): Promise<T> => {
    const late = () => {
      for (let index = 0; index < 60; index++) origin.context.load.noteLag(ms);
    };
    late();
    const telling = setInterval(late, 5);
    return ask().finally(() => clearInterval(telling));
  };

  test('each level refuses its own and those below, and says when to come back', async () => {
    const ask = async (path: string, body?: string) => {
      const { status, headers, json } = await origin.ask(path, body === undefined ? {} : { method: 'POST', body });
      return [status, json['code'] ?? '', headers.get('retry-after'), headers.get('tombolo-load')].join(' ');
    };
    const askAll = () => Promise.all([
      ask('/v2/films/export'), ask('/v2/films?sort=-year'), ask('/v2/films', '{"title":"B","year":2001}'), ask(made),
    ]);
    expect(await askAll()).toEqual(['200   ', '200   ', '201   ', '200   ']);
    expect(await whileLate(300, askAll)).toEqual(['503 overloaded 10 1', '200   1', '201   1', '200   1']);
    expect(await whileLate(600, askAll)).toEqual(['503 overloaded 10 2', '503 overloaded 5 2', '201   2', '200   2']);
    expect(await whileLate(850, askAll)).toEqual(['503 overloaded 10 3', '503 overloaded 5 3', '503 overloaded 2 3', '200   3']);
    expect(await whileLate(1_200, askAll)).toEqual([
      '503 overloaded 10 4', '503 overloaded 5 4', '503 overloaded 2 4', '503 overloaded 1 4',
    ]);
    expect(origin.log.at(-1)).toMatchObject({ reason: 'overloaded', facts: { level: 4 }, level: 'warn' });
    await eventually('no load any more', async () => (await ask('/v2/films/export')).startsWith('200'));
  });

  test('what holds the event loop is measured as it is', async () => {
    const until = performance.now() + 15_000;
    const hold = async () => {
      while (performance.now() < until && origin.context.load.level === 0) {
        const held = performance.now() + 400;
        while (performance.now() < held);
        await Bun.sleep(1);
      }
    };
    await hold();
    expect(origin.context.load.level).toBeGreaterThan(0);
    expect((await origin.ask('/v2/films/export')).status).toBe(503);
    expect((await origin.ask(made)).status).toBe(200);
  }, 30_000);
});
