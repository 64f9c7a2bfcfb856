/** A team's own operations as their callers see them: kept at the edge until the database changes what they were made of. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mailFileOf } from '../../origin/people/mail.ts';
import { createFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { freshWithinMs, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

describe.each(worldsOfBoth)('endpoints on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack })));
  afterAll(() => world.close());

  const review = async (film: string, fields: object) => {
    const answer = await world.request('/v2/reviews', {
      token: await world.token({ subject: 'rita' }),
      json: { film, author: 'rita', rating: 5, text: 'Seen.', status: 'published', ...fields },
    });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json<{ id: string }>().id;
  };
  const meansOf = (text: string) => (JSON.parse(text) as { data: { mean: number }[] }).data.map(({ mean }) => mean);

  test('a published review changes the best films within the bound, and a draft does not', async () => {
    const path = `/v2/films/top?genre=Top`;
    const { film } = await createFilm(world, { genres: ['Top'] });
    await review(film.id, { rating: 5 });
    await eventually('the first review', async () => meansOf((await world.request(path)).text).length === 1);
    const kept = await world.mustHit(path);
    expect(meansOf(kept.text)).toEqual([5]);
    expect(kept.headers.get('cache-control')).toBe('public, no-cache');
    expect(kept.headers.get('tombolo-depends')).toBeNull();
    expect((await world.request(path, { headers: { 'if-none-match': kept.etag } })).status).toBe(304);

    const draft = await review(film.id, { rating: 1, status: 'draft' });
    await world.mustHit(path);
    expect((await world.request(path, { token: await world.token({ subject: 'rita' }) })).text).toBe(kept.text);

    const published = await world.request(`/v2/reviews/${draft}`, {
      method: 'PATCH', token: await world.token({ subject: 'rita' }), body: '{"status":"published"}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(published.status).toBe(200);
    const seen = () => eventually('the new mean', async () => meansOf((await world.request(path)).text)[0] === 3, {
      msMax: freshWithinMs, everyMs: 20,
    });
    await seen();
    // Whoever brings the position of a write sees it at once.
    await world.mustHit(path);
    const second = await world.request('/v2/reviews', {
      token: await world.token({ subject: 'rita' }), json: { film: film.id, author: 'rita', rating: 3, text: '', status: 'published' },
    });
    const after = await world.request(path, { headers: { 'tombolo-position': second.position } });
    expect((JSON.parse(after.text) as { data: { reviews: number }[] }).data[0]?.reviews).toBe(3);
  });

  test('what does not concern the genre leaves its answer in the cache', async () => {
    const [{ film }, { film: other }] = [await createFilm(world, { genres: ['Calm'] }), await createFilm(world, { genres: ['Loud'] })];
    await review(film.id, {});
    const path = '/v2/films/top?genre=Calm';
    await eventually('the review', async () => meansOf((await world.request(path)).text).length === 1);
    const rateOther = async (rating: number, mean: number) => {
      await review(other.id, { rating });
      const loud = '/v2/films/top?genre=Loud';
      await eventually('the other review', async () => meansOf((await world.request(loud)).text)[0] === mean);
    };
    await rateOther(2, 2);
    // A memo from before the first review would let the edge hear of it later, and ask once more.
    await Bun.sleep(freshWithinMs);
    await world.mustHit(path);
    await rateOther(4, 3);
    expect((await world.request(path)).isHit).toBe(true);
  });

  // Of one process there is no edge left to answer.
  if (stack === 'workerd') test('what is not known to have changed stands in for an origin that is away, nothing else does', async () => {
    const { film } = await createFilm(world, { genres: ['Away'] });
    await review(film.id, {});
    const path = '/v2/films/top?genre=Away';
    await eventually('the review', async () => meansOf((await world.request(path)).text).length === 1);
    await world.mustHit(path);
    await world.origin.stop();
    try {
      const answer = await eventually('a stale answer', async () => {
        const found = await world.request(path);
        return found.cacheStatus.includes('stale-if-error') && found;
      });
      expect([answer.status, meansOf(answer.text)]).toEqual([200, [5]]);
      expect((await world.request('/v2/films/top?genre=Unheard')).code).toBe('origin_unavailable');
    } finally {
      await world.origin.start();
    }
    await world.mustHit(path);
  });

  test('an order is paid once, is shown as paid within the bound, and the same key has the same answer', async () => {
    const token = await world.token({ subject: 'anna', roles: [], tenant: 'acme' });
    const placed = await world.request('/v2/orders', {
      token, json: { tenant: 'acme', film: '0198c0de-0000-7000-8000-0000000000ee', seats: 2, buyer: 'anna' },
    });
    const { id } = placed.json<{ id: string }>();
    const path = `/v2/orders/${id}`;
    await world.mustHit(path, { token });
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const pay = (asking: object = {}) => world.request(`${path}/pay`, { token, json: { card: 'tok_ok' }, headers, ...asking });
    expect((await pay({ json: { card: 'tok_refused' }, headers: {} })).status).toBe(422);
    const paid = await pay();
    expect([paid.status, paid.json<object>()]).toEqual([200, { order: id, status: 'paid', cents: 2_500, receipt: expect.any(String) }]);
    const receipt = `/v2/jobs/${paid.json<{ receipt: string }>().receipt}`;
    const written = await eventually('the receipt', async () => {
      const job = await world.request(receipt, { token });
      return job.json<{ state: string }>().state === 'done' && job;
    });
    expect([written.status, written.json<object>()]).toMatchObject([200, { attempt: 1, result: { order: id, cents: 2_500 } }]);
    expect((await world.request(receipt, { token: await world.token({ subject: 'bob', roles: [], tenant: 'acme' }) })).status).toBe(404);
    expect((await world.request(receipt)).status).toBe(401);
    expect((await world.request(receipt, { token, method: 'DELETE' })).code).toBe('document_conflict');
    expect((await world.request('/v2/jobs', { token })).code).toBe('forbidden');
    expect((await world.request('/v2/jobs/x', { token })).status).toBe(404);
    expect((await world.request(path, { token, headers: { 'tombolo-position': paid.position } })).text).toContain('"status":"paid"');
    await eventually('the paid order', async () => (await world.request(path, { token })).text.includes('"paid"'), {
      msMax: freshWithinMs, everyMs: 20,
    });
    expect((await pay()).text).toBe(paid.text);
    expect((await pay({ headers: {} })).code).toBe('document_conflict');
    const other = await world.token({ subject: 'anna', roles: [], tenant: 'bolt' });
    expect((await pay({ token: other, headers: {} })).code).toBe('document_not_found');
    expect((await pay({ token: undefined, headers: {} })).status).toBe(401);
    expect((await world.request(`${path}/pay`, { token })).headers.get('allow')).toBe('POST, OPTIONS');
  });

  test('an order goes from its payment by its seats to its receipt, or leaves nothing behind', async () => {
    const [anna, editor] = [await world.token({ subject: 'anna', roles: [], tenant: 'acme' }), await world.token({ roles: ['editor'] })];
    const made = async (path: string, token: string, json: object) => {
      const answer = await world.request(path, { token, json });
      expect([path, answer.status, answer.status === 201 ? '' : answer.text]).toEqual([path, 201, '']);
      return answer.json<{ id: string; state: string }>();
    };
    const { film } = await createFilm(world);
    await made('/v2/cinemas', editor, { id: 'flow', name: 'Flow', city: 'Oulu', country: 'FI', kind: 'theatre', screens: 1 });
    const { id: screening } = await made('/v2/screenings', editor, {
      film: film.id, cinema: 'flow', screen: 1, startsAt: '2027-01-01T18:00:00.000Z', seatsLeft: 3,
    });
    const place = () => made('/v2/orders', anna, { tenant: 'acme', film: film.id, seats: 2, buyer: 'anna' });
    const begin = async (order: string, given: object = {}) => made('/v2/workflows', anna, {
      workflow: 'order', input: { order, screening, card: 'tok_ok', mail: 'anna@example.com', ...given },
    });
    const ended = ({ id }: { readonly id: string }) => eventually('the workflow has ended', async () => {
      const found = (await world.request(`/v2/workflows/${id}`, { token: anna })).json<{ state: string; error?: string }>();
      return ['done', 'undone'].includes(found.state) && found;
    });
    const now = { token: anna, headers: { 'cache-control': 'no-cache' } };
    const left = async (order: string) => [
      (await world.request(`/v2/orders/${order}`, now)).json<{ status: string }>().status,
      (await world.request(`/v2/screenings/${screening}`, now)).json<{ seatsLeft: number }>().seatsLeft,
    ];
    const mails = () => readFileSync(mailFileOf(world.dataDir), 'utf8');

    const [first, second] = [await place(), await place()];
    const whole = await begin(first.id);
    expect(await ended(whole)).toMatchObject({ state: 'done', steps: [{ name: 'payment' }, { name: 'seats' }, { name: 'receipt' }] });
    expect([await left(first.id), mails().split(`Message-ID: <${whole.id}-1-receipt>`).length]).toEqual([['paid', 1], 2]);
    expect(await ended(await begin(second.id))).toMatchObject({ state: 'undone', why: 'failed', error: '1 seats are left' });
    expect(await left(second.id)).toEqual(['placed', 1]);
    expect(await ended(await begin(second.id, { card: 'tok_no' }))).toMatchObject({ error: 'the card was refused' });
    expect([await left(second.id), mails().split(second.id).length]).toEqual([['placed', 1], 1]);

    const bob = await world.token({ subject: 'bob', roles: [], tenant: 'acme' });
    const path = `/v2/workflows/${whole.id}`;
    const asked = await Promise.all([
      world.request(path, { token: bob }), world.request(path), world.request(path, { token: anna, method: 'DELETE' }),
      world.request(`${path}/retry`, { token: anna, method: 'POST' }), world.request('/v2/workflows?state=done&limit=1', { token: anna }),
      world.request('/v2/workflows', { token: anna, json: { workflow: 'order', input: { order: 5 } } }),
    ]);
    expect(asked.map(({ status }) => status)).toEqual([404, 401, 409, 403, 200, 422]);
    expect(asked[4]?.json<{ data: { id: string }[] }>().data.map(({ id }) => id)).toEqual([whole.id]);
    // Who begins it for another's order learns no more than that it is not theirs.
    const stolen = await world.request('/v2/workflows', {
      token: bob, json: { workflow: 'order', input: { order: second.id, screening, card: 'tok_ok', mail: 'bob@example.com' } },
    });
    const { id } = stolen.json<{ id: string }>();
    const refusal = await eventually('it is undone', async () => {
      const found = (await world.request(`/v2/workflows/${id}`, { token: bob })).json<{ state: string; error?: string }>();
      return found.state === 'undone' && found.error;
    });
    expect([refusal, await left(second.id)]).toEqual(['you have no such order', ['placed', 1]]);
  });
});
