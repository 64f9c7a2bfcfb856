/** Unique keys where documents are written together, are removed and stay, or are found by text, on both engines (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute, executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { everyResourceOf } from '../../../shared/contract/every-resource.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { removals } from '../../../shared/operations/removals.ts';
import { transaction } from '../../../shared/operations/transaction.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const users = resource({
  name: 'users', id: { kind: 'string', format: z.string().regex(/^u-/) },
  schema: z.object({
    by: z.string(), email: z.string().optional(), text: z.string().default('none'),
    desk: z.object({ floor: z.int(), seat: z.string() }).optional(),
  }),
  rules: { read: any(owner('by'), role('clerk')), create: signedIn, update: signedIn, remove: signedIn, restore: role('clerk') },
  removal: { at: 'deletedAt' },
  shapes: { all: {}, byText: { text: ['text'], sort: ['-createdAt'] } },
  unique: { byEmail: { fields: ['email'], ignoringCase: true }, byDesk: { fields: ['desk.floor', 'desk.seat'] } },
});
/** Named by Tombolo. */
const seats = resource({
  name: 'seats', schema: z.object({ row: z.int(), by: z.string().default('x') }), rules: { read: signedIn, write: signedIn },
  shapes: { all: {} }, unique: { byRow: { fields: ['row'] } },
});
const served = contract(users, seats);

const rows = endpointModule(
  endpoint({
    name: 'move', of: seats, at: '/move', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ of: z.string(), to: z.string(), email: z.string() }), output: z.object({ moved: z.int() }),
  }),
).operations;
const carry = executor<typeof rows>({
  move: (call) => {
    const { of, to, email } = call.input;
    const changes = [call.asSystem.merge(users, of, () => ({ email: null })), call.asSystem.merge(users, to, () => ({ email }))];
    return call.write(changes, (written) => ({ moved: written.length }));
  },
});

const clerk = { subject: 'cid', roles: ['clerk'], claims: {} };
const outcomeOf = ({ outcome, errors }: DirectAnswer) => [outcome, ...errors.map(({ at }) => at)];

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, served)), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const make = (id: string, more: JsonObject) => origin.ask('create', users, { body: { id, by: 'ada', ...more } });
  const made = async (id: string, more: JsonObject) => expect((await make(id, more)).outcome).toBe('created');
  const emailOf = async (id: string) => (await origin.stored(users, id))?.['email'];
  const patch = (body: readonly object[], query = '') => origin.askBy(bulk.patchMany, execute, users, { body, query });
  const transact = (operations: readonly object[], asking: DirectAsking = {}) =>
    origin.askBy(transaction.transaction, execute, everyResourceOf(served), { body: { operations }, ...asking });
  const told = ({ json }: DirectAnswer) => (json['results'] as readonly JsonObject[]).map(({ id, status, problem }) => {
    const { code = '', errors = [] } = (problem ?? {}) as { code?: string; errors?: readonly { at: string }[] };
    return [id, status, code, ...errors.map(({ at }) => at)];
  });
  const restore = (id: string) => origin.askBy(removals.restore, execute, users, { id, principal: clerk });
  const remove = async (id: string) => expect((await origin.ask('remove', users, { id })).outcome).toBe('removed');

  test('an upsert of a transaction is about who has the key after the operations before', async () => {
    const upsert = (body: JsonObject, more: object = {}) => ({ op: 'upsert', resource: 'seats', by: ['row'], body, ...more });
    const answer = await transact([
      upsert({ row: 1 }, { as: 'first' }), upsert({ row: 1, by: 'y' }),
      { op: 'patch', resource: 'seats', id: { ref: 'first' }, merge: { row: 2 } },
      upsert({ row: 1, by: 'z' }), upsert({ row: 2, by: 'w' }),
    ]);
    expect(told(answer).map(([, status]) => status)).toEqual([201, 200, 200, 201, 200]);
    const ids = told(answer).map(([id]) => String(id));
    expect([ids[0], ids[1], ids[2], ids[4]]).toEqual(Array(4).fill(ids[0]));
    expect([await origin.stored(seats, ids[0] ?? ''), await origin.stored(seats, ids[3] ?? '')])
      .toMatchObject([{ row: 2, by: 'w', rev: 4 }, { row: 1, by: 'z', rev: 1 }]);
    const removed = { op: 'remove', resource: 'seats', id: ids[3] };
    const again = await transact([removed, upsert({ row: 1, by: 'v' }), upsert({ row: 2, by: 'v' })]);
    expect(told(again).map(([id, status]) => [id === ids[3], id === ids[0], status])).toEqual([
      [true, false, 204], [false, false, 201], [false, true, 200],
    ]);
  });

  test('of many transactions that put by one key at once one makes it, and each of the others finds it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) =>
      transact([
        { op: 'upsert', resource: 'seats', by: ['row'], body: { row: 77, by: `n${n}` } },
        { op: 'create', resource: 'seats', body: { row: 100 + n } },
      ])));
    const statuses = answers.map((answer) => [answer.outcome, told(answer)[0]?.[1]]);
    expect(statuses.filter(([, status]) => status === 201)).toEqual([['written', 201]]);
    expect(statuses.filter(([, status]) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map((answer) => told(answer)[0]?.[0])).size).toBe(1);
  });

  test('an upsert of a transaction is refused by its place, and nothing is written', async () => {
    const free = { op: 'create', resource: 'seats', body: { row: 900 } };
    const refusals: readonly (readonly [object, string])[] = [
      [{ op: 'upsert', resource: 'seats', by: ['by'], body: { row: 5 } }, '/operations/1/by'],
      [{ op: 'upsert', resource: 'seats', body: { row: 5 } }, '/operations/1/by'],
      [{ op: 'upsert', resource: 'seats', by: ['row'], id: 'x', body: { row: 5 } }, '/operations/1/id'],
      [{ op: 'upsert', resource: 'users', by: ['email'], body: { by: 'ada' } }, '/operations/1/body/email'],
      [{ op: 'upsert', resource: 'users', by: ['email'], body: { by: 'ada', email: 'nobody@x.example' } }, '/operations/1/body/id'],
      [{ op: 'upsert', resource: 'users', by: ['email'], as: 'u', body: { by: 'ada', email: 'a@x.example' } }, '/operations/1/body/id'],
    ];
    for (const [step, place] of refusals) {
      expect([step, outcomeOf(await transact([free, step]))]).toEqual([step, ['document_invalid', place]]);
    }
    expect((await transact([free])).outcome).toBe('written');
  });

  test('an item of a bulk change that would make a second one is told its place in it, and the others are written', async () => {
    await made('u-1', { email: 'one@x' });
    await made('u-2', { email: 'two@x' });
    await made('u-3', {});
    const answer = await patch([
      { id: 'u-2', merge: { email: 'ONE@x' } }, { id: 'u-1', merge: { email: 'first@x' } }, { id: 'u-2', merge: { email: 'one@x' } },
      { id: 'u-3', patch: [{ op: 'test', path: '/by', value: 'ada' }, { op: 'add', path: '/email', value: 'First@x' }] },
      { id: 'u-3', changes: { set: { email: 'first@X' } } },
      { id: 'u-3', merge: { email: 'third@x' } },
    ]);
    expect(told(answer)).toEqual([
      ['u-2', 409, 'document_conflict', '/0/merge/email'], ['u-1', 200, ''], ['u-2', 200, ''],
      ['u-3', 409, 'document_conflict', '/3/patch/1/value'], ['u-3', 409, 'document_conflict', '/4/changes/set/email'], ['u-3', 200, ''],
    ]);
    expect([await emailOf('u-1'), await emailOf('u-2'), await emailOf('u-3')]).toEqual(['first@x', 'one@x', 'third@x']);
  });

  test('all or none: the item of a taken key is the answer', async () => {
    await made('u-10', { email: 'ten@x' });
    await made('u-11', { email: 'eleven@x' });
    const items = [{ id: 'u-10', merge: { email: 'free@x' } }, { id: 'u-11', merge: { email: 'free@x' } }];
    expect(outcomeOf(await patch(items, '?atomic=true'))).toEqual(['document_conflict', '/1/merge/email']);
    expect([await emailOf('u-10'), await emailOf('u-11')]).toEqual(['ten@x', 'eleven@x']);
    const swap = [
      { id: 'u-10', merge: { email: null } }, { id: 'u-11', merge: { email: 'ten@x' } }, { id: 'u-10', merge: { email: 'eleven@x' } },
    ];
    expect((await patch(swap, '?atomic=true')).outcome).toBe('written');
    expect([await emailOf('u-10'), await emailOf('u-11')]).toEqual(['eleven@x', 'ten@x']);
  });

  test('an operation of a transaction that would make a second one undoes it, and is named with its fields', async () => {
    await made('u-20', { email: 'twenty@x', desk: { floor: 2, seat: 'a' } });
    const seat = { op: 'create', resource: 'seats', body: { row: 20 } };
    const user = (id: string, more: object) => ({ op: 'create', resource: 'users', body: { id, by: 'ada', ...more } });
    expect(outcomeOf(await transact([seat, user('u-21', { desk: { floor: 2, seat: 'a' } })])))
      .toEqual(['document_conflict', '/operations/1/body/desk/floor', '/operations/1/body/desk/seat']);
    expect(outcomeOf(await transact([seat, seat]))).toEqual(['document_conflict', '/operations/1/body/row']);
    expect(outcomeOf(await transact([user('u-22', {}), { op: 'patch', resource: 'users', id: 'u-22', merge: { email: 'Twenty@x' } }])))
      .toEqual(['document_conflict', '/operations/1/merge/email']);
    expect(await origin.stored(users, 'u-22')).toBeUndefined();
    const moved = await transact([
      { op: 'remove', resource: 'users', id: 'u-20' }, user('u-23', { email: 'twenty@x' }), seat,
    ]);
    expect(moved.outcome).toBe('written');
    expect(await emailOf('u-23')).toBe('twenty@x');
  });

  test('the second time a transaction is sent it is answered as the first, though its keys are taken by then', async () => {
    const asking = { idempotencyKey: `again-${engine}` };
    const operations = [{ op: 'create', resource: 'seats', body: { row: 30 } }];
    const [first, second] = [await transact(operations, asking), await transact(operations, asking)];
    expect([first.outcome, second.text]).toEqual(['written', first.text]);
    expect(outcomeOf(await transact(operations))).toEqual(['document_conflict', '/operations/0/body/row']);
  });

  test('a patch is told the place in it that would make a second one', async () => {
    await made('u-40', { email: 'forty@x' });
    await made('u-41', {});
    const by = (mediaType: string, body: object) => origin.ask('patch', users, { id: 'u-41', mediaType, body });
    expect(outcomeOf(await by('application/json-patch+json', [{ op: 'add', path: '/email', value: 'forty@x' }])))
      .toEqual(['document_conflict', '/0/value']);
    expect(outcomeOf(await by('application/vnd.tombolo.changes+json', { set: { email: 'forty@x' } })))
      .toEqual(['document_conflict', '/set/email']);
  });

  test('an endpoint hands a key from one document to another, in its order', async () => {
    await made('u-50', { email: 'fifty@x' });
    await made('u-51', {});
    const move = (email: string) => origin.askBy(rows.move, carry, seats, { body: { of: 'u-50', to: 'u-51', email } });
    expect((await move('fifty@x')).outcome).toBe('written');
    expect([await emailOf('u-50'), await emailOf('u-51')]).toEqual([undefined, 'fifty@x']);
    await made('u-52', { email: 'more@x' });
    expect(outcomeOf(await move('more@x'))).toEqual(['document_conflict', '/email']);
  });

  test('what is removed leaves its key to others, and is restored when nobody has it', async () => {
    await made('u-60', { email: 'sixty@x', desk: { floor: 6, seat: 'a' } });
    await remove('u-60');
    expect(outcomeOf(await make('u-60', {}))).toEqual(['document_exists', '/id']);
    await made('u-61', { email: 'Sixty@x' });
    expect(outcomeOf(await restore('u-60'))).toEqual(['document_conflict', '/email']);
    expect(await origin.stored(users, 'u-60')).toMatchObject({ email: 'sixty@x', deletedAt: expect.any(String), rev: 2 });
    expect((await origin.ask('patch', users, { id: 'u-61', body: { email: 'sixty-one@x' } })).outcome).toBe('written');
    expect((await restore('u-60')).outcome).toBe('written');
    expect(outcomeOf(await make('u-62', { desk: { floor: 6, seat: 'a' } }))).toEqual(['document_conflict', '/desk/floor', '/desk/seat']);
  });

  test('put by the key of a removed document, another one is made', async () => {
    await made('u-70', { email: 'seventy@x' });
    await remove('u-70');
    const put = (id: string) => origin.ask('upsert', users, { query: '?email=seventy@x', body: { id, by: 'ada', email: 'seventy@x' } });
    expect(outcomeOf(await put('u-70'))).toEqual(['document_exists', '/id']);
    expect([(await put('u-71')).outcome, (await put('u-71')).outcome]).toEqual(['created', 'written']);
    expect(outcomeOf(await restore('u-70'))).toEqual(['document_conflict', '/email']);
    await made('u-72', { email: 'other@x', by: 'bob' });
    const hidden = await origin.ask('upsert', users, { query: '?email=other@x', body: { id: 'u-73', by: 'ada', email: 'other@x' } });
    expect(outcomeOf(hidden)).toEqual(['document_conflict', '/email']);
  });

  test('one of many who restore and make one key at the same time has it', async () => {
    await made('u-80', { email: 'eighty@x' });
    await remove('u-80');
    const race = await Promise.all([restore('u-80'), ...Array.from({ length: 20 }, (_, n) => make(`u-8-${n}`, { email: 'eighty@x' }))]);
    const outcomes = race.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome !== 'document_conflict')).toHaveLength(1);
  });

  test('words of a document that was refused find nothing', async () => {
    await made('u-90', { email: 'ninety@x', text: 'magnolia' });
    expect(outcomeOf(await make('u-91', { email: 'ninety@x', text: 'magnolia' }))).toEqual(['document_conflict', '/email']);
    await patch([{ id: 'u-91', merge: { text: 'magnolia' } }, { id: 'u-90', merge: { email: 'nine@x' } }]);
    const found = await origin.ask('list', users, { query: '?q=magnolia' });
    expect((found.json['data'] as readonly JsonObject[]).map(({ id }) => id)).toEqual(['u-90']);
  });

  test('of many documents of one bulk change that want one key the first has it', async () => {
    const many = Array.from({ length: 50 }, (_, n) => `u-m${n}`);
    const body = many.map((id) => `${JSON.stringify({ id, by: 'ada' })}\n`).join('');
    await origin.ask('import', users, { body });
    const answer = await patch(many.map((id) => ({ id, merge: { email: 'many@x' } })));
    expect(told(answer).filter(([, status]) => status === 200)).toEqual([['u-m0', 200, '']]);
  });
});
