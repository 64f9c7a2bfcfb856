/**
 * The promise of the cache, under a storm: writers, readers, slow origins and a late feed all at once. An
 * answer is never from before what the edge had been told a memo earlier, and a demanded position is met.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { HopSeen } from '../support/scripted-origin.ts';
import { World } from '../support/world.ts';

const memoMs = 40;
const stormMs = 3_000;
const ids = Array.from({ length: 6 }, (_, index) => `film-${index}`);

let world: World;
beforeAll(async () => {
  world = await World.start({ memoMs, silent: true });
  await world.feed.begin();
  await world.feed.tell();
});
afterAll(() => world.close());

/** What a report had told the edge, and when its answer was here. */
interface Told {
  readonly atMs: number;
  readonly versions: ReadonlyMap<string, number>;
}

test('no answer is older than the bound, whatever races', async () => {
  const versions = new Map(ids.map((id) => [id, 0]));
  const told: Told[] = [];
  const wrong: string[] = [];
  const count = { reads: 0, hits: 0, writes: 0 };
  const write = (id: string) => {
    const version = (versions.get(id) ?? 0) + 1;
    versions.set(id, version);
    count.writes++;
    world.write(id, { title: id, year: 1_900, genres: ['Storm'], cast: [], version });
  };
  ids.forEach(write);
  // Reads at once, answers later: fills are overtaken by writes and reports all the time.
  world.origin.script = async (seen: HopSeen) => {
    const answer = world.answer(seen);
    await Bun.sleep(Math.random() < 0.4 ? Math.random() * 150 : 2);
    return answer;
  };
  const until = performance.now() + stormMs;
  const during = async (step: () => Promise<void>) => {
    while (performance.now() < until) await step();
  };
  const required = (startedMs: number) => told.findLast(({ atMs }) => atMs < startedMs - memoMs)?.versions;
  const check = (what: string, shown: unknown, least: number | undefined) => {
    if (typeof shown !== 'number' || shown < (least ?? 0)) wrong.push(`${what}: version ${String(shown)} of at least ${least}`);
  };
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await world.get(path, headers);
    count.reads++;
    if (answer.headers.get('cache-status')?.startsWith('tombolo; hit') === true) count.hits++;
    return (await answer.json()) as { version?: number; data?: { id: string; version: number }[] };
  };
  const pick = () => ids[Math.floor(Math.random() * ids.length)] ?? '';

  const writer = () => during(async () => (write(pick()), void (await Bun.sleep(Math.random() * 120))));
  const teller = () => during(async () => {
    const known = new Map(versions);
    await world.feed.tell();
    told.push({ atMs: performance.now(), versions: known });
    await Bun.sleep(Math.random() * 80);
  });
  const reader = () => during(async () => {
    const id = pick();
    const least = required(performance.now());
    check(id, (await read(`/v1/films/${id}`)).version, least?.get(id));
  });
  const lister = () => during(async () => {
    const least = required(performance.now());
    const { data = [] } = await read('/v1/films?genres=Storm');
    for (const id of ids) check(`list ${id}`, data.find((film) => film.id === id)?.version, least?.get(id));
  });
  const demander = () => during(async () => {
    const id = pick();
    const least = versions.get(id);
    check(`demanded ${id}`, (await read(`/v1/films/${id}`, { 'tombolo-position': world.positionToken() })).version, least);
    await Bun.sleep(10);
  });

  await Promise.all([writer(), teller(), ...Array.from({ length: 6 }, reader), lister(), lister(), demander()]);
  expect(wrong).toEqual([]);
  // The storm was one, and the cache did work in it.
  expect(count.writes).toBeGreaterThan(20);
  expect(count.hits).toBeGreaterThan(count.reads / 10);
}, 20_000);
