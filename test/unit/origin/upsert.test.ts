/** Unique keys by every way of writing through the origin, and documents that are put by them, on both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const users = resource({
  name: 'users',
  schema: z.object({
    email: z.string().min(3), by: z.string().optional(), name: z.string().optional(), badge: z.string().optional(),
    status: z.enum(['active', 'gone']).default('active'), desk: z.object({ floor: z.int(), seat: z.string() }).optional(),
  }),
  rules: { read: any(role('clerk'), owner('by')), write: anyone },
  fieldRules: { badge: { read: role('clerk') } },
  shapes: { all: {} },
  unique: {
    byEmail: { fields: ['email'], ignoringCase: true },
    byBadge: { fields: ['badge'] },
    byDesk: { fields: ['desk.floor', 'desk.seat'], where: { status: 'active' } },
  },
});
const cards = resource({
  name: 'cards', id: { kind: 'string', format: z.string().regex(/^c-/) },
  schema: z.object({ number: z.int(), text: z.string().optional() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
  unique: { byNumber: { fields: ['number'] } },
});

const rows = endpointModule(
  endpoint({
    name: 'pair', of: cards, at: '/pair', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ numbers: z.array(z.int()) }), output: z.object({ made: z.int() }),
  }),
).operations;
const carry = executor<typeof rows>({
  pair: (call) => {
    const changes = call.input.numbers.map((number, index) => call.asSystem.create(cards, { id: `c-pair-${number}-${index}`, number }));
    return call.write(changes, (made) => ({ made: made.length }));
  },
});

const clerk = { subject: 'cid', roles: ['clerk'], claims: {} };
const outcomeOf = ({ outcome, errors }: DirectAnswer) => [outcome, ...errors.map(({ at }) => at)];

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(users, cards))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const make = (body: object) => origin.ask('create', users, { body });
  const putBy = (query: string, body: object, more: DirectAsking = {}) => origin.ask('upsert', users, { query, body, ...more });

  test('a taken key is told by its fields, by create, PUT, patch, row and endpoint', async () => {
    await origin.ask('create', cards, { body: { id: 'c-1', number: 1 } });
    await origin.ask('create', cards, { body: { id: 'c-2', number: 2 } });
    const taken = ['document_conflict', '/number'];
    expect(outcomeOf(await origin.ask('create', cards, { body: { id: 'c-3', number: 1 } }))).toEqual(taken);
    expect(outcomeOf(await origin.ask('replace', cards, { id: 'c-2', body: { number: 1 } }))).toEqual(taken);
    expect(outcomeOf(await origin.ask('patch', cards, { id: 'c-2', body: { number: 1 } }))).toEqual(taken);
    const pair = (...numbers: number[]) => origin.askBy(rows.pair, carry, cards, { body: { numbers } });
    expect(outcomeOf(await pair(3, 1))).toEqual(taken);
    expect([await pair(3, 3), await pair(3, 4)].map(({ outcome }) => outcome)).toEqual(['document_conflict', 'written']);
    const sent = [{ id: 'c-5', number: 5 }, { id: 'c-6', number: 1 }, { id: 'c-7', number: 5 }, { id: 'c-8', number: 8 }];
    const { text } = await origin.ask('import', cards, { body: sent.map((row) => `${JSON.stringify(row)}\n`).join('') });
    const told = text.trim().split('\n').map((line) => JSON.parse(line) as { row?: number; code?: string; errors?: { at: string }[] });
    expect(told.flatMap(({ row, code, errors }) => (row === undefined ? [] : [[row, code, errors?.[0]?.at]]))).toEqual([
      [2, 'document_conflict', '/number'], [3, 'document_conflict', '/number'],
    ]);
  });

  test('a key that its caller may not write is never tried', async () => {
    await origin.ask('create', users, { body: { email: 'badge@x', badge: 'b-1' }, principal: clerk });
    const guess = (badge: string) => putBy('?badge=b-1', { email: 'guess@x', badge }, { principal: clerk });
    expect(outcomeOf(await guess('b-2'))).toEqual(['document_invalid', '/badge']);
  });

  test('a document is made by its key, and then put in its place', async () => {
    const made = await putBy('?email=ada@x.org', { email: 'Ada@x.org', by: 'ada' });
    expect([made.outcome, made.json['email'], typeof made.createdId]).toEqual(['created', 'Ada@x.org', 'string']);
    const put = await putBy('?email=ADA@X.org', { email: 'ada@x.org', by: 'ada', name: 'Ada' });
    expect([put.outcome, put.json['id'], put.json['name'], put.json['rev']]).toEqual(['written', made.json['id'] ?? '', 'Ada', 2]);
    expect((await putBy('?email=ada@x.org', put.json)).json['rev']).toBe(2);
    expect(outcomeOf(await putBy('?email=ada@x.org', { ...put.json, id: crypto.randomUUID() }))).toEqual(['document_invalid', '/id']);
  });

  test('a key is all fields of one that is declared, and the body has it', async () => {
    const body = { email: 'eve@x', by: 'ada', desk: { floor: 1, seat: 'a' } };
    expect(outcomeOf(await putBy('', body))).toEqual(['query_invalid', 'email', 'badge', 'desk.floor', 'desk.seat']);
    expect(outcomeOf(await putBy('?name=eve', body))).toEqual(['query_invalid', 'name']);
    expect(outcomeOf(await putBy('?email=eve@x&badge=1', body))).toEqual(['query_invalid', 'email', 'badge']);
    expect(outcomeOf(await putBy('?desk.floor=1', body))).toEqual(['query_invalid', 'desk.floor']);
    expect(outcomeOf(await putBy('?email=e', body))).toEqual(['query_invalid', 'email']);
    expect(outcomeOf(await putBy('?email=bob@x', body))).toEqual(['document_invalid', '/email']);
    expect(outcomeOf(await putBy('?desk.floor=1&desk.seat=b', body))).toEqual(['document_invalid', '/desk/seat']);
    expect(outcomeOf(await putBy('?desk.floor=1&desk.seat=a', { ...body, status: 'gone' }))).toEqual(['document_invalid', '/status']);
    expect((await putBy('?desk.floor=1&desk.seat=a', body)).outcome).toBe('created');
    expect((await putBy('?desk.floor=1&desk.seat=a', { ...body, email: 'eva@x' })).json).toMatchObject({ email: 'eva@x', rev: 2 });
  });

  test('where another document has a key of its body, it is refused', async () => {
    await make({ email: 'one@x', by: 'ada', desk: { floor: 2, seat: 'a' } });
    await make({ email: 'two@x', by: 'ada' });
    expect(outcomeOf(await putBy('?email=two@x', { email: 'two@x', by: 'ada', desk: { floor: 2, seat: 'a' } })))
      .toEqual(['document_conflict', '/desk/floor', '/desk/seat']);
  });

  test('a document that its caller does not see, or not by this key, is a key that is taken', async () => {
    await make({ email: 'hidden@x', by: 'bob' });
    expect(outcomeOf(await putBy('?email=hidden@x', { email: 'hidden@x', by: 'ada' }))).toEqual(['document_conflict', '/email']);
    await origin.ask('create', users, { body: { email: 'own@x', by: 'ada', badge: 'b-7' }, principal: clerk });
    expect(outcomeOf(await putBy('?badge=b-7', { email: 'new@x', by: 'ada', badge: 'b-7' }))).toEqual(['document_conflict', '/badge']);
    const body = { email: 'own@x', by: 'ada', badge: 'b-7', name: 'x' };
    expect((await putBy('?badge=b-7', body, { principal: clerk })).outcome).toBe('written');
  });

  test('conditions hold of the document that has the key', async () => {
    const body = { email: 'cond@x', by: 'ada' };
    expect((await putBy('?email=cond@x', body, { ifMatch: '"none"' })).outcome).toBe('precondition_failed');
    const { etag } = await putBy('?email=cond@x', body, { ifNoneMatch: '*' });
    expect((await putBy('?email=cond@x', body, { ifNoneMatch: '*' })).outcome).toBe('precondition_failed');
    expect((await putBy('?email=cond@x', { ...body, name: 'c' }, { ifMatch: etag })).outcome).toBe('written');
    expect((await putBy('?email=cond@x', { ...body, name: 'd' }, { ifMatch: etag })).outcome).toBe('precondition_failed');
  });

  test('one idempotency key has one effect', async () => {
    const ask = () => putBy('?email=once@x', { email: 'once@x', by: 'ada' }, { idempotencyKey: `once-${engine}` });
    const [first, second] = [await ask(), await ask()];
    expect([second.outcome, second.text]).toEqual([first.outcome, first.text]);
    expect(first.json['rev']).toBe(1);
  });

  test('where callers name documents, a new one is named by its body', async () => {
    const put = (body: object) => origin.ask('upsert', cards, { query: '?number=40', body });
    expect(outcomeOf(await put({ number: 40 }))).toEqual(['document_invalid', '/id']);
    expect((await put({ id: 'c-40', number: 40 })).outcome).toBe('created');
    expect((await put({ number: 40, text: 'x' })).json).toMatchObject({ id: 'c-40', text: 'x' });
    expect(outcomeOf(await origin.ask('upsert', cards, { query: '?number=41', body: { id: 'c-40', number: 41 } })))
      .toEqual(['document_exists', '/id']);
  });

  test('two hundred that put one key at the same time make one document', async () => {
    const putUntilTaken = async (n: number): Promise<DirectAnswer> => {
      const answer = await putBy('?email=race@x', { email: 'race@x', by: 'ada', name: `n${n}` }, { msLeft: 60_000 });
      // The connections for reads are bounded; whoever gets none has written nothing, and is told to come again.
      if (!['store_busy', 'store_unavailable'].includes(answer.outcome)) return answer;
      await Bun.sleep(20 + n);
      return putUntilTaken(n);
    };
    const all = await Promise.all(Array.from({ length: 200 }, (_, n) => putUntilTaken(n)));
    // On a machine that others keep busy some run out of their time, written or not.
    const told = all.filter(({ outcome }) => outcome !== 'deadline_exceeded');
    const revs = told.map(({ json }) => Number(json['rev'])).sort((a, b) => a - b);
    const [id = '', ...others] = new Set(told.map(({ json }) => String(json['id'])));
    expect([others, [...new Set(revs)]]).toEqual([[], revs]);
    expect(Number((await origin.stored(users, id))?.['rev'])).toBeGreaterThanOrEqual(Math.max(told.length, ...revs));
    const { json } = await origin.ask('list', users, { query: '?limit=200', principal: clerk });
    expect((json['data'] as readonly { readonly email: string }[]).filter(({ email }) => email === 'race@x')).toHaveLength(1);
    if (told.length < all.length) return;
    expect([told.filter(({ outcome }) => outcome === 'created').length, revs.at(-1)]).toEqual([1, 200]);
  });
});
