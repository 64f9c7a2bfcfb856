/** Webhooks at the origin: who makes them, what they are told, how deliveries are signed, fail, wait and go on. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { all, any, anyone, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { webhookLimits } from '../../../shared/webhooks/limits.ts';
import { webhookOperations as rows } from '../../../shared/webhooks/operations.ts';
import { deliveries, turns, webhooks } from '../../../shared/webhooks/resource.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { HookReceiver } from '../../support/hook-receiver.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, live: true, shapes: { all: {}, byTopic: { equal: ['topic'] } },
  rules: { read: any(role('admin'), owner('author')), write: anyone },
  schema: z.object({ author: z.string(), topic: z.string().optional(), text: z.string(), secret: z.string().optional() }),
  fieldRules: { secret: { read: role('admin'), write: anyone } },
});
const quiet = resource({
  name: 'quiet', id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: all(signedIn), write: anyone },
  schema: z.object({ text: z.string() }),
});
const served = contract(notes, quiet);

const ada: Principal = { subject: 'ada', roles: [], claims: { tenant: 'odeon' } };
const bob: Principal = { subject: 'bob', roles: [], claims: { tenant: 'odeon' } };
const olga: Principal = { subject: 'olga', roles: ['admin'], claims: { tenant: 'odeon' } };

describe.each(engines)('webhooks on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });

  const opening = async (pausesMs: readonly number[] = [1, 1, 1]) => {
    const own = { webhookTimes: { attemptMs: 500, pausesMs } };
    const origin = await DirectOrigin.on(engine, served, own, { TOMBOLO_WEBHOOKS_LOOPBACK: '1' });
    const receiver = new HookReceiver();
    opened.push(origin, receiver);
    return { origin, receiver };
  };
  const ask = (origin: DirectOrigin, name: keyof typeof rows, asking: DirectAsking) => origin.askBy(rows[name], execute, webhooks, asking);
  const make = async (origin: DirectOrigin, body: JsonObject, principal = ada) => {
    const made = await ask(origin, 'makeWebhook', { principal, body: { resource: 'notes', ...body } });
    expect([made.outcome, made.detail]).toEqual(['created', undefined]);
    return { id: String(made.json['id']), secret: String(made.json['secret']) };
  };
  const put = (origin: DirectOrigin, id: string, body: JsonObject) => origin.put(notes, id, body);
  const listed = async (origin: DirectOrigin, id: string, query = '', principal = ada) =>
    (await ask(origin, 'listDeliveries', { id, query, principal })).json['data'] as readonly JsonObject[];
  const until = (receiver: HookReceiver, count: number) =>
    eventually(`${count} were received`, async () => receiver.received.length >= count);

  test('tell what their maker may see, entering and leaving, signed so that Standard Webhooks takes it', async () => {
    const { origin, receiver } = await opening();
    const { id, secret } = await make(origin, { url: receiver.url(), payload: 'full' });
    await put(origin, 'a', { author: 'ada', text: 'one', secret: 'x' });
    await until(receiver, 1);
    await put(origin, 'b', { author: 'bob', text: 'not hers' });
    await put(origin, 'a', { author: 'ada', text: 'one', secret: 'y' });
    await put(origin, 'a', { author: 'ada', text: 'two' });
    await until(receiver, 2);
    await put(origin, 'a', { author: 'bob', text: 'two' });
    await until(receiver, 3);
    for (const each of receiver.received) HookReceiver.verify(each, secret);
    expect(receiver.received.map(({ body: { type, data } }) => [type, data['id'], data['document']])).toEqual([
      ['notes.created', 'a', { id: 'a', author: 'ada', text: 'one' }], ['notes.changed', 'a', { id: 'a', author: 'ada', text: 'two' }],
      ['notes.deleted', 'a', undefined],
    ]);
    await eventually('all are delivered', async () => (await listed(origin, id, '?state=delivered')).length === 3);
    const [last] = await listed(origin, id);
    expect(last).toMatchObject({ type: 'notes.deleted', state: 'delivered', attempts: 1, status: 200, answer: 'taken' });
  });

  test('are told what their filter finds, thin, by the events that they name', async () => {
    const { origin, receiver } = await opening();
    await make(origin, { url: receiver.url(), filter: 'topic=cats', events: ['created', 'deleted'] });
    await put(origin, 'a', { author: 'ada', text: 'one', topic: 'dogs' });
    await put(origin, 'a', { author: 'ada', text: 'one', topic: 'cats' });
    await put(origin, 'a', { author: 'ada', text: 'two', topic: 'cats' });
    await until(receiver, 1);
    await put(origin, 'a', { author: 'ada', text: 'two', topic: 'dogs' });
    await until(receiver, 2);
    expect(receiver.received.map(({ body }) => [body.type, Object.keys(body.data)])).toEqual([
      ['notes.created', ['id', 'position']], ['notes.deleted', ['id', 'position']],
    ]);
  });

  test('what is hidden by the time of an attempt is told by its id alone', async () => {
    const { origin, receiver } = await opening([300]);
    receiver.answer = () => new Response('no', { status: 500 });
    await make(origin, { url: receiver.url(), payload: 'full', events: ['created'] });
    await put(origin, 'a', { author: 'ada', text: 'one' });
    await until(receiver, 1);
    await put(origin, 'a', { author: 'bob', text: 'his' });
    await until(receiver, 2);
    expect(receiver.received.map(({ id }) => id)).toEqual([receiver.received[0]?.id ?? '', receiver.received[0]?.id ?? '']);
    expect(receiver.received.map(({ body }) => body.data['document'])).toEqual([{ id: 'a', author: 'ada', text: 'one' }, undefined]);
  });

  test('are made by whoever may read what they are told, with a URL that leads nowhere inside', async () => {
    const { origin, receiver } = await opening();
    const refusals = await Promise.all([
      { url: 'https://10.0.0.1/' }, { url: 'http://example.com/' }, { url: 'https://u:p@example.com/' }, { url: 'ftp://example.com/' },
      { url: receiver.url(), resource: 'quiet' }, { url: receiver.url(), resource: 'none' }, { url: receiver.url(), filter: 'text=a' },
      { url: receiver.url(), filter: 'limit=1' }, { url: receiver.url(), events: ['eaten'] }, { url: receiver.url(), more: 1 },
    ].map((body) => ask(origin, 'makeWebhook', { principal: ada, body: { resource: 'notes', ...body } })));
    expect(refusals.map(({ outcome, errors }) => [outcome, errors[0]?.at])).toEqual([
      ...['/url', '/url', '/url', '/url', '/resource', '/resource', '/filter', '/filter', '/events/0', '/more']
        .map((at) => ['document_invalid', at]),
    ]);
    expect((await ask(origin, 'listWebhooks', { principal: ada })).json['data']).toEqual([]);
    const key = { ...ada, key: { id: 'k', scopes: ['*:*'] } };
    expect((await ask(origin, 'listWebhooks', { principal: key })).outcome).toBe('key_restricted');
  });

  test('are their maker’s; admins of the tenant pause them, and others do not see them', async () => {
    const { origin, receiver } = await opening();
    const { id, secret } = await make(origin, { url: receiver.url() });
    const sees = await Promise.all([ada, bob, olga].map(async (principal) => (await ask(origin, 'getWebhook', { id, principal })).outcome));
    expect(sees).toEqual(['found', 'absent', 'found']);
    const { text } = await ask(origin, 'getWebhook', { id, principal: ada });
    expect(text).not.toContain('secret');
    const stored = JSON.stringify(await origin.stored(webhooks, id));
    expect(stored).not.toContain(secret.slice('whsec_'.length));
    const by = (name: keyof typeof rows, principal: Principal, body?: JsonObject) =>
      ask(origin, name, { id, principal, ...(body === undefined ? {} : { body }) });
    const outcomes = [
      await by('changeWebhook', olga, { url: receiver.url('/hers') }), await by('rotateWebhook', olga, {}), await by('testWebhook', olga),
      await by('listDeliveries', olga), await by('changeWebhook', bob, { paused: true }), await by('changeWebhook', olga, { paused: true }),
      await by('testWebhook', ada), await by('removeWebhook', bob), await by('removeWebhook', ada), await by('getWebhook', ada),
    ];
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      'forbidden', 'forbidden', 'forbidden', 'forbidden', 'document_not_found', 'written', 'document_conflict', 'document_not_found',
      'removed', 'absent',
    ]);
  });

  test('what their owner changes from another tenant is of that tenant, for its admins as for what is told', async () => {
    const { origin, receiver } = await opening();
    const { id } = await make(origin, { url: receiver.url() });
    const moved = { ...ada, claims: { tenant: 'rex' } };
    expect((await ask(origin, 'changeWebhook', { id, principal: moved, body: { paused: true } })).json['tenant']).toBe('odeon');
    expect((await ask(origin, 'changeWebhook', { id, principal: moved, body: { description: 'a' } })).json['tenant']).toBe('rex');
    const admins = [olga, { ...olga, claims: { tenant: 'rex' } }];
    const sees = await Promise.all(admins.map(async (principal) => (await ask(origin, 'getWebhook', { id, principal })).outcome));
    expect(sees).toEqual(['absent', 'found']);
    await ask(origin, 'changeWebhook', { id, principal: { ...ada, claims: {} }, body: { description: 'b' } });
    expect((await ask(origin, 'getWebhook', { id, principal: ada })).json).not.toHaveProperty('tenant');
  });

  test('of one owner there are so many', async () => {
    const { origin, receiver } = await opening();
    for (let made = 2; made < webhookLimits.ofOneMax; made++) await make(origin, { url: receiver.url(), paused: true });
    const more = () => ask(origin, 'makeWebhook', { principal: ada, body: { resource: 'notes', url: receiver.url() } });
    const outcomes = (await Promise.all([more(), more(), more(), more()])).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['created', 'created', 'document_conflict', 'document_conflict']);
  });

  test('a secret that is rotated signs beside the one before, for as long as was said', async () => {
    const { origin, receiver } = await opening();
    const { id, secret } = await make(origin, { url: receiver.url() });
    const rotated = async (overlapSeconds: number) =>
      String((await ask(origin, 'rotateWebhook', { id, principal: ada, body: { overlapSeconds } })).json['secret']);
    const second = await rotated(60);
    await ask(origin, 'testWebhook', { id, principal: ada });
    await until(receiver, 1);
    const third = await rotated(0);
    await ask(origin, 'testWebhook', { id, principal: ada });
    await until(receiver, 2);
    const [both, one] = receiver.received;
    if (both === undefined || one === undefined) throw new Error('nothing came');
    for (const each of [secret, second]) HookReceiver.verify(both, each);
    HookReceiver.verify(one, third);
    expect(() => HookReceiver.verify(one, second)).toThrow();
  });

  test('failed attempts are made again, then given up, listed and sent again; 410 and failures pause', async () => {
    const { origin, receiver } = await opening();
    const { id } = await make(origin, { url: receiver.url() });
    receiver.answer = () => new Response('token whsec_abcdefghijkl \u0000 broken', { status: 503 });
    await put(origin, 'a', { author: 'ada', text: 'one' });
    await eventually('it is dead', async () => (await listed(origin, id, '?state=dead')).length === 1);
    const [dead] = await listed(origin, id, '?state=dead');
    expect(dead).toMatchObject({ attempts: 4, status: 503, answer: 'token [redacted] broken', error: 'answered 503' });
    expect(new Set(receiver.received.map((each) => each.id))).toEqual(new Set([String(dead?.['id'])]));
    receiver.answer = () => new Response(null, { status: 204 });
    const resend = (body: JsonObject) => ask(origin, 'resendDeliveries', { id, principal: ada, body });
    expect((await resend({ delivery: String(dead?.['id']) })).json).toEqual({ resent: 1 });
    await eventually('it is delivered', async () => (await listed(origin, id, '?state=delivered')).length === 1);
    const range = { from: new Date(Date.now() - 60_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
    expect((await resend({ ...range, state: 'dead' })).json).toEqual({ resent: 0 });
    expect((await resend(range)).json).toEqual({ resent: 1 });
    expect((await resend({ ...range, from: '2020-01-01T00:00:00Z' })).errors[0]?.at).toBe('/from');
    expect((await resend({ delivery: `msg_${'0'.repeat(32)}` })).errors[0]?.at).toBe('/delivery');
    await until(receiver, 6);
    receiver.answer = () => new Response('gone', { status: 410 });
    await put(origin, 'b', { author: 'ada', text: 'one' });
    await eventually('it is paused', async () =>
      (await ask(origin, 'getWebhook', { id, principal: ada })).json['pausedBecause'] === 'gone');
  });

  test('while one is paused its deliveries are held, and go on with it, each once', async () => {
    const { origin, receiver } = await opening();
    const { id } = await make(origin, { url: receiver.url() });
    await ask(origin, 'changeWebhook', { id, principal: ada, body: { paused: true } });
    for (const note of ['a', 'b', 'c']) await put(origin, note, { author: 'ada', text: 'one' });
    await eventually('they are held', async () => (await listed(origin, id, '?state=held')).length === 3);
    expect(receiver.received).toEqual([]);
    await ask(origin, 'changeWebhook', { id, principal: ada, body: { paused: false } });
    await eventually('they are delivered', async () => (await listed(origin, id, '?state=delivered')).length === 3);
    expect(receiver.received.length).toBe(3);
  });

  test('a receiver that stalls costs its own attempts, and a Retry-After is heeded', async () => {
    const { origin, receiver } = await opening([1]);
    const slow = new HookReceiver();
    opened.push(slow);
    slow.answer = () => new Promise(() => undefined);
    const { id: stalled } = await make(origin, { url: slow.url() });
    const { id } = await make(origin, { url: receiver.url() });
    const begunAtMs = performance.now();
    for (let index = 0; index < 20; index++) await put(origin, `n${index}`, { author: 'ada', text: 'one' });
    await until(receiver, 20);
    const turnsOfItsOwn = Math.ceil((performance.now() - begunAtMs) / 500);
    expect(slow.received.length).toBeLessThanOrEqual(turnsOfItsOwn * webhookLimits.atOnceOfOneMax);
    await eventually('one ran out of time', async () =>
      (await listed(origin, stalled)).some(({ error }) => error === 'did not answer within 500 ms'));
    receiver.answer = () => new Response('busy', { status: 429, headers: { 'retry-after': '3600' } });
    await put(origin, 'z', { author: 'ada', text: 'one' });
    await until(receiver, 21);
    await eventually('it waits', async () => (await listed(origin, id, '?state=waiting')).some(({ status }) => status === 429));
    // Without the header the next attempt would come 1 ms later.
    await Bun.sleep(200);
    expect(receiver.received.length).toBe(21);
  });

  test('an ordered one tells of a document in the order of its changes, and what fails holds up its document alone', async () => {
    const { origin, receiver } = await opening([1, 1, 1, 1, 1]);
    const { id } = await make(origin, { url: receiver.url(), payload: 'full', ordered: true });
    const fails = new Map([['a', 4]]);
    receiver.answer = ({ body: { data } }) => {
      const left = fails.get(String(data['id'])) ?? 0;
      if (left > 0) fails.set(String(data['id']), left - 1);
      return new Response('', { status: left > 0 ? 500 : 200 });
    };
    for (let n = 0; n < 8; n++) for (const note of ['a', 'b']) await put(origin, note, { author: 'ada', text: `${n}` });
    await eventually('all are delivered', async () => (await listed(origin, id, '?state=delivered')).length === 16);
    const byId = new Map(receiver.received.map((each) => [each.id, each.body.data['document'] as JsonObject]));
    const told = (note: string) => [...byId.values()].flatMap((document) => (document['id'] === note ? [document['text']] : []));
    for (const note of ['a', 'b']) expect(told(note)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    const line = { equal: { webhook: [id] }, range: undefined, sort: [{ field: 'id', descending: false }], where: true } as const;
    expect((await origin.context.store.count(turns, line, 10, { deadline: Date.now() + 5_000 })).value).toBe(0);
  });

  test('while an ordered one is paused its lines wait, and what is given up lets the next one go', async () => {
    const { origin, receiver } = await opening([1]);
    const { id } = await make(origin, { url: receiver.url(), payload: 'full', ordered: true, paused: true });
    for (let n = 0; n < 3; n++) await put(origin, 'a', { author: 'ada', text: `${n}` });
    await eventually('two stand behind one', async () => (await listed(origin, id, '?state=queued')).length === 2);
    receiver.answer = ({ body: { data } }) => new Response('', { status: (data['document'] as JsonObject)['text'] === '0' ? 500 : 200 });
    await ask(origin, 'changeWebhook', { id, principal: ada, body: { paused: false } });
    await eventually('two are delivered', async () => (await listed(origin, id, '?state=delivered')).length === 2);
    expect((await listed(origin, id, '?state=dead')).length).toBe(1);
    expect(receiver.received.map(({ body: { data } }) => (data['document'] as JsonObject)['text'])).toEqual(['0', '0', '1', '2']);
  });

  test('a removed webhook leaves nothing', async () => {
    const { origin, receiver } = await opening();
    const { id } = await make(origin, { url: receiver.url() });
    await put(origin, 'a', { author: 'ada', text: 'one' });
    await until(receiver, 1);
    const told = receiver.received[0]?.id ?? '';
    await ask(origin, 'removeWebhook', { id, principal: ada });
    await eventually('its delivery is gone', async () => (await origin.stored(deliveries, told)) === undefined);
  });

  test('what was due at a stop is delivered after the next start', async () => {
    const { origin, receiver } = await opening([1_000, 1]);
    receiver.answer = () => new Response('no', { status: 500 });
    await make(origin, { url: receiver.url() });
    await put(origin, 'a', { author: 'ada', text: 'one' });
    await until(receiver, 1);
    receiver.answer = () => new Response('yes');
    await origin.restart();
    await until(receiver, 2);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  });
});
