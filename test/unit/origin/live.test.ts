/** The origin's side of live feeds: signed requests to a real origin on a real store. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { formatPrincipal } from '../../../shared/hop/principal-header.ts';
import { formatEventId } from '../../../shared/wire/event-id.ts';
import { positionPurpose } from '../../../shared/wire/position.ts';
import { hmac } from '../../../origin/hop/hmac.ts';
import { type Origin, startOrigin } from '../../../origin/server.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { EventStream } from '../../support/event-stream.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { signHop } from '../../support/signed-hop.ts';

let dir: string;
let origin: Origin;
const open: EventStream[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tombolo-live-'));
  origin = await start();
});

afterEach(async () => {
  for (const stream of open.splice(0)) await stream.close();
  await origin.close();
  rmSync(dir, { recursive: true });
});

function start(): Promise<Origin> {
  // Nobody listens on port 9: the purge sink is no part of this.
  return startOrigin(
    mustSettings({
      TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: dir, TOMBOLO_ORIGIN_PORT: '0', TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9',
      TOMBOLO_LOG_LEVEL: 'silent',
    }),
  );
}

async function ask(
  path: string,
  subject: string | undefined,
  { method = 'GET', json, lastEventId, stream }: { method?: string; json?: unknown; lastEventId?: string; stream?: string } = {},
): Promise<Response> {
  const principal = subject === undefined ? undefined : formatPrincipal({ subject, roles: [], claims: {} });
  const headers: Record<string, string> = {
    ...(principal === undefined ? {} : { 'tombolo-principal': principal }),
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    ...(stream === undefined ? {} : { 'tombolo-stream': stream }),
  };
  const { url, init } = signHop(testKeys, {
    url: `http://127.0.0.1:${origin.port}${path}`,
    method,
    headers,
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return fetch(url, init);
}

async function subscribe(subject: string | undefined, lastEventId?: string): Promise<EventStream> {
  const stream = new EventStream(await ask('/v2/reviews/changes', subject, lastEventId === undefined ? {} : { lastEventId }));
  open.push(stream);
  await stream.heardFrom();
  return stream;
}

/** As the edge gives it while the origin is away. */
function startId(stream: string): string {
  const text = formatEventId({ position: undefined, stream });
  const macs = mustKeyRing(testKeys).map((key) => hmac(key, `${positionPurpose} ${text}`).subarray(0, 16).toString('base64url'));
  return `${text}.${macs[0]}`;
}

const film = '0198c0de-0000-7000-8000-000000000000';

async function write(author: string, status: string, text: string): Promise<string> {
  const answer = await ask('/v2/reviews', author, { method: 'POST', json: { film, author, status, rating: 4, text } });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

const change = (author: string, id: string, patch: object) => ask(`/v2/reviews/${id}`, author, { method: 'PATCH', json: patch });
const textOf = (data: string | undefined) => (JSON.parse(data ?? '{}') as { text?: string }).text;

describe('a live feed', () => {
  test('tells each subscriber what they may see, judged on both images, and the id alone of what they may not', async () => {
    const alice = await subscribe('alice');
    const bob = await subscribe('bob');
    const id = await write('alice', 'draft', 'one');
    await change('alice', id, { text: 'two' });
    await change('alice', id, { status: 'published', text: 'three' });
    await change('alice', id, { status: 'draft', text: 'secret' });
    await change('alice', id, { status: 'published' });
    await ask(`/v2/reviews/${id}`, 'alice', { method: 'DELETE' });
    const mine = [await alice.next(), await alice.next(), await alice.next(), await alice.next(), await alice.next(), await alice.next()];
    expect(mine.map((event) => [event?.name, textOf(event?.data)])).toEqual([
      ['created', 'one'], ['updated', 'two'], ['updated', 'three'], ['updated', 'secret'], ['updated', 'secret'],
      ['deleted', undefined],
    ]);
    const seen = [await bob.next(), await bob.next(), await bob.next(), await bob.next()];
    expect(seen.map((event) => event?.name)).toEqual(['entered', 'left', 'entered', 'deleted']);
    expect(seen[1]?.data).toBe(JSON.stringify({ id }));
    expect(seen[3]?.data).toBe(JSON.stringify({ id }));
  });

  test('resumed from any event gives exactly those behind it, also after a restart of the origin', async () => {
    const first = await subscribe(undefined);
    const beginning = first.lastId;
    for (let n = 0; n < 30; n++) await write('alice', n % 3 === 0 ? 'draft' : 'published', String(n));
    const ids: string[] = [];
    const texts: (string | undefined)[] = [];
    for (let n = 0; n < 20; n++) {
      const event = await first.next();
      ids.push(event?.id ?? '');
      texts.push(textOf(event?.data));
    }
    expect(new Set(ids).size).toBe(20);
    await origin.close();
    origin = await start();
    for (const [index, id] of [beginning, ...ids].entries()) {
      const resumed = await subscribe(undefined, id);
      for (const text of texts.slice(index)) expect(textOf((await resumed.next())?.data)).toBe(text);
      await resumed.close();
    }
  });

  test.each(['nonsense', '0123456789abcdef.000000000001abcdef01.AAAAAAAAAAAAAAAAAAAAAA'])(
    'told the cursor %p says resync before anything newer',
    async (cursor) => {
      await write('alice', 'published', 'before');
      const stream = await subscribe('bob', cursor);
      expect((await stream.next())?.name).toBe('resync');
      await write('alice', 'published', 'after');
      expect(textOf((await stream.next())?.data)).toBe('after');
    },
  );

  test('ends with reconnect when the origin stops, and the last id is good for the next one', async () => {
    const stream = await subscribe(undefined);
    await write('alice', 'published', 'seen');
    expect((await stream.next())?.name).toBe('created');
    const closing = origin.close();
    const last = await stream.next();
    expect(last?.name).toBe('reconnect');
    expect(await stream.next()).toBeUndefined();
    await closing;
    origin = await start();
    await write('alice', 'published', 'while away');
    const again = await subscribe(undefined, last?.id);
    expect(textOf((await again.next())?.data)).toBe('while away');
  });

  test('of a ticket that was given after and found the origin away begins there once it is back', async () => {
    const first = await subscribe(undefined);
    for (const text of ['before', 'one', 'two']) await write('alice', 'published', text);
    const after = (await first.next())?.id ?? '';
    const stream = 'A'.repeat(22);
    const lastEventId = startId(stream);
    const opened = async (query: string) => {
      open.push(new EventStream(await ask(`/v2/reviews/changes${query}`, 'alice', { lastEventId, stream })));
      return open.at(-1);
    };
    const feed = await opened(`?after=${after}`);
    expect([textOf((await feed?.next())?.data), textOf((await feed?.next())?.data)]).toEqual(['one', 'two']);
    for (const query of ['', '?after=nonsense']) expect((await (await opened(query))?.next())?.name).toBe('resync');
  });

  test('is not there for a resource that is not live', async () => {
    expect((await ask('/v2/films/changes', 'alice')).status).toBe(404);
  });
});

