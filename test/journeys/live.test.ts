/** A feed through the edge: events as they happen, quiet without end, and the way back without a hole. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { EventStream, type ServerEvent } from '../support/event-stream.ts';
import { engines, startWorld, type World } from '../support/whole-world.ts';

const film = '01890a5d-ac96-774b-bcce-b302099a8057';

describe.each([...engines])('live on %s', (engine) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine })));
  afterAll(() => world.close());

  const review = async (text: string, status = 'published'): Promise<string> => {
    const json = { film, author: 'alice', status, rating: 4, text };
    const answer = await world.request('/v1/reviews', { token: await world.token(), json });
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return answer.film.id;
  };
  const follow = async (headers: Readonly<Record<string, string>> = {}): Promise<EventStream> => {
    const response = await fetch(`${world.edge.url}/v1/reviews/changes`, { headers: { accept: 'text/event-stream', ...headers } });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    return new EventStream(response);
  };
  const textOf = (event: ServerEvent | undefined): string | undefined => (JSON.parse(event?.data ?? '{}') as { text?: string }).text;

  test('tells a reader of what is published as it happens, and nothing of drafts', async () => {
    const stream = await follow();
    await stream.heardFrom();
    await review('A draft', 'draft');
    await review('Seen');
    const event = await stream.next();
    expect([event?.name, textOf(event)]).toEqual(['created', 'Seen']);
    await stream.close();
  });

  test('stays open, although nothing happens, for longer than any request may take', async () => {
    const stream = await follow();
    const next = stream.next();
    // The bound that this must outlive is that of ordinary requests, 10 s: it has to pass.
    await Bun.sleep(11_000);
    await review('After a quiet time');
    expect(textOf(await next)).toBe('After a quiet time');
    await stream.close();
  });

  test('goes on from the last id, over a killed origin, without a hole', async () => {
    const stream = await follow();
    await stream.heardFrom();
    await review('First');
    const lastId = (await stream.next())?.id ?? '';
    await stream.close();
    await review('Missed one');
    await world.origin.kill9();
    await world.origin.start();
    await review('Missed two');
    const again = await follow({ 'last-event-id': lastId });
    expect([textOf(await again.next()), textOf(await again.next())]).toEqual(['Missed one', 'Missed two']);
    await again.close();
  });

  test('is told when the origin stops, so that it comes back', async () => {
    const stream = await follow();
    await stream.heardFrom();
    await world.origin.stop();
    expect((await stream.next())?.name).toBe('reconnect');
    expect(await stream.next()).toBeUndefined();
    await world.origin.start();
  });
});
