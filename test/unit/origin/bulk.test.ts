/** Bulk changes and removals, on both engines: each document as alone, with a result of its own, or all or none (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { execute } from '../../../origin/execute.ts';
import type { Store } from '../../../origin/store/store.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const declared = {
  id: { kind: 'string', format: z.string().regex(/^[a-z]+$/) },
  schema: z.object({
    by: z.string(), open: z.boolean().default(false), n: integer().max(100), tags: z.array(z.string()).default([]),
    pay: integer().optional(),
  }),
  rules: {
    read: any(owner('by'), equals('open', true), role('auditor')), create: role('auditor'),
    update: any(owner('by'), role('auditor')), remove: any(owner('by'), role('auditor')),
  },
  fieldRules: { pay: { read: role('auditor'), write: role('auditor') } },
  shapes: {
    all: {}, byTag: { equal: ['tags'], sort: ['n'], beside: ['by', 'n'] }, byN: { range: 'n', sort: ['n'] }, byPay: { equal: ['pay'] },
  },
} as const;
const notes = resource({ name: 'notes', ...declared });
const careful = resource({ name: 'careful', ...declared, preconditions: 'required' });
const hooks = [beforeWrite(notes, ({ next: { n } }) => {
  if (n === 13) throw new Fault('endpoint_refused', { detail: 'not thirteen' });
  return {};
})];

const bob = { subject: 'bob', roles: [], claims: {} };
const auditor = { subject: 'eve', roles: ['auditor'], claims: {} };
const note = (by: string, n: number, more: JsonObject = {}) => ({ by, open: true, n, tags: [], ...more });

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, careful), { hooks })), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const put = async (documents: Readonly<Record<string, JsonObject>>, of = notes) => {
    for (const [id, document] of Object.entries(documents)) await origin.put(of, id, document);
  };
  const patch = (body: Json | string, asking: DirectAsking = {}, of = notes) =>
    origin.askBy(bulk.patchMany, execute, of, { principal: bob, body: body as object, ...asking });
  const remove = (query: string, asking: DirectAsking = {}, of = notes) =>
    origin.askBy(bulk.removeMany, execute, of, { principal: bob, query, ...asking });
  const results = ({ json }: DirectAnswer) => json['results'] as readonly JsonObject[];
  const told = (answer: DirectAnswer) => results(answer).map(({ id, status, problem }) => {
    const { code = '', errors = [] } = (problem ?? {}) as { code?: string; errors?: readonly { at: string }[] };
    return [id, status, code, ...errors.map(({ at }) => at)];
  });
  const valueOf = async (id: string, of = notes) => (await origin.stored(of, id))?.['n'];

  test('each item is a patch of its own form, and is answered as alone', async () => {
    await put({ a: note('bob', 1), b: note('bob', 2), c: note('bob', 3), d: note('ada', 4), h: note('ada', 5, { open: false }) });
    const answer = await patch([
      { id: 'a', merge: { n: 10 } },
      { id: 'b', patch: [{ op: 'replace', path: '/n', value: 20 }] },
      { id: 'c', changes: { increment: { n: 27 } } },
      { id: 'd', merge: { n: 40 } },
      { id: 'h', merge: { n: 50 } },
      { id: 'none', merge: { n: 50 } },
      { id: 'c', changes: { increment: { n: 100 } } },
      { id: 'a', merge: { pay: 1 } },
      { id: 'a', patch: [{ op: 'test', path: '/n', value: 9 }] },
      { id: 'b', merge: { n: 13 } },
      { id: 'c', merge: { n: 31 } },
    ]);
    expect(told(answer)).toEqual([
      ['a', 200, ''], ['b', 200, ''], ['c', 200, ''],
      ['d', 403, 'forbidden', '/3'], ['h', 404, 'document_not_found', '/4'], ['none', 404, 'document_not_found', '/5'],
      ['c', 422, 'document_invalid', '/6/changes/increment/n'], ['a', 403, 'forbidden', '/7/merge/pay'],
      ['a', 409, 'document_conflict', '/8/patch/0/path'], ['b', 422, 'endpoint_refused', '/9'], ['c', 200, ''],
    ]);
    expect([answer.json['done'], answer.json['refused'], answer.writtenAt !== undefined]).toEqual([4, 7, true]);
    expect(await Promise.all(['a', 'b', 'c', 'd', 'h'].map((id) => valueOf(id)))).toEqual([10, 20, 31, 4, 5]);
    const { etag } = await origin.ask('get', notes, { id: 'a', principal: bob });
    expect(results(answer)[0]?.['etag']).toBe(etag as string);
    const lines = '{"id":"a","merge":{"n":11}}\n\n{"id":"b","merge":{"n":21}}';
    expect(told(await patch(lines, { mediaType: 'application/x-ndjson' }))).toEqual([['a', 200, ''], ['b', 200, '']]);
    expect(await patch('{"id":"a"', { mediaType: 'application/x-ndjson' })).toMatchObject({ outcome: 'body_malformed' });
  });

  test('what is wrong with the request itself refuses all of it', async () => {
    await put({ a: note('bob', 1) });
    const wrong = async (items: Json) => (await patch(items)).errors.map(({ at }) => at);
    const good = { id: 'a', merge: { n: 2 } };
    expect(await wrong([good, { id: 'a', merge: { n: 'x' } }])).toEqual(['/1/merge/n']);
    expect(await wrong([{ id: 'a', merge: {}, patch: [] }, { id: 'a' }, { id: 'a', merge: {}, more: 1 }])).toEqual(['/0', '/1', '/2/more']);
    expect(await wrong([good, { id: 'a/b', merge: {} }, { id: 'a', ifMatch: 'x', merge: {} }])).toEqual(['/1/id', '/2/ifMatch']);
    expect(await wrong([])).toEqual(['']);
    expect(await wrong(Array.from({ length: limits.writesTogetherMax + 1 }, () => good))).toEqual(['']);
    expect(await patch([good], { ifMatch: '*' })).toMatchObject({ outcome: 'header_invalid' });
    expect(await patch([good], { query: '?atomic=yes' })).toMatchObject({ outcome: 'query_invalid' });
    expect(await patch([good], { principal: anonymous })).toMatchObject({ outcome: 'token_missing' });
    expect(await valueOf('a')).toBe(1);
  });

  test('all or nothing: the first that is refused is the answer, and nothing is changed', async () => {
    await put({ a: note('bob', 1), b: note('bob', 2) });
    const before = await origin.context.store.head();
    const refused = await patch([
      { id: 'a', merge: { n: 5 } }, { id: 'b', ifMatch: '"other"', merge: { n: 5 } }, { id: 'none', merge: {} },
    ], { query: '?atomic=true', idempotencyKey: 'k1' });
    expect(refused).toMatchObject({ outcome: 'precondition_failed', errors: [{ at: '/1/ifMatch', in: 'body' }] });
    const invalid = await patch([{ id: 'a', merge: { n: 5 } }, { id: 'a', changes: { increment: { n: 99 } } }], { query: '?atomic=true' });
    expect(invalid).toMatchObject({ outcome: 'document_invalid', errors: [{ at: '/1/changes/increment/n' }] });
    expect([await valueOf('a'), await valueOf('b')]).toEqual([1, 2]);
    const both = await patch([{ id: 'a', merge: { n: 5 } }, { id: 'b', merge: { n: 6 } }], { query: '?atomic=true', idempotencyKey: 'k1' });
    expect([told(both), await valueOf('a'), await valueOf('b')]).toEqual([[['a', 200, ''], ['b', 200, '']], 5, 6]);
    expect(both.writtenAt?.order).not.toBe(before.order);
  });

  test('a key is of the whole, and its answer is told again', async () => {
    await put({ a: note('bob', 1), b: note('ada', 2) });
    const items = [{ id: 'a', changes: { increment: { n: 1 } } }, { id: 'b', changes: { increment: { n: 1 } } }];
    const first = await patch(items, { idempotencyKey: 'k2' });
    const second = await patch(items, { idempotencyKey: 'k2' });
    expect([second.json, await valueOf('a')]).toEqual([first.json, 2]);
    expect(await patch(items, { idempotencyKey: 'k2', query: '?atomic=true' })).toMatchObject({ outcome: 'idempotency_mismatch' });
    expect(await remove('?id=a', { idempotencyKey: 'k3' })).toMatchObject({ json: { done: 1 } });
    expect(await remove('?id=a', { idempotencyKey: 'k3' })).toMatchObject({ json: { done: 1 } });
    expect(await remove('?id=a', { idempotencyKey: 'k4' })).toMatchObject({ json: { done: 0, refused: 1 } });
  });

  test('a resource that demands preconditions demands them of each item, and is removed one by one', async () => {
    await put({ a: note('bob', 1) }, careful);
    const { etag = '' } = await origin.ask('get', careful, { id: 'a', principal: bob });
    const answer = await patch([{ id: 'a', merge: { n: 2 } }, { id: 'a', ifMatch: etag, merge: { n: 3 } }], {}, careful);
    expect(told(answer)).toEqual([['a', 428, 'precondition_required', '/0/ifMatch'], ['a', 200, '']]);
    expect(await remove('?id=a', {}, careful)).toMatchObject({ outcome: 'precondition_required' });
    expect(await valueOf('a', careful)).toBe(3);
  });

  test('documents are removed by their ids, those alone that their caller may', async () => {
    await put({ a: note('bob', 1), b: note('ada', 2), h: note('ada', 3, { open: false }) });
    const none = ['document_not_found', 'id'];
    const expected = [['a', 204, ''], ['b', 403, 'forbidden', 'id'], ['h', 404, ...none], ['x', 404, ...none]];
    const dry = await remove('?id[in]=a,b,h,x,a&dryRun=true');
    expect([told(dry), dry.json['dryRun'], await valueOf('a')]).toEqual([expected, true, 1]);
    expect(await remove('?id[in]=a,b&atomic=true')).toMatchObject({ outcome: 'forbidden' });
    expect(await valueOf('a')).toBe(1);
    expect([told(await remove('?id[in]=a,b,h,x')), await valueOf('a'), await valueOf('b')]).toEqual([expected, undefined, 2]);
    expect(told(await remove('?id[in]=b,h&atomic=true', { principal: auditor }))).toEqual([['b', 204, ''], ['h', 204, '']]);
  });

  test('documents are removed by a filter of a shape, up to a ceiling, in its order', async () => {
    await put(Object.fromEntries(['p', 'q', 'r', 's'].map((id, index) => [id, note('bob', 9 - index, { tags: ['old'] })])));
    await put({ t: note('bob', 1, { tags: ['new'] }), u: note('ada', 0, { tags: ['old'], open: false }) });
    const dry = await remove('?tags=old&limit=2&dryRun=true');
    expect([told(dry), dry.json['more'], await valueOf('s')]).toEqual([[['s', 204, ''], ['r', 204, '']], true, 6]);
    expect(told(await remove('?tags=old&limit=2&dryRun=true&sort=-n'))).toEqual([['p', 204, ''], ['q', 204, '']]);
    const two = await remove('?tags=old&limit=2');
    expect([told(two), two.json['more']]).toEqual([[['s', 204, ''], ['r', 204, '']], true]);
    const rest = await remove('?tags=old');
    expect([told(rest), rest.json['more']]).toEqual([[['q', 204, ''], ['p', 204, '']], false]);
    expect([await valueOf('t'), await valueOf('u')]).toEqual([1, 0]);
    expect(await remove('?tags=old')).toMatchObject({ json: { results: [], done: 0, more: false } });
  });

  test('a filter that asks beside its index removes what meets all of it', async () => {
    await put({ f: note('bob', 1, { tags: ['odd'] }), g: note('bob', 2, { tags: ['odd'] }), h: note('bob', 3, { tags: ['odd'] }) });
    const some = await remove('?tags=odd&n[ne]=2&limit=1');
    expect([told(some), some.json['more']]).toEqual([[['f', 204, '']], true]);
    const rest = await remove('?tags=odd&n[ne]=2');
    expect([told(rest), rest.json['more'], await valueOf('g')]).toEqual([[['h', 204, '']], false, 2]);
  });

  test('what a filter finds is changed alike, up to a ceiling, in its order, within what its caller may', async () => {
    await put(Object.fromEntries(['p', 'q', 'r'].map((id, index) => [id, note('bob', 9 - index, { tags: ['old'] })])));
    await put({ t: note('bob', 1), u: note('ada', 0, { tags: ['old'] }), w: note('ada', 3, { tags: ['old'], open: false }) });
    const query = '?tags=old&limit=2';
    const change = { changes: { increment: { n: 1 } } };
    const dry = await patch(change, { query: `${query}&dryRun=true` });
    expect([told(dry), dry.json['more'], await valueOf('r')]).toEqual([[['u', 403, 'forbidden', ''], ['r', 200, '']], true, 7]);
    const some = await patch(change, { query });
    const values = await Promise.all(['u', 'r', 'q'].map((id) => valueOf(id)));
    expect([told(some), values]).toEqual([[['u', 403, 'forbidden', ''], ['r', 200, '']], [0, 8, 8]]);
    expect(await patch(change, { query: '?tags=old&atomic=true' })).toMatchObject({ outcome: 'forbidden' });
    const merge = { merge: { tags: ['new'], n: 7 } };
    const all = await patch(merge, { query: '?tags=old&atomic=true&n[ne]=3', principal: auditor });
    expect(results(all).map(({ id }) => id)).toEqual(['u', 'q', 'r', 'p']);
    expect([await valueOf('t'), await valueOf('w'), await valueOf('p')]).toEqual([1, 3, 7]);
    const steps = [{ op: 'test', path: '/n', value: 7 }, { op: 'replace', path: '/tags', value: [] }];
    const one = results(await patch({ patch: steps }, { query: '?tags=new&limit=1', principal: auditor }));
    expect(one.map(({ status }) => status)).toEqual([200]);
  });

  test.each([
    ['a list with a filter', '?tags=old', [{ id: 'a', merge: { n: 2 } }], 'document_invalid', ''],
    ['one change without a filter', '', { merge: { n: 2 } }, 'document_invalid', ''],
    ['two forms', '?tags=old', { merge: { n: 2 }, changes: { set: { n: 2 } } }, 'document_invalid', ''],
    ['an id', '?tags=old', { id: 'a', merge: { n: 2 } }, 'document_invalid', '/id'],
    ['a value of another type', '?tags=old', { merge: { n: 'two' } }, 'document_invalid', '/merge/n'],
    ['a path that is not there', '?tags=old&atomic=true', { changes: { set: { nowhere: 1 } } }, 'document_invalid', '/changes/set/nowhere'],
    ['what no shape serves', '?by=bob', { merge: { n: 2 } }, 'query_not_served', undefined],
    ['an order alone', '?sort=n', { merge: { n: 2 } }, 'query_invalid', 'sort'],
    ['a page', '?tags=old&after=x', { merge: { n: 2 } }, 'query_invalid', 'after'],
    ['ids', '?id[in]=a', { merge: { n: 2 } }, 'query_not_served', undefined],
    ['a field that they may not read', '?pay=1', { merge: { n: 2 } }, 'forbidden', undefined],
  ])('nothing is changed by %s', async (_what, query, body, outcome, place) => {
    await put({ a: note('bob', 1, { tags: ['old'] }) });
    const answer = await patch(body, { query });
    expect([answer.outcome, await valueOf('a')]).toEqual([outcome, 1] as never);
    if (place !== undefined) expect(answer.errors.map(({ at }) => at)).toEqual([place]);
  });

  test('of a resource that demands preconditions nothing is changed unread', async () => {
    await put({ a: note('bob', 1, { tags: ['old'] }) }, careful);
    expect(await patch({ merge: { n: 2 } }, { query: '?tags=old' }, careful)).toMatchObject({ outcome: 'precondition_required' });
  });

  test.each([
    ['nothing', '', 'query_invalid'],
    ['an order alone', '?sort=n', 'query_invalid'],
    ['what no shape serves', '?by=bob', 'query_not_served'],
    ['an unknown parameter', '?nope=1', 'query_invalid'],
    ['a page', '?tags=old&after=x', 'query_invalid'],
    ['the last page', '?tags=old&page=last', 'query_invalid'],
    ['values', '?tags=old&distinct=n', 'query_invalid'],
    ['ids and a filter', '?id=a&tags=old', 'query_invalid'],
    ['too many', `?tags=old&limit=${limits.pageDocumentsMax + 1}`, 'query_invalid'],
    ['too many ids', `?id[in]=${Array.from({ length: limits.writesTogetherMax + 1 }, (_, n) => `x${n}`).join()}`, 'query_invalid'],
    ['a field that they may not read', '?pay=1', 'forbidden'],
  ])('nothing is removed by %s', async (_what, query, outcome) => {
    await put({ a: note('bob', 1) });
    expect([(await remove(query)).outcome, await valueOf('a')]).toEqual([outcome, 1] as never);
  });

  test('what has changed since a filter found it stays', async () => {
    await put({ a: note('bob', 1, { tags: ['gone'] }), b: note('bob', 2, { tags: ['gone'] }) });
    const { store } = origin.context;
    const list: typeof store.list = async (...given) => {
      const read = await store.list(...given);
      await origin.put(notes, 'a', note('bob', 1, { tags: ['kept'] }));
      return read;
    };
    origin.change({ store: withList(store, list) });
    const late = await remove('?tags=gone');
    origin.change({ store });
    expect(told(late)).toEqual([['a', 409, 'document_conflict', 'id'], ['b', 204, '']]);
    expect(await valueOf('a')).toBe(1);
  });
});

function withList(store: Store, list: Store['list']): Store {
  return new Proxy(store, {
    get: (of, name) => {
      const member: unknown = name === 'list' ? list : Reflect.get(of, name, of);
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
}
