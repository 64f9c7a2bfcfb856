/**
 * The promise of the cache, under a storm: writers, readers, slow origins and a late feed all at once. An
 * answer is never from before what the edge had been told a memo earlier, and a demanded position is met.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
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

type Versions = ReadonlyMap<string, number>;

class Storm {
  readonly wrong: string[] = [];
  reads = 0;
  hits = 0;
  writes = 0;
  readonly #versions = new Map<string, number>();
  /** What reports had told the edge, and when they were answered. */
  readonly #told: { readonly atMs: number; readonly versions: Versions }[] = [];
  readonly #until = performance.now() + stormMs;

  constructor() {
    ids.forEach((id) => this.#write(id));
  }

  readonly writer = () => this.#during(async () => {
    this.#write(pick());
    await Bun.sleep(Math.random() * 120);
  });

  readonly teller = () => this.#during(async () => {
    const versions = new Map(this.#versions);
    await world.feed.tell();
    this.#told.push({ atMs: performance.now(), versions });
    await Bun.sleep(Math.random() * 80);
  });

  readonly reader = () => this.#during(async () => {
    const id = pick();
    const least = this.#leastNow();
    this.#check(id, (await this.#read(`/v2/films/${id}`)).version, least?.get(id));
  });

  readonly lister = () => this.#during(async () => {
    const least = this.#leastNow();
    const { data = [] } = await this.#read('/v2/films?genres=Storm');
    for (const id of ids) this.#check(`list ${id}`, data.find((film) => film.id === id)?.version, least?.get(id));
  });

  readonly demander = () => this.#during(async () => {
    const id = pick();
    const least = this.#versions.get(id);
    this.#check(`demanded ${id}`, (await this.#read(`/v2/films/${id}`, { 'tombolo-position': world.positionToken() })).version, least);
    await Bun.sleep(10);
  });

  async #during(step: () => Promise<void>): Promise<void> {
    while (performance.now() < this.#until) await step();
  }

  #write(id: string): void {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    this.writes++;
    world.write(id, { title: id, year: 1_900, genres: ['Storm'], cast: [], version });
  }

  async #read(path: string, headers: Record<string, string> = {}) {
    const answer = await world.get(path, headers);
    this.reads++;
    if (answer.headers.get('cache-status')?.startsWith('tombolo; hit') === true) this.hits++;
    return (await answer.json()) as {
      readonly version?: number;
      readonly data?: readonly { readonly id: string; readonly version: number }[];
    };
  }

  /** The versions that whoever asks now must see at least. */
  #leastNow(): Versions | undefined {
    const now = performance.now();
    return this.#told.findLast(({ atMs }) => atMs < now - memoMs)?.versions;
  }

  #check(what: string, shown: unknown, least: number | undefined): void {
    if (typeof shown !== 'number' || shown < (least ?? 0)) this.wrong.push(`${what}: version ${String(shown)} of at least ${least}`);
  }
}

const pick = () => ids[Math.floor(Math.random() * ids.length)] ?? '';

test('no answer is older than the bound, whatever races', async () => {
  const storm = new Storm();
  // The state is read at once and answered later: fills are overtaken by writes and reports all the time.
  world.origin.script = async (seen) => {
    const answer = world.answer(seen);
    await Bun.sleep(Math.random() < 0.4 ? Math.random() * 150 : 2);
    return answer;
  };
  await Promise.all([
    storm.writer(),
    storm.teller(),
    ...Array.from({ length: 6 }, storm.reader),
    storm.lister(),
    storm.lister(),
    storm.demander(),
  ]);
  expect(storm.wrong).toEqual([]);
  // It was a storm, and the cache did work in it.
  expect(storm.writes).toBeGreaterThan(20);
  expect(storm.hits).toBeGreaterThan(storm.reads / 10);
}, 60_000);
