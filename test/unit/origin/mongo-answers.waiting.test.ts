/** What clients hear while MongoDB fails: the answers of the origin's pipeline, over the real driver, and the lines of its log. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { type FaultyPlace, openFaultyPlace, replacePrimary } from '../../suites/store/faulty-place.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline, type PipelineAnswer, type PipelineAsking } from '../../support/pipeline.ts';
import { promised } from '../../support/promised.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() },
  schema: z.object({ tenant: z.string(), email: z.string(), tags: z.array(z.string()).default([]), masts: z.number().optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

async function openBoats(
  mongod: Parameters<typeof openFaultyPlace>[0]['mongod'] = {},
): Promise<FaultyPlace & { readonly origin: Pipeline }> {
  const place = await openFaultyPlace({ resources: [boats], mongod });
  const origin = await Pipeline.open({ MONGODB_URI: place.uri }, contract(boats));
  return Object.assign(place, {
    origin,
    dispose: place[Symbol.asyncDispose],
    async [Symbol.asyncDispose](this: { dispose(): Promise<void> }) {
      await origin[Symbol.asyncDispose]();
      await this.dispose();
    },
  });
}

const boat = (id: string, more: object = {}) => ({ tenant: 'north', email: `${id}@sea.test`, ...more });
const create = (id: string, more: object = {}): PipelineAsking => ({ method: 'POST', body: JSON.stringify({ id, ...boat(id, more) }) });
const rows = (...documents: readonly object[]): PipelineAsking => ({
  method: 'POST',
  body: documents.map((document) => JSON.stringify(document)).join('\n'),
});

const everyVerb: Readonly<Record<string, (origin: Pipeline, headers?: PipelineAsking['headers']) => Promise<PipelineAnswer>>> = {
  one: (origin, headers = {}) => origin.ask('/v1/boats/fram', { headers }),
  list: (origin, headers = {}) => origin.ask('/v1/boats?limit=2', { headers }),
  count: (origin, headers = {}) => origin.ask('/v1/boats?limit=2&count=exact', { headers }),
  create: (origin, headers = {}) => origin.ask('/v1/boats', { ...create('new'), headers }),
  replace: (origin, headers = {}) =>
    origin.ask('/v1/boats/fram', { method: 'PUT', body: JSON.stringify(boat('fram', { masts: 9 })), headers }),
  patch: (origin, headers = {}) => origin.ask('/v1/boats/fram', { method: 'PATCH', body: '{"masts":9}', headers }),
  remove: (origin, headers = {}) => origin.ask('/v1/boats/fram', { method: 'DELETE', headers }),
  import: (origin, headers = {}) => origin.ask('/v1/boats/import', { ...rows({ id: 'row', ...boat('row') }), headers }),
};

async function mustAllRefuse(origin: Pipeline, status: number, code: string, verbs = Object.keys(everyVerb)): Promise<void> {
  const answers = await Promise.all(
    verbs.map(async (verb) => [verb, await promised(2_000, everyVerb[verb]?.(origin) ?? Promise.reject(new Error(verb)))] as const),
  );
  for (const [verb, answer] of answers) {
    expect([verb, answer?.status, answer?.json['code'], answer?.headers.get('retry-after')]).toEqual([verb, status, code, '1']);
  }
}

/** Expects that nothing of what was refused was done. */
async function mustBeUntouched({ origin }: { readonly origin: Pipeline }): Promise<void> {
  expect((await origin.ask('/v1/boats/fram')).json).toMatchObject({ masts: 3, rev: 1 });
  expect((await origin.ask('/v1/boats?count=exact')).json).toMatchObject({ page: { total: 1 } });
}

test('a unique index of others is a 409 that names its fields, and tells nothing of the database', async () => {
  await using place = await openBoats();
  await place.foreign.collection('boats').createIndex({ tenant: 1, email: 1 }, { unique: true, name: 'one address' });
  expect((await place.origin.ask('/v1/boats', create('fram'))).status).toBe(201);
  const answer = await place.origin.ask('/v1/boats', create('maud', { email: 'fram@sea.test' }));
  expect([answer.status, answer.json['code'], answer.json['errors']]).toEqual([
    409,
    'document_conflict',
    ['/tenant', '/email'].map((at) => ({ at, in: 'body', detail: 'is taken in this combination' })),
  ]);
  expect(answer.text).not.toMatch(/E11000|dup key|one address/);
  expect((await place.origin.ask('/v1/boats/maud')).status).toBe(404);
});

const stricter = { $jsonSchema: { properties: { masts: { maximum: 5 }, tags: { items: { maxLength: 3 } } } } };

test('a validator of others is a 422 that names each place', async () => {
  await using place = await openBoats();
  await place.foreign.command({ collMod: 'boats', validator: stricter });
  const answer = await place.origin.ask('/v1/boats', create('fram', { masts: 7, tags: ['oak', 'polar'] }));
  expect([answer.status, answer.json['code']]).toEqual([422, 'document_invalid']);
  expect(answer.json['errors']).toEqual([
    { at: '/masts', in: 'body', detail: 'breaks the rule maximum of the database' },
    { at: '/tags/1', in: 'body', detail: 'breaks the rule maxLength of the database' },
  ]);
  expect((await place.origin.ask('/v1/boats/fram')).status).toBe(404);
});

test('in an import the validator refuses its own rows and no other', async () => {
  await using place = await openBoats();
  await place.foreign.command({ collMod: 'boats', validator: stricter });
  const documents = Array.from({ length: 12 }, (_, n) => ({ id: `b${n}`, ...boat(`b${n}`, n % 4 === 3 ? { masts: 7 } : {}) }));
  const answer = await place.origin.ask('/v1/boats/import', rows(...documents));
  const lines = answer.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { row?: number; errors?: { at: string }[]; summary?: object });
  expect(lines.slice(0, -1).map(({ row, errors }) => [row, errors?.[0]?.at])).toEqual([4, 8, 12].map((row) => [row, '/masts']));
  expect(lines.at(-1)?.summary).toMatchObject({ imported: 9, rejected: 3, complete: true });
  expect(await place.foreign.collection('boats').countDocuments()).toBe(9);
});

test('without a primary every verb is a 503 that says when to come back, within 2 s, and nothing is written', async () => {
  await using place = await openBoats({ members: 3 });
  await place.origin.ask('/v1/boats', create('fram', { masts: 3 }));
  await place.server.settled();
  place.server.stepDown({ elect: false });
  await mustAllRefuse(place.origin, 503, 'store_unavailable');
  place.server.elect(1);
  await eventually('the new primary is found', async () => (await place.origin.ask('/v1/boats/fram')).status === 200);
  await mustBeUntouched(place);
}, 60_000);

test('connections that break at every command are a 503 within 2 s, and nothing is written', async () => {
  await using place = await openBoats();
  await place.origin.ask('/v1/boats', create('fram', { masts: 3 }));
  place.server.failPoint('failCommand', 'alwaysOn', {
    failCommands: ['find', 'aggregate', 'insert', 'update', 'delete', 'hello'],
    appName: 'tombolo',
    closeConnection: true,
  });
  await mustAllRefuse(place.origin, 503, 'store_unavailable');
  place.server.failPoint('failCommand', 'off');
  await eventually('the network is back', async () => (await place.origin.ask('/v1/boats/fram')).status === 200);
  await mustBeUntouched(place);
}, 60_000);

test('a server that is gone is a 503 within 2 s', async () => {
  await using place = await openBoats();
  await place.origin.ask('/v1/boats', create('fram', { masts: 3 }));
  await place.server.kill(0);
  await mustAllRefuse(place.origin, 503, 'store_unavailable');
  place.server.restart(0);
  await eventually('it is back', async () => (await place.origin.ask('/v1/boats/fram')).status === 200);
  await mustBeUntouched(place);
}, 60_000);

test('when all connections for reads are busy, a read is told so within 2 s, a write is done, and the busy ones are answered', async () => {
  await using place = await openBoats();
  await place.origin.ask('/v1/boats', create('fram', { masts: 3 }));
  const gate = Promise.withResolvers<void>();
  const readsMax = 48;
  for (let n = 0; n < readsMax; n++) void place.server.at({ command: 'find', when: 'before' }, () => gate.promise);
  const busy = Array.from({ length: readsMax + 8 }, () => place.origin.ask('/v1/boats/fram'));
  const late = await promised(2_000, Promise.race(busy.map(async (answering) => (await answering).status)));
  expect(late).toBe(503);
  await mustAllRefuse(place.origin, 503, 'store_busy', ['one', 'list', 'count']);
  expect((await promised(2_000, place.origin.ask('/v1/boats', create('maud'))))?.status).toBe(201);
  expect((await promised(2_000, place.origin.ask('/v1/boats/maud', { method: 'DELETE' })))?.status).toBe(204);
  gate.resolve();
  const statuses = await Promise.all(busy.map(async (answering) => (await answering).status));
  expect([200, 503].map((status) => statuses.filter((each) => each === status).length)).toEqual([readsMax, 8]);
  await mustBeUntouched(place);
}, 60_000);

const impatient = { 'tombolo-deadline': '400' };

test('a primary that hangs is given up at the deadline, and what it does later does not count', async () => {
  await using place = await openBoats();
  await place.origin.ask('/v1/boats', create('fram', { masts: 3 }));
  const gate = Promise.withResolvers<void>();
  const commands = ['find', 'find', 'find', 'find', 'find', 'find', 'find', 'aggregate', 'insert', 'insert', 'insert', 'insert', 'insert'];
  for (const command of commands) void place.server.at({ command, when: 'before' }, () => gate.promise);
  const answers = await Promise.all(
    Object.entries(everyVerb).map(async ([verb, ask]) => [verb, await promised(5_000, ask(place.origin, impatient))] as const),
  );
  for (const [verb, answer] of answers) expect([verb, answer?.status, answer?.json['code']]).toEqual([verb, 504, 'deadline_exceeded']);
  gate.resolve();
  await mustBeUntouched(place);
}, 60_000);

test('a commit that hangs is unknown: the same key finds out what became of it', async () => {
  await using place = await openBoats();
  const gate = Promise.withResolvers<void>();
  const committed = place.server.at({ command: 'commitTransaction', when: 'before' }, () => gate.promise);
  const keyed = (headers: PipelineAsking['headers'] = {}) =>
    place.origin.ask('/v1/boats', { ...create('fram'), headers: { 'idempotency-key': 'k1', ...headers } });
  const late = await promised(5_000, keyed(impatient));
  expect([late?.status, late?.json['code'], late?.headers.get('retry-after')]).toEqual([409, 'idempotency_running', '1']);
  gate.resolve();
  await committed;
  const first = await keyed();
  expect([first.status, (await keyed()).text]).toEqual([201, first.text]);
  expect(await place.foreign.collection('boats').countDocuments()).toBe(1);
}, 60_000);

test('an answer that is lost after the commit is asked for again, and the write is there once', async () => {
  await using place = await openBoats();
  place.server.failPoint('onPrimaryTransactionalWrite', { times: 1 });
  const answer = await place.origin.ask('/v1/boats', { ...create('fram'), headers: { 'idempotency-key': 'k1' } });
  expect([answer.status, answer.json['rev']]).toEqual([201, 1]);
  const again = await place.origin.ask('/v1/boats', { ...create('fram'), headers: { 'idempotency-key': 'k1' } });
  expect([again.status, again.text]).toEqual([201, answer.text]);
  const commits = place.server.history.events.filter(({ name, outcome }) => name === 'commitTransaction' && outcome === 'ok');
  expect(
    Math.max(...[...Map.groupBy(commits, ({ session, txnNumber }) => `${session} ${txnNumber}`).values()].map((same) => same.length)),
  ).toBe(2);
});

test('what nobody foresaw is a 500 with an id, and its line in the log has everything', async () => {
  await using place = await openBoats();
  place.server.failPoint('failCommand', 'alwaysOn', { failCommands: ['find'], appName: 'tombolo', errorCode: 1 });
  for (const [verb, ask] of Object.entries(everyVerb).filter(([verb]) => verb !== 'import')) {
    const answer = await ask(place.origin);
    expect([verb, answer.status, answer.json['code'], answer.json['title'], 'detail' in answer.json]).toEqual([
      verb, 500, 'unknown', 'Internal error', false,
    ]);
    const line = place.origin.log.find(({ requestId }) => answer.json['instance'] === `urn:tombolo:request:${String(requestId)}`);
    expect(line).toMatchObject({
      level: 'error',
      reason: 'unknown',
      facts: { code: 1 },
      err: {
        type: 'MongoServerError',
        message: "Failing command via 'failCommand' failpoint",
        code: 1,
        stack: expect.stringContaining('connection.js'),
      },
    });
    expect(answer.text).not.toMatch(/failpoint|Mongo/);
  }
});

test.each([
  ['before', 1],
  ['after', 1],
  ['before', 3],
  ['after', 4],
] as const)(
  'an import whose primary is killed %s the commit of a batch (%d) is complete, each row once',
  async (when, skip) => {
    await using place = await openBoats({ members: 3, seed: skip });
    // The nonce and five batches of 200 rows are a commit each.
    const killed = place.server.at({ command: 'commitTransaction', when, skip }, () => replacePrimary(place.server));
    const answer = await place.origin.ask(
      '/v1/boats/import',
      rows(...Array.from({ length: 1_000 }, (_, n) => ({ id: `b${n}`, ...boat(`b${n}`) }))),
    );
    await killed;
    const summary = { imported: 1_000, replaced: 0, skipped: 0, rejected: 0, lastCommittedRow: 1_000, complete: true };
    expect(JSON.parse(answer.text)).toEqual({ summary: { ...summary, position: expect.any(String) } });
    const there = await place.foreign.collection('boats').find({}, { readPreference: 'primary' }).toArray();
    expect([there.length, new Set(there.map(({ rev }) => rev))]).toEqual([1_000, new Set([1])]);
  },
  60_000,
);

test('of two origins that patch the same representation, one is told that it has changed', async () => {
  await using place = await openBoats();
  await using twin = await Pipeline.open({ MONGODB_URI: place.uri }, contract(boats));
  const etags: string[] = [(await place.origin.ask('/v1/boats', create('fram', { masts: 0 }))).headers.get('etag') ?? ''];
  for (let round = 1; round <= 10; round++) {
    const patch = (origin: Pipeline, by: string) =>
      origin.ask('/v1/boats/fram', {
        method: 'PATCH',
        body: JSON.stringify({ masts: round, tenant: by }),
        headers: { 'if-match': etags.at(-1) ?? '' },
      });
    const answers = await Promise.all([patch(place.origin, 'ours'), patch(twin, 'theirs')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    etags.push(answers.find(({ status }) => status === 200)?.headers.get('etag') ?? '');
  }
  expect((await twin.ask('/v1/boats/fram')).json).toMatchObject({ masts: 10, rev: 11 });
}, 60_000);
