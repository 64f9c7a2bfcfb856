/**
 * The sample's own operations, and what the machinery under them promises whatever a handler does: one transaction, the
 * rules of each resource, one effect for each key.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import { films } from '../../../shared/resources/films.ts';
import { orders } from '../../../shared/resources/orders.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { principalHeader } from '../../support/signed-hop.ts';
import { engines } from '../../support/whole-world.ts';

const newId = () => Bun.randomUUIDv7();

describe.each([...engines])('on %s', (engine) => {
  let origin: Pipeline;
  beforeAll(async () => void (origin = await Pipeline.on(engine, served)));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function placeOrder(fields: Readonly<Record<string, string | number>> = {}): Promise<string> {
    const id = newId();
    await origin.put(orders, id, { tenant: 't1', film: newId(), seats: 2, buyer: 'ada', status: 'placed', rev: 1, ...fields });
    return id;
  }

  interface Paying {
    readonly card?: string;
    readonly subject?: string;
    readonly tenant?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }

  function pay(id: string, { card = 'tok_ok', subject = 'ada', tenant = 't1', headers = {}, body }: Paying = {}) {
    return origin.ask(`/v2/orders/${id}/pay`, {
      method: 'POST', body: body ?? JSON.stringify({ card }),
      headers: { 'tombolo-principal': principalHeader(subject, [], { tenant }), ...headers },
    });
  }

  const statusOf = async (id: string) => (await origin.stored(orders, id))?.['status'];

  test('the buyer pays a placed order once', async () => {
    const id = await placeOrder();
    const paid = await pay(id);
    expect([paid.status, paid.json]).toEqual([200, { order: id, status: 'paid', cents: 2_500, receipt: expect.any(String) as unknown }]);
    expect(paid.headers.get('tombolo-position')).toBeString();
    expect(await origin.stored(orders, id)).toMatchObject({ status: 'paid', rev: 2 });
    const again = await pay(id);
    expect([again.status, again.json['code']]).toEqual([409, 'document_conflict']);
    expect(await origin.stored(orders, id)).toMatchObject({ rev: 2 });
  });

  test('the same Idempotency-Key has the same answer, and another body under it is refused', async () => {
    const id = await placeOrder();
    const headers = { 'idempotency-key': newId() };
    const first = await pay(id, { headers });
    const second = await pay(id, { headers });
    expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
    expect((await pay(id, { headers, card: 'tok_other' })).json['code']).toBe('idempotency_mismatch');
    expect(await origin.stored(orders, id)).toMatchObject({ rev: 2 });
  });

  test('of many at once under different keys, one pays', async () => {
    const id = await placeOrder();
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay(id, { headers: { 'idempotency-key': newId() } })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 409)]);
    expect(await origin.stored(orders, id)).toMatchObject({ status: 'paid', rev: 2 });
  });

  test('a refused card changes nothing, and another card pays, under the same key too', async () => {
    const id = await placeOrder();
    const headers = { 'idempotency-key': newId() };
    const refused = await pay(id, { card: 'tok_refused', headers });
    expect([refused.status, refused.json['code'], refused.json['refused']]).toEqual([422, 'endpoint_refused', 'card']);
    expect(await origin.stored(orders, id)).toMatchObject({ status: 'placed', rev: 1 });
    expect((await pay(id, { headers })).status).toBe(200);
  });

  test('an order of another tenant is not there, and one of a colleague is not theirs to pay', async () => {
    const id = await placeOrder();
    const other = await pay(id, { tenant: 't2' });
    const absent = await pay(newId());
    expect([other.status, other.json['code'], other.json['detail']]).toEqual([404, 'document_not_found', absent.json['detail']]);
    expect(absent.status).toBe(404);
    expect((await pay(id, { subject: 'bob' })).status).toBe(403);
    const anonymous = Buffer.from('{"roles":[],"claims":{}}').toString('base64url');
    const nobody = await origin.ask(`/v2/orders/${id}/pay`, {
      method: 'POST', body: '{"card":"tok_ok"}', headers: { 'tombolo-principal': anonymous },
    });
    expect([nobody.status, nobody.json['code']]).toEqual([401, 'token_missing']);
    expect(await statusOf(id)).toBe('placed');
  });

  test('what is sent is held to the schema, and If-Match to the order', async () => {
    const id = await placeOrder();
    const wrong = await pay(id, { body: '{"card":"4242","tip":1}' });
    expect([wrong.status, wrong.json['code']]).toEqual([422, 'document_invalid']);
    expect((wrong.json['errors'] as { at: string }[]).map(({ at }) => at).sort()).toEqual(['/card', '/tip']);
    expect((await pay(id, { headers: { 'if-match': '"other"' } })).status).toBe(412);
    expect(await statusOf(id)).toBe('placed');
    const headers = { 'tombolo-principal': principalHeader('ada', [], { tenant: 't1' }) };
    const { headers: read } = await origin.ask(`/v2/orders/${id}`, { headers });
    expect((await pay(id, { headers: { 'if-match': read.get('etag') ?? '' } })).status).toBe(200);
  });

  describe('the films of a genre', () => {
    const review = (film: string, rating: number, status = 'published', author = 'bob') =>
      origin.put(reviews, newId(), { film, author, status, rating, text: '', rev: 1 });
    const film = async (title: string, genre: string) => {
      const id = newId();
      await origin.put(films, id, { title, year: 1950, genres: [genre], cast: [], rev: 1 });
      return id;
    };

    test('stand in the order of the mean rating of published reviews, whoever asks', async () => {
      const [good, fair] = [await film('Good', 'Ranked'), await film('Fair', 'Ranked')];
      await film('Unseen', 'Ranked');
      await Promise.all([review(good, 5), review(good, 4), review(fair, 3), review(fair, 5, 'draft', 'ada')]);
      const expected = { data: [
        { id: good, title: 'Good', year: 1950, mean: 4.5, reviews: 2 }, { id: fair, title: 'Fair', year: 1950, mean: 3, reviews: 1 },
      ] };
      for (const subject of ['ada', 'eve']) {
        const answer = await origin.ask('/v2/films/top?genre=Ranked', { subject });
        expect([answer.status, answer.json]).toEqual([200, expected]);
      }
      expect((await origin.ask('/v2/films/top?genre=Ranked&limit=1')).json['data']).toHaveLength(1);
    });

    test('come with what they were made of, and a tag of their bytes', async () => {
      const id = await film('Alone', 'Stated');
      await review(id, 4);
      const answer = await origin.ask('/v2/films/top?genre=Stated');
      expect(answer.headers.get('tombolo-depends')).toMatch(/^[0-9a-f]{16};films:\d+;reviews:\d+$/);
      expect(answer.headers.get('signature-input')).toContain('"tombolo-depends"');
      const again = await origin.ask('/v2/films/top?genre=Stated', { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } });
      expect(again.status).toBe(304);
    });

    test('are asked for by what the schema says', async () => {
      const codes = await Promise.all(['', '?genre=a&limit=21', '?genre=a&nope=1', '?genre=a&genre=b'].map(async (query) => {
        const { status, json } = await origin.ask(`/v2/films/top${query}`);
        return [status, json['code'], (json['errors'] as { at: string }[])[0]?.at];
      }));
      expect(codes).toEqual([
        [400, 'query_invalid', 'genre'], [400, 'query_invalid', 'limit'], [400, 'query_invalid', 'nope'], [400, 'query_invalid', 'genre'],
      ]);
    });
  });
});
