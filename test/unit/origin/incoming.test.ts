/** Webhooks that others send: what proves them, that each is taken once, and that what is not proven leaves nothing. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { incomingEvent } from '../../../origin/incoming/event.ts';
import { mustIncoming } from '../../../origin/incoming/incoming.ts';
import { proven } from '../../../origin/incoming/signatures.ts';
import { job } from '../../../origin/job-queue/job.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { incomingOperations } from '../../../shared/incoming/operations.ts';
import { received } from '../../../shared/incoming/resource.ts';
import { headersOf, type Source } from '../../../shared/incoming/source.ts';
import { jobs, jobStates } from '../../../shared/jobs/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { askOverHop } from '../../support/pipeline.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone }, shapes: { all: {} },
  schema: z.object({ type: z.string(), body: z.string() }),
});
const noting = job({
  name: 'noting', payload: incomingEvent, attempts: 2,
  async handler(call) {
    const { id = 'none', type = 'none', body } = call.payload;
    call.atEnd([call.create(notes, { id, type, body: JSON.stringify(body) })]);
  },
});

const standard: Source = { name: 'standard', form: 'standard' };
const stripe: Source = { name: 'stripe', form: 'stripe', toleranceSeconds: 60 };
const github: Source = { name: 'github', form: 'github' };
const own: Source = {
  name: 'own', form: { header: 'x-mac', hash: 'sha512', encoding: 'base64' }, addresses: ['192.0.2.0/24', '2001:db8::/32'],
};
const bare: Source = { name: 'bare', form: 'github' };
const secrets = {
  standard: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', stripe: 'whsec_of_stripe_endpoint', github: 'It is a secret to nobody',
  own: 'a secret of our own',
};
const older = 'whsec_of_stripe_before';
/** As they were sent: of stripe-ruby-mock's fixtures, and of @octokit/webhooks-examples. */
const recorded = {
  stripe: readFileSync(join(import.meta.dir, 'recorded/stripe-charge-refunded.json'), 'utf8'),
  github: readFileSync(join(import.meta.dir, 'recorded/github-push.json'), 'utf8'),
};
const hex = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');
const seconds = () => Math.floor(Date.now() / 1_000);

describe('what providers document', () => {
  const delivery = (headers: Readonly<Record<string, string>>, text: string, nowMs: number) => ({ headers, text, body: {}, nowMs });

  test('Standard Webhooks: the example of its specification', () => {
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1a,none v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    };
    const at = 1_614_265_330_000;
    const asked = (nowMs: number, text = '{"test": 2432232314}') =>
      proven(standard, delivery(headers, text, nowMs), [secrets.standard])?.id;
    expect(asked(at + 299_000)).toBe('msg_p5jXN8AQM9LWM0D4loKWxJek');
    expect([asked(at + 302_000), asked(at - 302_000), asked(at, '{"test":2432232314}')]).toEqual([undefined, undefined, undefined]);
  });

  test('GitHub: the example of its documentation', () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    const right = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const asked = (mac: string) =>
      proven(github, delivery({ 'x-hub-signature-256': mac }, 'Hello, World!', 0), ["It's a Secret to Everybody"]);
    expect(asked(right)?.key).toBe(right);
    expect([asked(right.replace('7', '8')), asked(right.slice(7)), asked('')]).toEqual([undefined, undefined, undefined]);
  });

  // Signed once by `generateTestHeaderString` of stripe 23.1.0 and by `sign` of @octokit/webhooks-methods 6.0.0.
  const recordedMacs = {
    stripe: '0be1280260f653ce3289cce0e198fc9ce05e851be9d790f4ca16b11b6ce68e32',
    github: 'sha256=2f8f6058c1eb53a61666c75872055bb060db81abfc60a9ac887d7a654f75f0bd',
  };

  test('what the libraries of Stripe and GitHub sign of recorded events is proven, and nothing but these bytes', () => {
    const at = 1_700_000_000;
    const ofStripe = (text: string) => {
      const headers = { 'stripe-signature': `t=${at},v1=${recordedMacs.stripe}` };
      return proven(stripe, { headers, text, body: JSON.parse(text) as JsonObject, nowMs: at * 1_000 }, [older, secrets.stripe]);
    };
    expect(ofStripe(recorded.stripe)).toEqual({ key: 'evt_00000000000000', id: 'evt_00000000000000', type: 'charge.refunded' });
    expect(ofStripe(JSON.stringify(JSON.parse(recorded.stripe)))).toBeUndefined();
    const ofGithub = (text: string) => {
      const headers = { 'x-hub-signature-256': recordedMacs.github, 'x-github-delivery': 'd1', 'x-github-event': 'push' };
      return proven(github, delivery(headers, text, 0), [secrets.github]);
    };
    expect(ofGithub(recorded.github)).toEqual({ key: recordedMacs.github, id: 'd1', type: 'push' });
    expect(ofGithub(`${recorded.github} `)).toBeUndefined();
  });
});

test('what is wrong with a source stops the start, each named', () => {
  const wrong: readonly Source[] = [
    { name: 'Own', form: { header: 'X-Mac', hash: 'md5' as 'sha256', encoding: 'hex' } },
    { name: 'a', form: 'none' as 'github', addresses: ['192.0.2.0/33'], toleranceSeconds: 0, keptDays: 366 },
  ];
  const lines = () => mustIncoming(wrong.map((source) => ({ source, job: noting })), []);
  for (const key of ['name', 'form.header', 'form.hash', 'form', 'addresses', 'toleranceSeconds', 'keptDays', 'job']) {
    expect(lines).toThrow(new RegExp(`": ${key}: `));
  }
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    const given = [standard, stripe, github, own, bare].map((source) => ({ source, job: noting }));
    const text = [...Object.entries(secrets), ['stripe', older]].map((entry) => entry.join(':')).join();
    origin = await DirectOrigin.on(
      engine, contract(notes), { jobs: [noting], incoming: given, erasingRestMs: 50, jobTimes: { leaseMs: 1_000, idleMs: 50 } },
      { TOMBOLO_INCOMING_SECRETS: text },
    );
  }, 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const send = async (
    source: string, body: string, headers: Readonly<Record<string, string>>, address: string | null = '192.0.2.7',
  ) => {
    const { outcome, json, detail } = await origin.askBy(incomingOperations.receive, execute, received, {
      id: source, body, delivery: JSON.stringify({ address, headers }),
    });
    return [outcome, json['repeated'] ?? detail];
  };
  const toStripe = (body: string, { secret = secrets.stripe, at = seconds() } = {}) =>
    send('stripe', body, { 'stripe-signature': `t=${at},v1=${hex(secret, `${at}.${body}`)},v0=none` });
  const toGithub = (body: string, id: string) =>
    send('github', body, {
      'x-hub-signature-256': `sha256=${hex(secrets.github, body)}`, 'x-github-delivery': id, 'x-github-event': 'push',
    });
  const toOwn = (body: string, address: string | null) =>
    send('own', body, { 'x-mac': createHmac('sha512', secrets.own).update(body).digest('base64') }, address);
  const noted = (id: string) => eventually(`${id} is noted`, async () => (await origin.stored(notes, id)) !== undefined);
  const countOf = async () => {
    const sort = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];
    const request = { equal: { state: jobStates }, range: undefined, where: true, sort } as const;
    return (await origin.context.store.count(jobs, request, 1_000, { deadline: Date.now() + 5_000 })).value;
  };
  const taken = ['accepted', false];
  const again = ['accepted', true];
  const refused = ['signature_invalid', 'this is not proven to be of a source that is known here'];

  test('each is a job, once, however often it is sent, and under the secret of before as well', async () => {
    const body = (id: string) => `{ "id": "${id}", "type": "charge.refunded", "data": {"object": {"amount": 1.0}} }`;
    expect(await toStripe(body('evt_1'))).toEqual(taken);
    // A retry is signed anew; what tells it from others is its event.
    expect([await toStripe(body('evt_1'), { at: seconds() - 30 }), await toStripe(body('evt_1'))]).toEqual([again, again]);
    expect(await toStripe(body('evt_2'), { secret: older })).toEqual(taken);
    await noted('evt_2');
    await noted('evt_1');
    expect(await origin.stored(notes, 'evt_1')).toMatchObject({ type: 'charge.refunded', body: JSON.stringify(JSON.parse(body('evt_1'))) });
    const at = seconds();
    const signed = createHmac('sha256', Buffer.from(secrets.standard.slice(6), 'base64')).update(`m1.${at}.{}`).digest('base64');
    const headers = { 'webhook-id': 'm1', 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signed}` };
    expect([await send('standard', '{}', headers), await send('standard', '{}', headers)]).toEqual([taken, again]);
    await noted('m1');
    const both = await Promise.all(Array.from({ length: 8 }, () => toStripe(body('evt_3'))));
    expect(both.filter(([, repeated]) => repeated === false)).toEqual([taken]);
    await noted('evt_3');
    expect(await countOf()).toBe(4);
  });

  test('an id that nobody signed makes no other delivery of a captured one', async () => {
    expect([await toGithub('{"ref":"main"}', 'g-1'), await toGithub('{"ref":"main"}', 'g-2')]).toEqual([taken, again]);
    await noted('g-1');
    expect(await origin.stored(notes, 'g-1')).toMatchObject({ type: 'push' });
    expect(await origin.stored(notes, 'g-2')).toBeUndefined();
  });

  test('recorded events of Stripe and GitHub are jobs, with all that they say', async () => {
    expect([await toStripe(recorded.stripe), await toGithub(recorded.github, 'push-1')]).toEqual([taken, taken]);
    await noted('evt_00000000000000');
    await noted('push-1');
    const said = async (id: string) => JSON.parse(String((await origin.stored(notes, id))?.['body'])) as unknown;
    expect(await said('evt_00000000000000')).toEqual(JSON.parse(recorded.stripe));
    expect(await said('push-1')).toEqual(JSON.parse(recorded.github));
  });

  test('over the hop an unknown source and a wrong signature are 401, and each is counted', async () => {
    const headers = { 'tombolo-delivery': JSON.stringify({ address: null, headers: { 'x-hub-signature-256': 'sha256=00' } }) };
    const countedNow = () => origin.context.refusals.get('signature_invalid') ?? 0;
    const [head, before] = [await origin.context.store.head(), countedNow()];
    for (const source of ['github', 'stripe', 'nowhere']) {
      const { status, json } = await askOverHop(origin.context, `/v1/incoming/${source}`, { method: 'POST', body: '{}', headers });
      expect([status, json['type']]).toEqual([401, 'urn:tombolo:problem:signature_invalid']);
    }
    expect(countedNow()).toBe(before + 3);
    expect(await origin.context.store.head()).toEqual(head);
  });

  test('what is not proven is one refusal, and leaves nothing', async () => {
    const { store } = origin.context;
    const head = await store.head();
    const old = seconds() - 70;
    const body = '{"id":"evt_9"}';
    const answers = [
      await toStripe(body, { secret: 'whsec_of_somebody_else' }), await toStripe(body, { at: old }),
      await toStripe(body, { at: seconds() + 70 }),
      await send('stripe', body, {}), await send('stripe', body, { 'stripe-signature': `t=x,v1=${hex(secrets.stripe, `x.${body}`)}` }),
      await send('none', body, {}), await toOwn('{}', '198.51.100.1'), await toOwn('{}', null), await toOwn('{}', 'no address'),
    ];
    expect(answers).toEqual(answers.map(() => refused));
    expect(await store.head()).toEqual(head);
    expect([await toOwn('{"id":"o-1"}', '192.0.2.200'), await toOwn('{"id":"o-2"}', '2001:db8::1')]).toEqual([taken, taken]);
    expect(await send('bare', '{}', {})).toEqual(['misconfigured', 'this source has no secret']);
    expect(await toOwn(JSON.stringify({ n: [] }).replace('[]', `[${'1e20,'.repeat(9_000)}1]`), '192.0.2.1')).toEqual([
      'body_too_large', 'as JSON, at most 65536 bytes with the names beside it',
    ]);
    await noted('o-2');
  });

  test('after its days a delivery is forgotten', async () => {
    const long = new Date(Date.now() - 31 * 86_400_000).toISOString();
    await origin.put(received, 'f'.repeat(64), { source: 'github', at: long } satisfies JsonObject);
    await eventually('it is forgotten', async () => (await origin.stored(received, 'f'.repeat(64))) === undefined);
  });
});

test('the edge sends the headers of each form along', () => {
  expect([standard, stripe, github, own].map(({ form }) => headersOf(form).length)).toEqual([3, 1, 3, 1]);
});
