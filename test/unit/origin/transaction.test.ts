/** Transactions, on both engines: several operations by the rules of each, all or none, with ids made within (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { everyResourceOf } from '../../../shared/contract/every-resource.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { stepsBody } from '../../../shared/operations/steps.ts';
import { transaction } from '../../../shared/operations/transaction.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const shelves = resource({
  name: 'shelves', schema: z.object({ by: z.string(), room: integer().max(9), data: z.record(z.string(), z.json()).optional() }),
  rules: { read: any(owner('by'), role('auditor')), write: signedIn }, shapes: { all: {} },
});
const books = resource({
  name: 'books', id: { kind: 'string', format: z.string().regex(/^[a-z]+$/) },
  schema: z.object({ shelf: z.uuid(), n: integer().max(100).default(0), of: z.array(z.object({ shelf: z.uuid() })).optional() }),
  rules: {
    read: signedIn, create: signedIn, update: role('editor'), remove: any(role('editor'), equals('n', 0)),
  }, shapes: { all: {} },
});
const sealed = resource({
  name: 'sealed', schema: z.object({ n: integer() }), rules: { read: signedIn, write: signedIn }, shapes: { all: {} },
  preconditions: 'required',
});

const bob = { subject: 'bob', roles: [], claims: {} };
const editor = { subject: 'ed', roles: ['editor'], claims: {} };
const served = contract(shelves, books, sealed);
const uuid = '01890a5d-ac96-774b-bcce-b302099a8057';

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, served)), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const carry = (operations: readonly unknown[], asking: DirectAsking = {}) =>
    origin.askBy(transaction.transaction, execute, everyResourceOf(served), { principal: bob, body: { operations }, ...asking });
  const places = async (operations: readonly unknown[], asking: DirectAsking = {}) => {
    const { outcome, errors } = await carry(operations, asking);
    return [outcome, ...errors.map(({ at }) => at)];
  };
  const shelf = (room: number) => ({ op: 'create', resource: 'shelves', as: 's', body: { by: 'bob', room } });
  const book = (id: string, more: object = {}) => ({
    op: 'create', resource: 'books', body: { id, ...more }, refs: { '/shelf': 's' },
  });
  const n = async (id: string) => (await origin.stored(books, id))?.['n'];

  test('ids that are made within stand where they are referred to, and what looks like a reference is data', async () => {
    const data = { $ref: 's', ref: 's' };
    const answer = await carry([
      { op: 'create', resource: 'shelves', as: 's', body: { by: 'bob', room: 1, data } },
      {
        op: 'create', resource: 'books', body: { id: 'ape', of: [{}, {}] },
        refs: { '/shelf': 's', '/of/0/shelf': 's', '/of/1/shelf': 's' },
      },
      { op: 'patch', resource: 'shelves', id: { ref: 's' }, changes: { increment: { room: 3 } } },
      { op: 'replace', resource: 'books', id: 'bee', body: { n: 2 }, refs: { '/shelf': 's' } },
      { op: 'patch', resource: 'shelves', id: { ref: 's' }, patch: [{ op: 'test', path: '/room', value: 4 }] },
    ], { principal: { ...bob, roles: ['editor'] } });
    const { results, done, refused } = answer.json as { results: readonly JsonObject[]; done: number; refused: number };
    const id = String(results[0]?.['id']);
    expect([answer.outcome, done, refused, answer.writtenAt !== undefined]).toEqual(['written', 5, 0, true]);
    expect(results.map((each) => [each['resource'], each['id'], each['status'], typeof each['etag']])).toEqual([
      ['shelves', id, 201, 'string'], ['books', 'ape', 201, 'string'], ['shelves', id, 200, 'string'], ['books', 'bee', 201, 'string'],
      ['shelves', id, 200, 'string'],
    ]);
    expect(await origin.stored(shelves, id)).toMatchObject({ room: 4, data });
    expect(await origin.stored(books, 'ape')).toMatchObject({ shelf: id, n: 0, of: [{ shelf: id }, { shelf: id }] });
    expect(await origin.stored(books, 'bee')).toMatchObject({ shelf: id, n: 2 });
    const { etag = '' } = await origin.ask('get', books, { id: 'bee', principal: bob });
    expect(results[3]?.['etag']).toBe(etag);
    expect(await places([{ op: 'remove', resource: 'books', id: 'bee', ifMatch: etag }], { principal: editor })).toEqual(['written']);
    expect(await n('bee')).toBeUndefined();
  });

  test('one that is refused undoes the others, and the answer points to it', async () => {
    await carry([shelf(1), book('cat')], {});
    const head = await origin.context.store.head();
    const refusals: readonly (readonly [readonly unknown[], string, string])[] = [
      [[shelf(1), book('dog'), book('cat')], 'document_exists', '/operations/2/body/id'],
      [[shelf(1), book('dog'), { op: 'patch', resource: 'books', id: 'cat', merge: { n: 1 } }], 'forbidden', '/operations/2'],
      [[shelf(1), book('dog', { n: 1 }), { op: 'remove', resource: 'books', id: 'dog' }], 'forbidden', '/operations/2'],
      [[shelf(9), { op: 'patch', resource: 'shelves', id: { ref: 's' }, changes: { increment: { room: 1 } } }], 'document_invalid',
        '/operations/1/changes/increment/room'],
      [[shelf(1), { op: 'patch', resource: 'shelves', id: uuid, merge: { room: 1 } }], 'document_not_found', '/operations/1'],
      [[shelf(1), { op: 'patch', resource: 'shelves', id: { ref: 's' }, ifMatch: '"x"', merge: {} }], 'precondition_failed',
        '/operations/1/ifMatch'],
      [[shelf(1), book('dog'), { op: 'replace', resource: 'books', id: 'cat', ifNoneMatch: '*', body: {}, refs: { '/shelf': 's' } }],
        'forbidden', '/operations/2'],
      [[shelf(1), { op: 'create', resource: 'sealed', as: 'x', body: { n: 1 } }, { op: 'remove', resource: 'sealed', id: { ref: 'x' } }],
        'precondition_required', '/operations/2/ifMatch'],
    ];
    for (const [operations, reason, at] of refusals) expect(await places(operations)).toEqual([reason, at]);
    expect(await places([{ ...shelf(1) }], { principal: anonymous })).toEqual(['token_missing', '/operations/0']);
    expect([await n('dog'), (await origin.context.store.head()).order]).toEqual([undefined, head.order]);
  });

  test('operations of one document see each other in order', async () => {
    const anew = [shelf(1), book('eel', { n: 0 }), { op: 'remove', resource: 'books', id: 'eel' }, book('eel', { n: 7 })];
    expect(await places(anew)).toEqual(['written']);
    expect(await n('eel')).toBe(7);
    const twice = { op: 'patch', resource: 'books', id: 'eel', changes: { increment: { n: 1 } } };
    expect(await places([twice, twice, twice], { principal: editor })).toEqual(['written']);
    expect(await n('eel')).toBe(10);
  });

  test.each<[string, readonly object[], readonly string[]]>([
    ['a resource that is not there', [{ op: 'create', resource: 'none', body: {} }], ['/operations/0/resource']],
    ['a body of another form', [shelf(1), { ...shelf(10), as: 't' }], ['/operations/1/body/room']],
    ['members of another operation', [{ op: 'remove', resource: 'books', id: 'a', body: {} }], ['/operations/0/body']],
    ['a condition on what is made', [{ ...shelf(1), ifMatch: '*' }], ['/operations/0/ifMatch']],
    ['no id', [{ op: 'remove', resource: 'books' }], ['/operations/0/id']],
    ['no body', [{ op: 'replace', resource: 'books', id: 'a' }], ['/operations/0/body']],
    ['no form of a patch', [{ op: 'patch', resource: 'books', id: 'a' }], ['/operations/0']],
    ['two forms of a patch', [{ op: 'patch', resource: 'books', id: 'a', merge: {}, changes: {} }], ['/operations/0']],
    ['a reference to nothing before', [book('a'), shelf(1)], ['/operations/0/refs/~1shelf']],
    ['an id that refers to nothing', [{ op: 'remove', resource: 'books', id: { ref: 'x' } }], ['/operations/0/id/ref']],
    ['a reference that leads nowhere',
      [shelf(1), { ...book('a'), refs: { '/shelf': 's', '/of/0/shelf': 's' } }], ['/operations/1/refs/~1of~10~1shelf']],
    ['a reference to what no member is called',
      [shelf(1), { ...book('a', { shelf: uuid }), refs: { '/__proto__': 's' } }], ['/operations/1/refs/~1__proto__']],
    ['a reference behind the last element',
      [shelf(1), { ...book('a', { shelf: uuid, of: [] }), refs: { '/of/-': 's' } }], ['/operations/1/refs/~1of~1-']],
    ['one name twice', [shelf(1), shelf(2)], ['/operations/1/as']],
    ['an id of another form', [{ op: 'create', resource: 'books', body: { id: 'A', shelf: uuid } }], ['/operations/0/body/id']],
    ['an id in the body that is not that of the operation',
      [{ op: 'replace', resource: 'books', id: 'a', body: { id: 'b', shelf: uuid } }], ['/operations/0/body/id']],
    ['a reference where its id does not fit', [shelf(1), { ...book('a', { shelf: uuid }), refs: { '/n': 's' } }], ['/operations/1/body/n']],
    ['a tag that is none', [{ op: 'remove', resource: 'books', id: 'a', ifMatch: 'x' }], ['/operations/0/ifMatch']],
    ['a member that is unknown', [{ op: 'remove', resource: 'books', id: 'a', more: 1 }], ['/operations/0/more']],
    ['nothing', [], ['/operations']],
    ['too much', Array.from({ length: limits.writesTogetherMax + 1 }, () => shelf(1)), ['/operations']],
  ])('%s is refused by name', async (_what, operations, at) => {
    expect(await places(operations, { principal: editor })).toEqual(['document_invalid', ...at]);
  });

  test('a key is of the whole, and its answer is told again', async () => {
    const first = await carry([shelf(1), book('fox')], { idempotencyKey: 'k' });
    const again = await carry([shelf(1), book('fox')], { idempotencyKey: 'k' });
    expect([first.outcome, again.json]).toEqual(['written', first.json]);
    expect(await carry([shelf(1), book('fly')], { idempotencyKey: 'k' })).toMatchObject({ outcome: 'idempotency_mismatch' });
    expect(await carry([shelf(1), book('fox')], { idempotencyKey: 'other' })).toMatchObject({ outcome: 'document_exists' });
  });

  test('two over the same documents in opposite orders both end, one after the other', async () => {
    await carry([shelf(1), book('left', { n: 50 }), book('right', { n: 50 })]);
    const add = (id: string, by: number) => ({ op: 'patch', resource: 'books', id, changes: { increment: { n: by } } });
    const moves = Array.from({ length: 20 }, (_, index) => carry(
      index % 2 === 0 ? [add('left', -1), add('right', 1)] : [add('right', -1), add('left', 1)], { principal: editor },
    ));
    expect(new Set((await Promise.all(moves)).map(({ outcome }) => outcome))).toEqual(new Set(['written']));
    expect([await n('left'), await n('right')]).toEqual([50, 50]);
    const seen = (await origin.stored(books, 'left'))?.['rev'];
    expect(seen).toBe(21);
  });
});

test('references cost what their body costs, however many they are', () => {
  const of = Array.from({ length: 20_000 }, () => 0);
  const refs = Object.fromEntries(of.map((_, index) => [`/of/${index}`, 's']));
  const operations = [
    { op: 'create', resource: 'shelves', as: 's', body: { by: 'bob', room: 1 } },
    { op: 'create', resource: 'books', body: { id: 'a', shelf: uuid, of }, refs },
  ];
  let isTaken = true;
  // A copy of the array for each would be 3 GB.
  const ms = cpuMsOf(() => void (isTaken = stepsBody(everyResourceOf(served)).safeParse({ operations }).success));
  expect([isTaken, ms < 500]).toEqual([false, true]);
});
