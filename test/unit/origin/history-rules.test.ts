/** A log hides what its rules hide of the documents as they were stored, also by what no image shows (SEMANTICS §21). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Decimal128, ObjectId } from 'mongodb';
import * as z from 'zod';
import { execute, executor } from '../../../origin/execute.ts';
import { historyEvents } from '../../../origin/history/stored-history.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { absent, all, any, anyone, equals, not, owner } from '../../../shared/contract/rules.ts';
import { decimal } from '../../../shared/contract/types.ts';
import { historyOperations } from '../../../shared/history/operations.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ada, DirectOrigin } from '../../support/direct-origin.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { eventsOf } from '../../support/replayed-log.ts';
import { engines } from '../../support/whole-world.ts';

const common = {
  id: { kind: 'string', format: z.string() }, shapes: { all: {} }, history: { keptDays: 30 }, validation: { level: 'off' },
} as const;
const both = { note: z.string(), level: z.number().optional() };
const inner = z.discriminatedUnion('as', [
  z.object({ as: z.literal('open'), text: z.string() }), z.object({ as: z.literal('closed'), hold: z.string().optional() }),
]);
const letters = resource({
  ...common, name: 'letters',
  schema: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), ...both, inner: inner.optional() }),
    z.object({ kind: z.literal('b'), ...both, inner: inner.optional(), secret: z.boolean().optional(), by: z.string().optional() }),
  ]),
  rules: { read: anyone, write: anyone, history: any(owner('by'), all(not(equals('secret', true)), not(equals('inner.hold', 'all')))) },
  fieldRules: { level: { read: not(equals('inner.hold', 'level')) } },
});
const hex = 'a'.repeat(24);
const goods = resource({
  ...common, name: 'goods',
  schema: z.object({ ...both, price: z.number().optional(), exact: decimal().optional(), tag: z.string().optional() }),
  rules: { read: anyone, write: anyone, history: all(not(equals('price', 0.2)), not(equals('exact', '0.2'))) },
  fieldRules: { level: { read: all(not(equals('price', 0.1)), not(equals('exact', '0.1')), any(absent('tag'), equals('tag', hex))) } },
});
const { operations } = endpointModule(endpoint({
  name: 'revise', of: letters, at: '/revise', method: 'POST', answers: 'effect', rule: anyone, summary: 'Of a test.',
  input: z.object({ id: z.string() }), output: z.object({}),
}));
const carry = executor<typeof operations>({
  revise: (call) => call.write([call.asSystem.merge(letters, call.input.id, () => ({ note: 'system' }))], () => ({})),
});

/** Of each event, the last first: what is shown of the level before and after; `null`: nothing of that image. */
async function levelsIn(origin: DirectOrigin, of: Resource, id: string) {
  const { json } = await origin.askBy(historyOperations.history, execute, of, { id });
  const levelOf = (image: unknown) => (image === null ? null : ((image as JsonObject)['level'] ?? 'hidden'));
  return (json['data'] as readonly JsonObject[]).map(({ before, after }) => [levelOf(before), levelOf(after)]);
}

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(letters))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const patched = async (id: string, stored: JsonObject) => {
    await origin.put(letters, id, { note: 'n', level: 42, ...stored });
    await origin.ask('patch', letters, { id, body: { note: 'm' } });
    return levelsIn(origin, letters, id);
  };

  test('what the branch of a document does not declare counts for rules as in a get, and is shown to nobody', async () => {
    expect(await patched('plain', { kind: 'a' })).toEqual([[42, 42]]);
    expect(await patched('declared', { kind: 'b', secret: true })).toEqual([]);
    expect(await patched('other', { kind: 'a', secret: false, inner: { as: 'open', text: '', hold: ['all'] } })).toEqual([[42, 42]]);
    expect(await patched('secret', { kind: 'a', secret: true })).toEqual([]);
    expect(await patched('own', { kind: 'a', secret: true, by: ada.subject ?? '' })).toEqual([[42, 42]]);
    expect(await patched('all', { kind: 'a', inner: { as: 'open', text: '', hold: 'all' } })).toEqual([]);
    const hiding = { kind: 'a', secret: false, inner: { as: 'open', text: '', hold: 'level' } };
    expect(await patched('level', hiding)).toEqual([['hidden', 'hidden']]);
    expect((await origin.ask('get', letters, { id: 'level' })).json['level']).toBeUndefined();
    const { text } = await origin.askBy(historyOperations.history, execute, letters, { id: 'level' });
    expect([text.includes('hold'), text.includes('secret'), text.includes('beside')]).toEqual([false, false, false]);
  });

  test('whoever wrote it: the system, under other rules, and another program', async () => {
    const hold = (value: string) => ({ inner: { as: 'open', text: '', hold: value } });
    await origin.put(letters, 'w', { kind: 'a', note: 'n', level: 1, ...hold('level') });
    await origin.askBy(operations.revise, carry, letters, { body: { id: 'w' } });
    expect(await levelsIn(origin, letters, 'w')).toEqual([['hidden', 'hidden']]);
    await origin.put(letters, 'w', { kind: 'a', note: 'other', level: 2, ...hold('none') });
    await origin.ask('patch', letters, { id: 'w', body: { note: 'last' } });
    expect(await levelsIn(origin, letters, 'w')).toEqual([[2, 2], ['hidden', 2], ['hidden', 'hidden']]);
  });

  test('what an event does not tell, since the rules were others then, is as hidden as can be', async () => {
    await patched('old', { kind: 'a' });
    const [event] = (await eventsOf(origin.context.store, letters)).filter(({ document }) => document === 'old');
    const { id, besideBefore: _before, ...older } = { id: '', ...event };
    await origin.put(historyEvents, id, JSON.parse(JSON.stringify(older)) as JsonObject);
    expect(await levelsIn(origin, letters, 'old')).toEqual([[null, 42]]);
  });
});

test('what is shown as text or null counts for rules as what it is stored as', async () => {
  const database = await openMongoDatabase();
  await using origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(goods));
  const patched = async (id: string, stored: Readonly<Record<string, unknown>>) => {
    await database.foreign.collection('goods').insertOne({ _id: id as never, note: 'n', level: 42, ...stored });
    await origin.ask('patch', goods, { id, body: { note: 'm' } });
    return levelsIn(origin, goods, id);
  };
  for (const name of ['price', 'exact']) {
    expect(await patched(`${name} level`, { [name]: Decimal128.fromString('0.10') })).toEqual([['hidden', 'hidden']]);
    expect(await patched(`${name} all`, { [name]: Decimal128.fromString('0.20') })).toEqual([]);
    expect(await patched(`${name} other`, { [name]: Decimal128.fromString('0.30') })).toEqual([[42, 42]]);
    expect(await patched(`${name} text`, { [name]: '0.10' })).toEqual([[42, 42]]);
  }
  expect(await patched('tag', { tag: hex })).toEqual([[42, 42]]);
  expect(await patched('tag of another type', { tag: new ObjectId(hex) })).toEqual([['hidden', 'hidden']]);
  expect(await patched('no number', { tag: Number.NaN })).toEqual([['hidden', 'hidden']]);
  await database.remove();
}, 20_000);
