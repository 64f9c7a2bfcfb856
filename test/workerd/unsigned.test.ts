/** What stands before the origin may answer in its place; nothing of that is passed on, and no write is believed done. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { maySubstitute, type Outage } from '../../edge/cache/entry.ts';
import type { View } from '../../edge/cache/generations.ts';
import type { ScriptedAnswer } from '../support/scripted-origin.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ silent: true });
});
afterAll(() => world.close());

let asked = 0;
const answering = (answer: ScriptedAnswer) => {
  asked = 0;
  world.origin.script = () => (asked++, answer);
};
// An answer between, so that the failures of one case are not counted with those of the next.
beforeEach(async () => {
  answering({ status: 404 });
  expect((await world.get('/v2/films/between')).status).toBe(404);
});

const foreign: readonly (readonly [string, ScriptedAnswer])[] = [
  [
    'a load balancer that shows its maintenance page',
    {
      unsigned: true,
      status: 200,
      body: '<h1>back soon</h1>',
      headers: { 'content-type': 'text/html', 'set-cookie': 'lb=1', 'x-internal-host': 'lb-7.internal' },
    },
  ],
  ['a proxy that cannot reach the origin', { unsigned: true, status: 502, body: 'bad gateway', headers: { 'content-type': 'text/plain' } }],
  ['an overloaded one whose answer is for everybody', { unsigned: true, status: 503, headers: { 'cache-control': 'public, max-age=60' } }],
  ['one that knows no such document', { unsigned: true, status: 404 }],
  ['one that says that there is nothing new', { unsigned: true, status: 304, headers: { etag: '"x"' } }],
  [
    'an answer made for another request',
    { nonce: 'x'.repeat(22), body: '{"id":"x"}', headers: { etag: '"x"', 'content-type': 'application/json' } },
  ],
  [
    'an answer signed with a key that is not ours',
    { key: { id: 'k2', secret: new Uint8Array(32) }, body: '{"id":"x"}', headers: { etag: '"x"' } },
  ],
];

describe.each(foreign)('%s', (_what, answer) => {
  test('is no answer to a read, which is asked once more', async () => {
    answering(answer);
    const read = await world.get('/v2/films/x');
    expect(read.status).toBe(503);
    expect(await read.json()).toMatchObject({ code: 'origin_unavailable', detail: 'try again' });
    expect([...read.headers.keys()]).not.toContain('set-cookie');
    expect([read.headers.get('x-internal-host'), read.headers.get('etag'), read.headers.get('cache-control')]).toEqual([
      null,
      null,
      'no-store',
    ]);
    expect(asked).toBeWithin(1, 3);
  });

  test('is no answer to a write, which is not sent again and whose outcome is unknown', async () => {
    answering(answer);
    const write = await fetch(`${world.edge.url}/v2/films/x`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await world.issuer.token('ed', { payload: { roles: ['editor'] } })}` },
    });
    expect([write.status, await write.json()]).toMatchObject([
      503,
      { code: 'origin_unavailable', outcome: 'unknown', detail: expect.stringContaining('is not known') },
    ]);
    expect(write.headers.get('set-cookie')).toBeNull();
    expect(asked).toBe(1);
  });
});

test('of a signed answer only what is covered is passed on', async () => {
  world.origin.script = async ({ nonce }) => {
    const headers: Record<string, string> = { 'content-type': 'application/json', etag: '"e"', 'x-newer': 'signed' };
    const { sign } = await import('../support/scripted-origin.ts');
    const { toAnswerMessage } = await import('../../shared/hop/profile.ts');
    sign(headers, toAnswerMessage(200, (name) => headers[name] ?? null), { tag: 'tombolo-answer', key: world.origin.keys[0], nonce });
    return { unsigned: true, body: '{}', headers: { ...headers, 'x-added': 'on the way', 'set-cookie': 'a=b' } };
  };
  const answer = await world.get('/v2/films/y');
  expect([answer.status, answer.headers.get('x-newer'), answer.headers.get('x-added'), answer.headers.get('set-cookie')]).toEqual([
    200,
    'signed',
    null,
    null,
  ]);
});

describe('an old answer in an outage, where the resource shows what was last known', () => {
  const position = { epoch: 'a', order: '05' };
  const entry = {
    status: 200, body: new Uint8Array(), headers: [], etag: undefined, position, generations: ['03'], validatedAt: Date.now(),
    rightAt: Date.now(),
  } as const;
  const view = (generation: string, given: Partial<View> = {}): View => ({
    known: true, agreed: true, epoch: 'a', through: '09', generations: [generation], ...given,
  });
  const may = (given: Partial<Outage>) =>
    maySubstitute(
      { ...entry },
      { view: view('03'), gone: undefined, written: undefined, demanded: undefined, staleMsMax: 600_000, ...given },
    );

  test.each([
    ['nothing has changed', {}, true],
    ['nothing is known', { view: undefined }, true],
    ['it has changed', { view: view('07') }, false],
    ['it has changed, as far as is known', { view: view('07', { known: false }) }, false],
    ['the database is another one', { view: view('03', { epoch: 'b' }) }, false],
    ['the origins serve another declaration', { view: view('03', { agreed: false }) }, false],
    ['it has changed, and nothing of it is gone', { view: view('07'), gone: view('05') }, true],
    ['it has changed, and something of it is gone', { view: view('07'), gone: view('07') }, false],
    ['it has changed, and nobody knows what is gone', { view: view('07'), gone: undefined }, false],
    ['it was written through here, and nobody has reported that', { written: { epoch: 'a', order: '0a' } }, false],
    ['it was written through here, and what is reported includes that', { written: { epoch: 'a', order: '08' } }, true],
  ] as const)('%s: %o', (_what, given, expected) => expect(may(given)).toBe(expected));
});

describe('a rotation of keys', () => {
  const create = async () => fetch(`${world.edge.url}/v2/films`, {
    method: 'POST', body: JSON.stringify({ title: 'A', year: 2_000 }),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await world.issuer.token('ed', { payload: { roles: ['editor'] } })}`,
    },
  });
  const upload = async () => fetch(`${world.edge.url}/v2/films/import`, {
    method: 'POST', body: '{"title":"A","year":2000}\n',
    headers: {
      'content-type': 'application/x-ndjson',
      authorization: `Bearer ${await world.issuer.token('ed', { payload: { roles: ['editor'] } })}`,
    },
  });

  test('that has reached the edge first serves every request, and sends none twice that was done', async () => {
    const { keys } = world.origin;
    const [, old] = keys;
    if (old === undefined) throw new Error('the ring has one key');
    world.origin.keys = [old];
    answering({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } });
    for (const ask of [() => world.get('/v2/films/z'), create, upload, () => world.get('/v2/films?limit=3'), create]) {
      expect((await ask()).status).toBe(200);
    }
    expect(asked).toBe(5);
    world.origin.keys = keys;
  });

  test.each([
    ['edge', 1],
    ['origin', 0],
  ] as const)('that has reached the %s first leaves cached answers to be hit', async (_first, from) => {
    const other = await World.start();
    const { script, keys: [newer, old = newer] } = other.origin;
    other.write('kept', { title: 'Kept', year: 2_000, genres: [], cast: [] });
    await other.feed.tell();
    // Reports find their key by themselves (origin/purge/send-report.ts).
    await other.feed.pause();
    other.origin.keys = from === 1 ? [old] : [{ id: 'k3', secret: new Uint8Array(32).fill(7) }, newer, old];
    other.origin.script = async (seen) => ({ ...(await script(seen)), key: old });
    await other.mustHit('/v2/films/kept');
    await other.close();
  });

  test('that has reached the origin first serves every request', async () => {
    const { keys } = world.origin;
    const newest = { id: 'k3', secret: new Uint8Array(32).fill(7) };
    world.origin.keys = [newest, ...keys];
    // The answer is signed with the key of the request, as by a real origin.
    answering({ status: 200, body: '{}', headers: { 'content-type': 'application/json' }, key: keys[1] ?? keys[0] });
    for (const ask of [() => world.get('/v2/films/z'), create, upload]) expect((await ask()).status).toBe(200);
    expect(asked).toBe(3);
    world.origin.keys = keys;
  });
});
