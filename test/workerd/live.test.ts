/** Change feeds and their tickets in real workerd, before an origin whose streams the test writes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { signPosition, verifyPosition } from '../../origin/tokens.ts';
import { mustKeyRing } from '../../shared/hop/keys.ts';
import { ScriptedStream, StreamReader } from '../support/event-source.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { codeOf, World } from '../support/world.ts';

let world: World;
const persistDir = mkdtempSync(join(tmpdir(), 'tombolo-live-edge-'));
let stream: ScriptedStream;
beforeAll(async () => {
  world = await World.start({
    workerModule: 'test/workerd/workers/limits.worker.ts',
    silent: true,
    persistDir,
    corsOrigins: 'https://app.test',
    variables: { TOMBOLO_ANONYMOUS_PLAN: 'leased' },
  });
});
afterAll(async () => {
  await world.close();
  rmSync(persistDir, { recursive: true });
});
beforeEach(() => {
  begin();
  world.origin.script = () => ({ body: stream.body, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
});

/** Sends a comment, which brings the head with it. */
function begin(): void {
  stream = new ScriptedStream();
  stream.send('id: p0\n\n');
}

let callers = 0;
const bearer = async (expiresIn = 300) => ({
  authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub: `usr_${++callers}`, tenant: 'north' }, expiresIn })}`,
});
const refusalOf = async (response: Response) => [response.status, await codeOf(response)];
const deadline = () => Number(world.lastAsked().headers.get('tombolo-deadline'));

async function open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const response = await world.get(path, { accept: 'text/event-stream', ...headers });
  expect(response.status).toBe(200);
  return response;
}

async function ticketFor(headers: Readonly<Record<string, string>>): Promise<string> {
  const response = await world.get('/v2/live/tickets', headers, 'POST');
  expect(response.status).toBe(201);
  return ((await response.json()) as { ticket: string }).ticket;
}

describe('a change feed', () => {
  test('streams through as it comes, and is kept by nobody', async () => {
    const response = await open('/v2/notes/changes');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-status')).toBe('tombolo; fwd=bypass; fwd-status=200');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('ratelimit')).not.toBeNull();
    const reader = new StreamReader(response);
    expect(await reader.next()).toBe('id: p0\n\n');
    for (const piece of ['event: created\nid: p1\n', 'data: {}\n\n']) {
      stream.send(piece);
      expect(await reader.next()).toBe(piece);
    }
    stream.end();
    expect(await reader.next()).toBeUndefined();
  });

  test('passes on where the client stands, by header or by parameter', async () => {
    await new StreamReader(await open('/v2/notes/changes', { 'last-event-id': 'p7' })).leave();
    expect(world.lastAsked().headers.get('last-event-id')).toBe('p7');
    begin();
    await (await world.get('/v2/notes/changes?after=p8', {}, 'HEAD')).text();
    expect(world.lastAsked().query).toBe('?after=p8');
  });

  test('ends at the origin when the client leaves', async () => {
    const reader = new StreamReader(await open('/v2/notes/changes'));
    await reader.next();
    await reader.leave();
    stream.send('id: p1\n\n');
    await stream.left;
  });

  test('does not outlive the token, and lives an hour at most', async () => {
    await new StreamReader(await open('/v2/notes/changes', await bearer(120))).leave();
    expect(deadline()).toBeWithin(110_000, 120_001);
    begin();
    await new StreamReader(await open('/v2/notes/changes', await bearer(10_000))).leave();
    expect(deadline()).toBe(3_600_000);
  });

  test('is named by the edge alone: what a client calls its stream goes no further', async () => {
    const sent = { accept: 'text/event-stream', 'tombolo-stream': 'another', 'tombolo-keeps': 'text' };
    await new StreamReader(await world.get('/v2/notes/changes', sent)).leave();
    expect(['tombolo-stream', 'tombolo-keeps'].map((name) => world.lastAsked().headers.get(name))).toEqual([null, null]);
  });

  test('is refused to whoever does not take events, and with parameters that it does not have', async () => {
    for (const accept of ['application/json', 'text/html, application/json;q=0.9', 'text/event-stream;q=0'])
      expect(await refusalOf(await world.get('/v2/notes/changes', { accept }))).toEqual([406, 'not_acceptable']);
    expect(await refusalOf(await world.get('/v2/notes/changes?from=p1'))).toEqual([400, 'query_invalid']);
    expect(await refusalOf(await world.get('/v2/films/changes'))).toEqual([404, 'route_not_found']);
  });
});

/** The key by which the origin signs the ids of events. */
const key = mustKeyRing(testKeys)[0];
const position = { epoch: 'a'.repeat(16), order: '00000001' };
/** The stream as the edge named it to the origin. */
const streamAsked = () => world.lastAsked().headers.get('tombolo-stream') ?? '';

describe('a feed whose origin is away', () => {
  test('ends as one to come back to, for whoever takes events, and is a failure in the log', async () => {
    const { port } = world.origin;
    for (const isThere of [true, false]) {
      if (isThere) world.origin.script = () => ({ status: 503, body: '{}', headers: { 'content-type': 'application/problem+json' } });
      else await world.origin.stop();
      const response = await open('/v2/notes/changes');
      expect([response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual(['text/event-stream', 'no-store']);
      const retryMs = Number(/^retry: (\d+)\n\n$/.exec(await response.text())?.[1]);
      expect(retryMs).toBeWithin(1_000, 4_001);
      const [line = ''] = await world.logged(`feed.away","requestId":"${response.headers.get('x-request-id')}`);
      expect(JSON.parse(line)).toMatchObject({ level: 'warn', event: 'feed.away', status: 503 });
    }
    world.origin.start(port);
    world.origin.script = () => ({ status: 503, body: '{}', headers: { 'content-type': 'application/problem+json' } });
    expect((await world.get('/v2/notes/changes', { accept: '*/*' })).status).toBe(503);
    expect((await world.get('/v2/notes', { accept: 'application/json' })).status).toBe(503);
    world.origin.script = () => ({ status: 400, body: '{}', headers: { 'content-type': 'application/problem+json' } });
    expect((await world.get('/v2/notes/changes', { accept: 'text/event-stream' })).status).toBe(400);
  });
});

describe('a ticket', () => {
  test('opens its stream again for whoever has heard it, as long as that may last, and for nobody else', async () => {
    const [mine, other] = [await ticketFor(await bearer(20_000)), await ticketFor(await bearer(20_000))];
    await new StreamReader(await open(`/v2/notes/changes?ticket=${mine}`)).leave();
    const stream = streamAsked();
    expect(stream).toMatch(/^[A-Za-z0-9_-]{22}$/);
    begin();
    await new StreamReader(await open(`/v2/notes/changes?ticket=${other}`)).leave();
    const heard = signPosition(position, key, stream);
    const before = world.origin.seen.length;
    for (const lastEventId of [
      'p7',
      signPosition(position, key),
      signPosition(position, key, streamAsked()),
      `${heard.slice(0, -2)}AA`,
      heard.replace(stream, 'A'.repeat(22)),
    ]) {
      expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${mine}`, { 'last-event-id': lastEventId }))).toEqual([
        401,
        'token_invalid',
      ]);
    }
    expect(world.origin.seen.length).toBe(before);
    for (let n = 0; n < 3; n++) {
      begin();
      await new StreamReader(await open(`/v2/notes/changes?ticket=${mine}`, { 'last-event-id': heard })).leave();
      expect([world.lastAsked().headers.get('last-event-id'), streamAsked()]).toEqual([heard, stream]);
    }
    await world.get('/.test/clock?ms=3590000');
    begin();
    await new StreamReader(await open(`/v2/notes/changes?ticket=${mine}`, { 'last-event-id': heard })).leave();
    expect(deadline()).toBeWithin(1_000, 10_001);
    await world.get('/.test/clock?ms=3601000');
    const late = await world.get(`/v2/notes/changes?ticket=${mine}`, { 'last-event-id': heard });
    expect(await refusalOf(late)).toEqual([401, 'token_invalid']);
    await world.get('/.test/clock?ms=0');
  });

  test('that was taken while the origin is away is good for the way back', async () => {
    const ticket = await ticketFor(await bearer());
    world.origin.script = () => ({ status: 503, body: '{}' });
    const id = /^id: (\S+)$/m.exec(await (await open(`/v2/notes/changes?ticket=${ticket}`)).text())?.[1] ?? '';
    expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${ticket}`))).toEqual([401, 'token_invalid']);
    expect(await (await open(`/v2/notes/changes?ticket=${ticket}`, { 'last-event-id': id })).text()).not.toContain('id:');
    world.origin.script = () => ({ body: stream.body, headers: { 'content-type': 'text/event-stream' } });
    await new StreamReader(await open(`/v2/notes/changes?ticket=${ticket}`, { 'last-event-id': id })).leave();
    expect(verifyPosition(id, [key])).toEqual({ position: undefined, stream: streamAsked() });
  });

  test('that was never given out leaves nothing behind', async () => {
    const objects = () => [...new Bun.Glob('**/*Tickets*/*.sqlite').scanSync(persistDir)].length;
    await ticketFor(await bearer());
    const before = objects();
    expect(before).toBeGreaterThan(0);
    for (let n = 0; n < 50; n++) {
      const invented = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url');
      for (const ticket of [`tkt_${invented.slice(0, 43)}`, `tkt_${invented.slice(0, 43)}.${invented.slice(0, 21)}A`]) {
        expect((await world.get(`/v2/notes/changes?ticket=${ticket}`)).status).toBe(401);
      }
    }
    expect(objects()).toBe(before);
  });

  test('opens one feed as the one who got it, and never reaches the origin', async () => {
    const headers = await bearer(120);
    const ticket = await ticketFor(headers);
    expect(ticket).toMatch(/^tkt_[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{22}$/);
    await new StreamReader(await open(`/v2/reviews/changes?ticket=${ticket}&after=p1`, { origin: 'https://app.test' })).leave();
    expect(world.lastAsked().query).toBe('?after=p1');
    expect(world.principalAsked()).toEqual({
      subject: `usr_${callers}`,
      roles: [],
      claims: { tenant: 'north' },
    });
    expect(JSON.stringify([...world.lastAsked().headers])).not.toContain(ticket);
    expect(deadline()).toBeWithin(110_000, 120_001);
  });

  test('is good once, also when it is used by many at once', async () => {
    const ticket = await ticketFor(await bearer());
    world.origin.script = () => ({ body: ':\n', headers: { 'content-type': 'text/event-stream' } });
    const all = await Promise.all(Array.from({ length: 40 }, () => world.get(`/v2/notes/changes?ticket=${ticket}`)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const response of all) if (response.status !== 200) expect(await refusalOf(response)).toEqual([401, 'token_invalid']);
  });

  test('is good for half a minute', async () => {
    const [early, late] = [await ticketFor(await bearer(900)), await ticketFor(await bearer(900))];
    await world.get('/.test/clock?ms=29000');
    expect((await world.get(`/v2/notes/changes?ticket=${early}`, {}, 'HEAD')).status).toBe(200);
    await world.get('/.test/clock?ms=31000');
    expect((await world.get(`/v2/notes/changes?ticket=${late}`, {}, 'HEAD')).status).toBe(401);
    await world.get('/.test/clock?ms=0');
  });

  test('that was never given out is refused', async () => {
    for (const ticket of ['', 'x', `tkt_${'A'.repeat(43)}`, `tkt_${'A'.repeat(4_000)}`, '%00'])
      expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${ticket}`))).toEqual([401, 'token_invalid']);
  });

  test('is given to whoever is signed in alone', async () => {
    const response = await world.get('/v2/live/tickets', {}, 'POST');
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="tombolo"');
    expect(await refusalOf(response)).toEqual([401, 'token_missing']);
    expect((await world.get('/v2/live/tickets', await bearer())).status).toBe(405);
    const given = await world.get('/v2/live/tickets', await bearer(), 'POST');
    expect([given.headers.get('cache-control'), given.headers.get('ratelimit') === null]).toEqual(['no-store', false]);
    expect(await given.json()).toEqual({ ticket: expect.any(String), expiresIn: 30 });
  });

  test('is not taken from a page of an origin that is not declared, and is still good for one that is', async () => {
    const ticket = await ticketFor(await bearer());
    for (const headers of [
      { origin: 'https://evil.test' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'none' },
    ]) {
      expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${ticket}`, headers as Record<string, string>))).toEqual([
        403,
        'origin_not_allowed',
      ]);
    }
    const response = await open(`/v2/notes/changes?ticket=${ticket}`, { origin: 'https://app.test', 'sec-fetch-site': 'cross-site' });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test');
    await new StreamReader(response).leave();
  });

  test('is refused beside a token, twice, and on every other route', async () => {
    const headers = await bearer();
    const ticket = await ticketFor(headers);
    expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${ticket}`, headers))).toEqual([400, 'query_invalid']);
    expect(await refusalOf(await world.get(`/v2/notes/changes?ticket=${ticket}&ticket=${ticket}`))).toEqual([400, 'query_invalid']);
    const asked = world.origin.seen.length;
    for (const [path, method] of [
      ['/v2/notes', 'GET'],
      ['/v2/notes/a', 'GET'],
      ['/v2/notes/a', 'DELETE'],
      ['/v2/live/tickets', 'POST'],
    ] as const) {
      expect(await refusalOf(await world.get(`${path}?ticket=${ticket}`, {}, method))).toEqual([400, 'query_invalid']);
    }
    expect(world.origin.seen.length).toBe(asked);
  });

  test('is in no log, and in no answer but the one that gives it', async () => {
    const tickets = [await ticketFor(await bearer()), await ticketFor(await bearer()), `tkt_${'B'.repeat(43)}`];
    const answers = [
      await open(`/v2/notes/changes?ticket=${tickets[0]}`),
      await world.get(`/v2/notes/changes?ticket=${tickets[0]}`), await world.get(`/v2/notes?ticket=${tickets[1]}`),
      await world.get(`/v2/notes/changes?ticket=${tickets[1]}&nope=1`), await world.get(`/v2/notes/changes?ticket=${tickets[2]}`),
    ];
    stream.end();
    const told = await Promise.all(answers.map(async (answer) => JSON.stringify([...answer.headers]) + (await answer.text())));
    // The log comes in order: with the last refusal all are there.
    await world.logged(answers.at(-1)?.headers.get('x-request-id') ?? '-');
    for (const ticket of tickets) expect([...told, ...world.log].filter((text) => text.includes(ticket.slice(4)))).toEqual([]);
  });
});
