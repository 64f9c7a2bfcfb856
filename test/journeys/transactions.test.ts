/** A transaction is whole or absent, whenever the origin is killed in the middle of many. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { engines, startWorld, type World } from '../support/whole-world.ts';

const rounds = 4;
/** The year of each transaction's first film, and the one before for the next. */
const lastYear = 2100;

describe.each(engines)('transactions on %s', (engine) => {
  let world: World;
  beforeEach(async () => void (world = await startWorld({ engine })));
  afterEach(() => world.close());

  test('a kill in the middle leaves all of each transaction or nothing of it, and all that was acknowledged', async () => {
    const token = await world.token({ subject: 'alice', roles: ['editor'], plan: 'bench' });
    const headers = { 'cache-control': 'no-cache' };
    const acknowledged = new Set<string>();
    const titles: string[] = [];
    const carry = async (title: string): Promise<void> => {
      titles.push(title);
      const films = Array.from({ length: 10 }, (_, index) => ({
        op: 'create', resource: 'films', as: `f${index}`, body: { title, year: lastYear - index },
      }));
      const review = { op: 'create', resource: 'reviews', body: { author: 'alice', rating: 5, text: title }, refs: { '/film': 'f9' } };
      const asking = { token, method: 'POST', json: { operations: [...films, review] } };
      const { status } = await world.request('/v2/transaction', asking).catch(() => ({ status: 0 }));
      if (status === 200) acknowledged.add(title);
    };
    for (let round = 0; round < rounds; round++) {
      const running = Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; turn < 5; turn++) await carry(`T ${round} ${writer} ${turn}`);
      });
      await eventually('a first answer of the round', () => [...acknowledged].some((title) => title.startsWith(`T ${round} `)));
      await Bun.sleep(7 * round);
      await world.origin.kill9();
      await world.origin.start();
      await Promise.all(running);
      await eventually('answers', async () => (await world.request('/v2/films?limit=1', { headers })).status === 200);
    }
    const reviewsOf = async (film: string) =>
      (await world.request(`/v2/reviews?film=${film}`, { headers, token })).page.data;
    const found = await Promise.all(titles.map(async (title) => {
      const { page: { data } } = await world.request(`/v2/films?title=${encodeURIComponent(title)}&limit=50`, { headers, token });
      const last = data.find(({ year }) => year === lastYear - 9);
      const reviews = last === undefined ? [] : await reviewsOf(last.id);
      return { title, count: data.length, reviews: reviews.length };
    }));
    for (const { title, count, reviews } of found) {
      expect([title, [count, reviews].join()]).toEqual([title, count === 0 && !acknowledged.has(title) ? '0,0' : '10,1']);
    }
    expect([acknowledged.size > 0, acknowledged.size < titles.length]).toEqual([true, true]);
  });
});
