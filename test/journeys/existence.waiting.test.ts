/** Through the edge as through the origin: a draft of somebody else is answered as a review that does not exist. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Answer } from '../support/answer.ts';
import { type Asking, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

const film = '0198c0de-0000-7000-8000-0000000000ee';
const absent = '0198c0de-0000-7000-8000-0000000000ff';
const review = (author: string) => ({ film, author, status: 'draft', rating: 3, text: 'secret' });

describe.each(worldsOfBoth)('a hidden document on %s in %s', (engine, stack) => {
  let world: World;
  let hidden: Answer;
  let bob: string;
  beforeAll(async () => {
    world = await startWorld({ engine, stack, memoMs: 50 });
    hidden = await world.request('/v2/reviews', { token: await world.token({ subject: 'alice' }), json: review('alice') });
    bob = await world.token({ subject: 'bob', roles: ['moderator'] });
    expect(hidden.status).toBe(201);
  });
  afterAll(async () => {
    const left = await world.request(`/v2/reviews/${hidden.film.id}`, { token: await world.token({ subject: 'alice' }) });
    expect(left.film.rev).toBe(11);
    await world.close();
  });

  test('is answered like an absent one, whatever the method and the condition', async () => {
    const lists = ['*', '"x"', hidden.etag, `W/${hidden.etag}`, `"x",,${hidden.etag}`];
    const conditions = [
      {},
      ...lists.flatMap((list) => [{ 'if-match': list }, { 'if-none-match': list }]),
      { 'cache-control': 'only-if-cached' },
    ];
    const merge = { 'content-type': 'application/merge-patch+json' };
    const asking: readonly Asking[] = [
      {},
      { method: 'HEAD' },
      { method: 'PUT', json: review('bob') },
      { method: 'PATCH', headers: merge, body: '{"text":"x"}' },
      { method: 'DELETE' },
    ];
    for (const condition of conditions) for (const each of asking) for (const token of [{ token: bob }, {}]) {
      const ask = (id: string) => world.request(`/v2/reviews/${id}`, { ...each, ...token, headers: { ...each.headers, ...condition } });
      const [there, not] = [told(await ask(hidden.film.id)), told(await ask(absent))];
      expect([each.method, condition, there]).toEqual([each.method, condition, not]);
    }
  });

  test('is so also while it changes, whatever is stored', async () => {
    const alice = await world.token({ subject: 'alice' });
    const ask = async (id: string) => told(await world.request(`/v2/reviews/${id}`, { token: bob }));
    await Promise.all([ask(hidden.film.id), ask(absent)]);
    for (let round = 0; round < 10; round++) {
      const changed = await world.request(`/v2/reviews/${hidden.film.id}`, {
        method: 'PATCH',
        token: alice,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ text: `round ${round}` }),
      });
      expect(changed.status).toBe(200);
      // By then no isolate believes what it heard before the change.
      await Bun.sleep(300);
      expect(await ask(hidden.film.id)).toEqual(await ask(absent));
    }
  });

  test('is answered so to a row of an import that names it', async () => {
    for (const onDuplicate of ['reject', 'skip', 'replace', 'merge']) {
      const ask = (id: string) =>
        world.request(`/v2/reviews/import?onDuplicate=${onDuplicate}`, {
          token: bob,
          body: JSON.stringify({ id, ...review('bob') }),
          headers: { 'content-type': 'application/x-ndjson' },
        });
      expect(told(await ask(hidden.film.id))).toEqual(told(await ask(absent)));
    }
  });
});

/** All but what is of one request or moment. */
function told({ status, headers, text }: Answer): object {
  const ofTheMoment = new Set(['x-request-id', 'date', 'age', 'ratelimit', 'server-timing', 'tombolo-position']);
  return {
    status,
    text: text.replace(/req_[0-9a-f]+/, '<request>').replace(/"traceId":"[^"]+"/, '"traceId":"<trace>"')
      .replace(/"position":"[^"]+"/, '"position":"<position>"'),
    headers: [...headers].filter(([name]) => !ofTheMoment.has(name)),
  };
}
