/** That a webhook is paused by itself is told to its owner, by their other webhooks. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { webhookOperations as rows } from '../../../shared/webhooks/operations.ts';
import { webhooks } from '../../../shared/webhooks/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { HookReceiver, type Received } from '../../support/hook-receiver.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, live: true, shapes: { all: {} }, rules: { read: anyone, write: anyone },
  schema: z.object({ text: z.string() }),
});
const events = ['webhook.paused'];

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  let receiver: HookReceiver;
  afterEach(async () => {
    await origin[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });
  const ask = (name: keyof typeof rows, asking: { id?: string; body?: JsonObject; subject?: string }) => {
    const { subject = 'ada', ...given } = asking;
    return origin.askBy(rows[name], execute, webhooks, { ...given, principal: { subject, roles: [], claims: {} } });
  };
  const make = async (path: string, asked: readonly string[], subject?: string) => {
    const body = { url: receiver.url(path), resource: 'notes', events: [...asked] };
    const { json } = await ask('makeWebhook', { body, ...(subject === undefined ? {} : { subject }) });
    return { id: String(json['id']), secret: String(json['secret']) };
  };
  const told = () => receiver.received.filter(({ path }) => path !== '/gone');
  const untilTold = (count: number) => eventually(`${count} were told`, async () => told().length >= count);

  test('each pause is told to those that ask for it, once, and to nobody else', async () => {
    origin = await DirectOrigin.on(engine, contract(notes), {}, { TOMBOLO_WEBHOOKS_LOOPBACK: '1' });
    receiver = new HookReceiver();
    receiver.answer = ({ path }) => new Response(null, { status: path === '/gone' ? 410 : 204 });
    const { id } = await make('/gone', ['created', ...events]);
    const { secret } = await make('/told', events);
    await make('/unasked', ['deleted']);
    await make('/bob', events, 'bob');
    await origin.put(notes, 'a', { text: 'one' });
    await untilTold(1);
    const [first] = told();
    const { pausedBecause, pausedAt } = (await ask('getWebhook', { id })).json;
    expect([first?.path, first?.body.type, pausedBecause]).toEqual(['/told', 'webhook.paused', 'gone']);
    expect<unknown>(first?.body.data).toEqual({ webhook: id, reason: 'gone', pausedAt });
    HookReceiver.verify(first as Received, secret);
    // Neither another change of what is paused nor a pause that was asked for is told.
    const change = async (body: JsonObject) => (await ask('changeWebhook', { id, body })).json;
    await change({ description: 'away' });
    expect(await change({ paused: false })).not.toHaveProperty('pausedAt');
    expect(await change({ paused: true })).toMatchObject({ paused: true, pausedBecause: 'asked' });
    await origin.restart();
    await change({ paused: false });
    await origin.put(notes, 'b', { text: 'one' });
    await untilTold(2);
    expect(told().map(({ path }) => path)).toEqual(['/told', '/told']);
    expect(new Set(told().map((each) => each.id)).size).toBe(2);
  }, 60_000);
});
