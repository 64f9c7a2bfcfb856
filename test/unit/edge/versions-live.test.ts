/** A live feed in an older version, by a socket and on both engines (SEMANTICS §13, §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { BrowserEventSource } from '../../support/browser-event-source.ts';
import type { EventStream, ServerEvent } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { plays, toVersioned } from '../../support/versioned-contract.ts';
import { engines } from '../../support/whole-world.ts';

const now = { title: 'A', seconds: 120, image: { url: 'u', width: 3 }, lines: [{ name: 'x', price: { amount: 4 } }], status: 'closed' };
const old = {
  title: 'A', minutes: 2, thumbnail: 'u', width: 3, lines: [{ name: 'x', cost: 4, vat: 0.2 }], rating: 0, meta: { alt: null },
};

/** The next one that is no heartbeat. */
async function heard(stream: EventStream): Promise<ServerEvent & { readonly told: JsonObject }> {
  for (let event = await stream.next(); event !== undefined; event = await stream.next()) {
    if (event.name !== 'heartbeat') return { ...event, told: JSON.parse(event.data) as JsonObject };
  }
  throw new Error('the stream has ended');
}

describe.each([...engines])('a feed in v1 on %s', (engine) => {
  let world: ContractWorld;
  beforeAll(async () => void (world = await ContractWorld.on(engine, toVersioned())));
  afterAll(() => world[Symbol.asyncDispose]());
  const create = (id: string) => world.request('/v2/plays', { json: { id, ...now } });

  test('tells of documents in its words, of what is gone by the id, and says that it ends', async () => {
    const { stream, headers } = await world.follow('/v1/plays/changes');
    expect([headers.get('api-version'), headers.get('deprecation')]).toEqual(['v1', '@1767225600']);
    expect(headers.get('link')).toContain('</v2/plays/changes>; rel="successor-version"');
    await stream.heardFrom();
    await create('a');
    const created = await heard(stream);
    expect([created.name, created.told]).toEqual(['created', expect.objectContaining({ id: 'a', ...old })]);
    for (const name of ['image', 'seconds', 'status', 'note']) expect(created.told).not.toHaveProperty(name);
    await world.patch('/v1/plays/a', { minutes: 3 });
    expect((await heard(stream)).told).toMatchObject({ minutes: 3, thumbnail: 'u' });
    await world.request('/v1/plays/a', { method: 'DELETE' });
    const deleted = await heard(stream);
    expect([deleted.name, deleted.told]).toEqual(['deleted', { id: 'a' }]);
    await stream.close();
  });

  test.each([['v1', 'v2'], ['v2', 'v1']])('gives ids in %s that resume in %s', async (first, second) => {
    const { stream } = await world.follow(`/${first}/plays/changes`);
    await stream.heardFrom();
    const id = `resumes-${first}`;
    await create(id);
    const { id: lastId } = await heard(stream);
    await stream.close();
    await world.patch(`/v2/plays/${id}`, { seconds: 240 });
    for (const [path, headers] of [['', { 'last-event-id': lastId }], [`?after=${lastId}`, {}]] as const) {
      const again = await world.follow(`/${second}/plays/changes${path}`, headers as Record<string, string>);
      const event = await heard(again.stream);
      expect([event.name, event.told]).toMatchObject(['updated', second === 'v1' ? { id, minutes: 4 } : { id, seconds: 240 }]);
      await again.stream.close();
    }
  });

  test('says resync for an id that it cannot resume, in whichever version, and goes on', async () => {
    for (const [version, told] of [['v1', old], ['v2', now]] as const) {
      const { stream } = await world.follow(`/${version}/plays/changes`, { 'last-event-id': 'nonsense' });
      const event = await heard(stream);
      expect([event.name, event.data]).toEqual(['resync', '{}']);
      await create(`after-${version}`);
      expect((await heard(stream)).told).toMatchObject(told);
      await stream.close();
    }
  });

  test('refuses parameters that a feed has not, in its own words', async () => {
    for (const name of ['minutes', 'thumbnail', 'seconds', 'status']) {
      const refused = await world.request(`/v1/plays/changes?${name}=1`, { headers: { accept: 'text/event-stream' } });
      const errors = refused.json['errors'] as readonly JsonObject[];
      expect([refused.status, refused.json['code'], errors.map(({ at }) => at)]).toEqual([400, 'query_invalid', [name]]);
    }
  });

  test.each(['/v1/plays/changes?', '/plays/changes?version=v1&'])('is opened by a browser with a ticket at %s', async (path) => {
    const token = await world.issuer.token('ed');
    const given = await world.request('/v1/live/tickets', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    expect([given.status, given.headers.get('api-version'), given.headers.get('deprecation')]).toEqual([201, 'v1', '@1767225600']);
    const reader = new BrowserEventSource(`${world.url}${path}ticket=${String(given.json['ticket'])}`);
    await eventually('the stream is open', () => reader.state === 'open');
    const id = `ticket-${path.length}`;
    await create(id);
    const event = await reader.hears(({ data }) => data.includes(id));
    expect(JSON.parse(event.data)).toMatchObject(old);
    await reader.close();
  });
});

describe('a version whose end comes', () => {
  test('ends its streams then, and a browser that comes back is told that it is gone', async () => {
    const end = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_000);
    await using world = await ContractWorld.on('sqlite', toVersioned({ sunset: `${end.toISOString().slice(0, 19)}Z` }));
    const reader = new BrowserEventSource(`${world.url}/v1/plays/changes`);
    const { stream } = await world.follow('/v2/plays/changes');
    await eventually('the stream is open', () => reader.state === 'open');
    await world.origin.put(plays, 'a', now);
    expect(JSON.parse((await reader.hears(({ name }) => name === 'created')).data)).toMatchObject(old);
    await reader.hears(({ name }) => name === 'reconnect', 5_000);
    expect(Date.now()).toBeGreaterThanOrEqual(end.getTime() - 50);
    await eventually('it has given up', () => reader.failure?.startsWith('410'), { msMax: 5_000 });
    expect(reader.failure).toContain('version_gone');
    await world.origin.put(plays, 'b', now);
    expect([(await heard(stream)).told['id'], (await heard(stream)).told['id']]).toEqual(['a', 'b']);
    await reader.close();
  }, 20_000);
});
