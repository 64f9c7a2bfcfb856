/**
 * What a caller and the log are told of each error code of a server: what passes is 503 with a `Retry-After`, what a person
 * has to mend is a problem of its own and a line that says what to do, and neither is a 500 or tells a caller of the server.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import * as z from 'zod';
import { mendings, passingCodes } from '../../../origin/store/mongo/connection/server-codes.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { toTrouble } from '../../../origin/trouble.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { eventually } from '../../support/eventually.ts';
import { type ControlledDatabase, openControlledDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

let database: ControlledDatabase;
let origin: Pipeline;
beforeAll(async () => {
  database = await openControlledDatabase();
  // What is kept would be shown without a question to the server.
  origin = await Pipeline.open({ MONGODB_URI: database.uri, TOMBOLO_ANSWERS_BYTES_MAX: '0' }, contract(boats));
  await origin.ask('/v1/boats', { method: 'POST', body: '{"id":"fram","name":"Fram"}' });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

const reads = ['/v1/boats/fram', '/v1/boats?limit=2', '/v1/boats?limit=2&count=exact'];
const fail = (failCommands: readonly string[], errorCode: number) =>
  database.server.failPoint('failCommand', 'alwaysOn', { failCommands, appName: 'tombolo', errorCode });
const heal = () => database.server.failPoint('failCommand', 'off', {});
const patch = () => origin.ask('/v1/boats/fram', { method: 'PATCH', body: `{"name":"${crypto.randomUUID()}"}` });

/** The answers while these commands fail, and what the log says of the refusals. */
async function during(commands: readonly string[], code: number, ask: () => Promise<readonly Awaited<ReturnType<typeof patch>>[]>) {
  const before = origin.log.length;
  fail(commands, code);
  const answers = await ask();
  heal();
  return { answers, lines: origin.log.slice(before).filter(({ msg }) => String(msg).startsWith('request ')) };
}

const read = () => Promise.all(reads.map((path) => origin.ask(path)));

test('both tables have the codes that a deployment meets', () => {
  const both = [...passingCodes.keys(), ...mendings.keys()];
  expect(new Set(both).size).toBe(both.length);
  expect(both).toEqual(expect.arrayContaining([6, 7, 89, 91, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 16500]));
  expect([...mendings.keys()]).toEqual(expect.arrayContaining([13, 18, 96, 146, 292, 8000]));
});

test.each([...passingCodes])('%d (%s) passes: reads are 503 and come back', async (code) => {
  const { answers } = await during(['find', 'aggregate'], code, read);
  expect(answers.map(({ status, json, headers }) => [status, json['code'], headers.get('retry-after')])).toEqual(
    reads.map(() => [503, 'store_unavailable', '1']),
  );
  expect((await read()).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test.each([89, 91, 133, 189, 11600, 16500])('%d passes: a write is 503 and can be done afterwards', async (code) => {
  const { answers: [answer] } = await during(['find', 'update'], code, async () => [await patch()]);
  expect([answer?.status, answer?.json['code'], answer?.headers.get('retry-after')]).toEqual([503, 'store_unavailable', '1']);
  expect((await patch()).status).toBe(200);
}, 60_000);

const toMend = [...mendings].map(([code, { name, todo }]) => [code, name, todo] as const);

test.each(toMend)('%d (%s) is told with what mends it', async (code, name, todo) => {
  for (const [commands, ask] of [
    [['find', 'aggregate'], read],
    [['update'], async () => [await patch()]],
  ] as const) {
    const { answers, lines } = await during(commands, code, ask);
    for (const { status, json, headers, text } of answers) {
      expect([status, json['code'], headers.get('retry-after')]).toEqual([503, 'store_refused', '60']);
      expect(text).not.toMatch(new RegExp(`${name}|failCommand|mongod`));
    }
    expect(lines).toHaveLength(answers.length);
    for (const line of lines) {
      expect(line).toMatchObject({ level: 'warn', reason: 'store_refused', facts: { code, name, todo } });
      expect(line).not.toHaveProperty('err');
    }
  }
  expect([(await read())[0]?.status, (await patch()).status]).toEqual([200, 200]);
});

test.each([13, 96, 8000, 16500])('a live stream lives through %d, and what the log has of it is no stack', async (code) => {
  const { store, feed } = origin.context;
  const from = feed.through;
  const heard = (async () => {
    for await (const step of feed.follow(from, AbortSignal.timeout(30_000))) {
      if (step.kind === 'changes' && step.changes.length > 0) return 'changes';
    }
    return 'nothing';
  })();
  fail(['getMore', 'aggregate'], code);
  const trouble = await (async () => {
    for await (const batch of store.watch(from, AbortSignal.timeout(30_000))) if ('lost' in batch) return batch;
    return undefined;
  })().catch(toTrouble);
  if (mendings.has(code)) expect(trouble).toMatchObject({ reason: 'store_refused', facts: { code, todo: mendings.get(code)?.todo } });
  else expect(trouble).toMatchObject({ err: { reason: 'store_unavailable' } });
  // The feed asked before it failed; this reader has not come to a `getMore`.
  await eventually('the feed comes to it', () => database.server.history.commands('getMore').at(-1)?.outcome?.startsWith(`${code} `));
  heal();
  expect((await patch()).status).toBe(200);
  expect(await heard).toBe('changes');
}, 60_000);

const ofStarts = [...mendings].filter(([code]) => code !== 13 && code !== 18);

test.each(ofStarts)('a start that meets %d says what mends it', async (code, { todo }) => {
  fail(['listCollections'], code);
  const opening = openMongoStore({ uri: database.uri, resources: [boats] });
  const said = await opening.then(() => 'opened', (error: Error) => `${error.name}: ${error.message}`);
  heal();
  expect(said).toStartWith('StoreNotReady: ');
  expect(said).toContain(todo);
});
