/** Deliveries of webhooks come to an end, whatever becomes of their webhook and their job: none stays where nothing takes it on. */
import { afterEach, describe, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { laneOf } from '../../../origin/webhooks/delivery-job.ts';
import { removing } from '../../../origin/webhooks/delivery-writes.ts';
import { endsOfLost } from '../../../origin/webhooks/lost-jobs.ts';
import { newSecret, sealSecret } from '../../../origin/webhooks/secrets.ts';
import { type Contract, contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, owner, role } from '../../../shared/contract/rules.ts';
import { jobOperations } from '../../../shared/jobs/operations.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { webhookOperations as rows } from '../../../shared/webhooks/operations.ts';
import { deliveries, turns, webhooks } from '../../../shared/webhooks/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { HookReceiver } from '../../support/hook-receiver.ts';
import { openRawDatabase } from '../../support/raw-documents.ts';
import { engines } from '../../support/whole-world.ts';

const declared = {
  name: 'notes', id: { kind: 'string', format: z.string() }, live: true,
  rules: { read: any(role('admin'), owner('author')), write: anyone },
  schema: z.object({ author: z.string(), topic: z.string().optional(), text: z.string() }),
} as const;
const notes = resource({ ...declared, shapes: { all: {}, byTopic: { equal: ['topic'] } } });
const unfiltered = resource({ ...declared, shapes: { all: {} } });
const day = 86_400_000;
const ada = { subject: 'ada', roles: [], claims: { tenant: 'odeon' } };
const root = { subject: 'root', roles: ['admin'], claims: {} };

describe.each(engines)('deliveries on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });

  const opening = async (pausesMs: readonly number[] = [1, 1, 1]) => {
    const own = { webhookTimes: { attemptMs: 500, pausesMs } };
    const origin = await DirectOrigin.on(engine, contract(notes), own, { TOMBOLO_WEBHOOKS_LOOPBACK: '1' });
    const receiver = new HookReceiver();
    opened.push(origin, receiver);
    return { origin, receiver };
  };
  const ask = (origin: DirectOrigin, name: keyof typeof rows, asking: DirectAsking) =>
    origin.askBy(rows[name], execute, webhooks, { principal: ada, ...asking });
  const make = async (origin: DirectOrigin, body: JsonObject) =>
    String((await ask(origin, 'makeWebhook', { body: { resource: 'notes', ...body } })).json['id']);
  const change = (origin: DirectOrigin, id: string, body: JsonObject) => ask(origin, 'changeWebhook', { id, body });
  const put = (origin: DirectOrigin, id: string, more: JsonObject = {}) => origin.put(notes, id, { author: 'ada', text: 'one', ...more });
  /** Leaves a delivery as no request does. */
  const rewrite = async (origin: DirectOrigin, id: string, more: JsonObject) => {
    const { id: _id, ...stored } = (await origin.stored(deliveries, id)) ?? {};
    await origin.put(deliveries, id, { ...stored, ...more });
  };
  const listed = async (origin: DirectOrigin, id: string, state: string) =>
    (await ask(origin, 'listDeliveries', { id, query: `?state=${state}` })).json['data'] as readonly JsonObject[];
  const until = (origin: DirectOrigin, id: string, state: string, count: number) =>
    eventually(`${count} are ${state}`, async () => {
      const found = await listed(origin, id, state);
      return found.length === count ? found : undefined;
    });

  const jobOf = (origin: DirectOrigin) => eventually('its job waits', async () => {
    const sort = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];
    const request = { equal: { state: ['delayed'] }, range: undefined, sort, where: true as const, after: undefined, limit: 2 };
    return (await origin.context.store.list(jobs, request, { deadline: Date.now() + 5_000 })).value[0]?.document;
  });
  const retry = (origin: DirectOrigin, id: string) => origin.askBy(jobOperations.retryJob, execute, jobs, { id, principal: root });

  test('what was held goes on with its webhook, whatever else is changed of that meanwhile', async () => {
    const { origin, receiver } = await opening();
    const id = await make(origin, { url: receiver.url(), paused: true });
    for (const note of ['a', 'b', 'c']) await put(origin, note);
    await until(origin, id, 'held', 3);
    await change(origin, id, { paused: false });
    await change(origin, id, { description: 'another' });
    const [first] = await until(origin, id, 'delivered', 3);
    expect(receiver.received.length).toBe(3);
    // As an attempt leaves one that read its webhook while that was paused, and was long about its write.
    await Bun.sleep(3_500);
    await rewrite(origin, String(first?.['id']), { state: 'held' });
    await until(origin, id, 'delivered', 3);
  }, 30_000);

  test('a list shows what an attempt would tell: of what is hidden by now, or gone, the id alone', async () => {
    const { origin, receiver } = await opening();
    const id = await make(origin, { url: receiver.url(), payload: 'full', paused: true, events: ['created'] });
    for (const note of ['a', 'b', 'c']) await put(origin, note);
    await put(origin, 'a', { author: 'bob' });
    await origin.ask('remove', notes, { id: 'b' });
    const shown = (await until(origin, id, 'held', 3)).map(({ body }) => (body as { readonly data: JsonObject }).data);
    const told = new Map(shown.map((data) => [data['id'], data['document']]));
    expect(Object.fromEntries(told)).toEqual({ a: undefined, b: undefined, c: { id: 'c', author: 'ada', text: 'one' } });
  });

  test('one whose filter a deploy takes out tells the id alone, and is taken at once', async () => {
    const { variables, remove } = await openRawDatabase(engine);
    const receiver = new HookReceiver();
    opened.push({ [Symbol.asyncDispose]: async () => remove() }, receiver);
    const deploy = async (served: Contract) => {
      const own = { webhookTimes: { attemptMs: 500, pausesMs: [3_600_000] } };
      return DirectOrigin.open({ ...variables, TOMBOLO_WEBHOOKS_LOOPBACK: '1' }, served, own);
    };
    const before = await deploy(contract(notes));
    const id = await make(before, { url: receiver.url(), payload: 'full', filter: 'topic=cats', paused: true });
    await put(before, 'a', { topic: 'cats' });
    await until(before, id, 'held', 1);
    await before[Symbol.asyncDispose]();
    const after = await deploy(contract(unfiltered));
    opened.push(after);
    await change(after, id, { paused: false });
    await until(after, id, 'delivered', 1);
    expect(receiver.received.map(({ body: { data } }) => [data['id'], data['document']])).toEqual([['a', undefined]]);
  });

  test('one that stands in a line is kept until its turn, and then for a week; behind a pause of a week it goes', async () => {
    const { origin, receiver } = await opening([3_600_000]);
    const id = await make(origin, { url: receiver.url(), ordered: true });
    receiver.answer = () => new Response('', { status: 500 });
    for (const text of ['1', '2', '3', '4']) await put(origin, 'a', { text });
    await until(origin, id, 'queued', 3);
    const [waiting] = await eventually('one was tried', async () => {
      const found = await listed(origin, id, 'waiting');
      return found[0]?.['attempts'] === 1 ? found : undefined;
    });
    const first = String(waiting?.['id']);
    const turn = String((await origin.stored(deliveries, first))?.['turn']);
    const [, ...behind] = (await origin.stored(turns, turn))?.['line'] as readonly string[];
    const over = new Date(Date.now() - 1_000).toISOString();
    for (const each of behind) await rewrite(origin, each, { keptUntil: over });
    await origin.restart();
    const isKept = ({ keptUntil }: JsonObject) => Date.parse(String(keptUntil)) > Date.now() + 6 * day;
    await eventually('they are kept on', async () => (await listed(origin, id, 'queued')).filter(isKept).length === 3);

    const [second = '', third = '', fourth = ''] = behind;
    await rewrite(origin, second, { keptUntil: new Date(Date.now() + 60_000).toISOString() });
    await rewrite(origin, first, { state: 'dead', keptUntil: over });
    await origin.restart();
    expect((await until(origin, id, 'waiting', 1)).map((each) => [each['id'], isKept(each)])).toEqual([[second, true]]);

    await change(origin, id, { paused: true });
    const pausedAt = new Date(Date.now() - 8 * day).toISOString();
    const { id: _id, ...stored } = (await origin.stored(webhooks, id)) ?? {};
    await origin.put(webhooks, id, { ...stored, pausedAt });
    await rewrite(origin, third, { keptUntil: over });
    await origin.restart();
    await eventually('it is forgotten', async () => (await origin.stored(deliveries, third)) === undefined);
    expect((await origin.stored(turns, turn))?.['line']).toEqual([second, fourth]);
  }, 30_000);

  test('one that waits without a job is sent once its time is over', async () => {
    const { origin, receiver } = await opening();
    const id = await make(origin, { url: receiver.url() });
    await put(origin, 'a');
    const [sent] = await until(origin, id, 'delivered', 1);
    await rewrite(origin, String(sent?.['id']), { state: 'waiting', keptUntil: new Date(Date.now() - 1_000).toISOString() });
    await origin.restart();
    await until(origin, id, 'delivered', 1);
    expect(receiver.received.map((each) => each.id)).toEqual([String(sent?.['id']), String(sent?.['id'])]);
  }, 30_000);

  test('one whose job is cancelled, or dies, is dead as well: its line goes on, and it can be sent again', async () => {
    const { origin, receiver } = await opening([3_600_000]);
    const id = await make(origin, { url: receiver.url(), ordered: true });
    receiver.answer = () => new Response('', { status: 500 });
    await put(origin, 'a', { text: '1' });
    await put(origin, 'a', { text: '2' });
    const cancelled = (await jobOf(origin)).id;
    receiver.answer = () => new Response('');
    expect((await origin.askBy(jobOperations.cancelJob, execute, jobs, { id: cancelled, principal: root })).outcome).toBe('removed');
    const [dead] = await until(origin, id, 'dead', 1);
    expect(dead?.['error']).toBe('its job was cancelled');
    await until(origin, id, 'delivered', 1);
    await ask(origin, 'resendDeliveries', { id, body: { delivery: String(dead?.['id']) } });
    await until(origin, id, 'delivered', 2);

    receiver.answer = () => new Response('', { status: 500 });
    await put(origin, 'b');
    const { id: job, value: { id: _job, ...ofJob } } = await jobOf(origin);
    const { id: _webhook, ...ofWebhook } = (await origin.stored(webhooks, id)) ?? {};
    await origin.put(webhooks, id, { ...ofWebhook, secret: sealSecret(newSecret(), id, { id: 'gone', secret: randomBytes(32) }) });
    await origin.put(jobs, job, { ...ofJob, attempt: 49, dueAt: new Date().toISOString() });
    const [failed] = await until(origin, id, 'dead', 1);
    expect(failed).toMatchObject({ error: 'it failed', attempts: 1, type: 'notes.created' });
    // The secret that no key opens signs beside no other.
    receiver.answer = () => new Response('');
    expect((await ask(origin, 'rotateWebhook', { id, body: {} })).json).not.toHaveProperty('previousUntil');
    await ask(origin, 'resendDeliveries', { id, body: { delivery: String(failed?.['id']) } });
    await until(origin, id, 'delivered', 3);
  }, 30_000);

  test('one whose dead job an admin retries is sent by it, and where nothing more would be sent that is refused', async () => {
    const { origin, receiver } = await opening([3_600_000]);
    const id = await make(origin, { url: receiver.url(), ordered: true });
    receiver.answer = () => new Response('', { status: 500 });
    await put(origin, 'a', { text: '1' });
    const { id: job, value: { id: _job, ...ofJob } } = await jobOf(origin);
    await put(origin, 'a', { text: '2' });
    receiver.answer = () => new Response('');
    const ended = { state: 'dead', told: 'its process was lost', dueAt: new Date(Date.now() + day).toISOString() };
    await origin.put(jobs, job, { ...ofJob, ...ended });
    const [dead] = await until(origin, id, 'dead', 1);
    await until(origin, id, 'delivered', 1);
    expect(await retry(origin, job)).toMatchObject({ outcome: 'written', json: { state: 'ready', attempt: 0 } });
    await until(origin, id, 'delivered', 2);
    expect(receiver.received.at(-1)?.id).toBe(String(dead?.['id']));
    await eventually('its job has ended', async () => (await origin.stored(jobs, job))?.['state'] === 'done');

    await origin.put(jobs, job, { ...ofJob, ...ended });
    expect(await retry(origin, job)).toMatchObject({ outcome: 'document_conflict', detail: 'the delivery of the job is delivered' });
    await origin.context.store.write([removing(String(dead?.['id']))], { deadline: Date.now() + 5_000 });
    expect((await retry(origin, job)).detail).toBe('the delivery of the job is not kept any more');
    expect((await origin.stored(jobs, job))?.['state']).toBe('dead');
    expect(receiver.received).toHaveLength(3);
  }, 30_000);

  test('one whose job was retried before its death was heard of stays to be sent, first in its line', async () => {
    const { origin, receiver } = await opening([3_600_000]);
    const id = await make(origin, { url: receiver.url(), ordered: true });
    receiver.answer = () => new Response('', { status: 500 });
    await put(origin, 'a', { text: '1' });
    await put(origin, 'a', { text: '2' });
    const { id: job, value } = await jobOf(origin);
    const { store, delivers } = origin.context;
    const position = await store.head();
    const death = { kind: 'document', resource: jobs.name, id: job, position, before: value, after: { ...value, state: 'dead' } } as const;
    const ends = await endsOfLost(store, [death], { jobOf: laneOf(delivers), nowMs: Date.now() });
    expect(ends).toHaveLength(2);
    await store.write(ends, { deadline: Date.now() + 5_000, atomic: true });
    expect([(await listed(origin, id, 'waiting')).length, (await listed(origin, id, 'queued')).length]).toEqual([1, 1]);
  });
});
