/** A feed through the edge: events as they happen, silence that ends no stream, and resumption without a gap. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { BrowserEventSource } from '../support/browser-event-source.ts';
import { EventStream, type ServerEvent } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

const film = '01890a5d-ac96-774b-bcce-b302099a8057';

describe.each(worldsOfBoth)('live on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack })));
  afterAll(() => world.close());

  const review = async (text: string, status = 'published'): Promise<string> => {
    const json = { film, author: 'alice', status, rating: 4, text };
    const answer = await world.request('/v2/reviews', { token: await world.token(), json });
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return answer.film.id;
  };
  const follow = async (headers: Readonly<Record<string, string>> = {}): Promise<EventStream> => {
    const response = await fetch(`${world.edge.url}/v2/reviews/changes`, { headers: { accept: 'text/event-stream', ...headers } });
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

  test('lets a browser come back by itself over a killed origin, with its ticket, and miss nothing', async () => {
    const given = await world.request('/v2/live/tickets', { method: 'POST', token: await world.token() });
    const { ticket } = JSON.parse(given.text) as { ticket: string };
    const reader = new BrowserEventSource(`${world.edge.url}/v2/reviews/changes?ticket=${ticket}`);
    await eventually('the stream is open', () => reader.state === 'open');
    await review('Before');
    await reader.hears((event) => textOf(event) === 'Before');
    for (const round of ['one', 'two']) {
      await world.origin.kill9();
      // The reader must have asked while no origin was there.
      const { tries } = reader;
      await eventually('it has asked in vain', () => reader.tries > tries, { msMax: 10_000 });
      await world.origin.start();
      await review(`After ${round}`);
      await reader.hears((event) => textOf(event) === `After ${round}`);
    }
    expect(reader.events.filter(({ name }) => name === 'created').map(textOf)).toEqual(['Before', 'After one', 'After two']);
    await reader.close();
  }, 60_000);

  test('refuses by name to begin at an id that is before after', async () => {
    const stream = await follow();
    const first = await stream.heardFrom();
    await review('Between');
    const second = (await stream.next())?.id ?? '';
    await stream.close();
    const both = (after: string, lastEventId: string) =>
      fetch(`${world.edge.url}/v2/reviews/changes?after=${after}`, { headers: { 'last-event-id': lastEventId } });
    for (const lastEventId of [first, 'nonsense']) {
      const refused = await both(second, lastEventId);
      expect([refused.status, await refused.json()]).toMatchObject([
        400,
        { code: 'query_invalid', errors: [{ at: 'after', in: 'query' }] },
      ]);
    }
    // A browser that began with `after` comes back with both.
    for (const lastEventId of [first, second]) {
      const again = await both(first, lastEventId);
      expect(again.status).toBe(200);
      await again.body?.cancel();
    }
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
