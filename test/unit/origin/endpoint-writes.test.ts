/**
 * Handlers of endpoints that check nothing: several documents of several resources change in one transaction, by the rules
 * of each, once for a call and once for a key, and the document of the path is what it was when the call was let in.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { WriteCall } from '../../../origin/access/own-call.ts';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const accounts = resource({
  name: 'accounts', id: { kind: 'string', format: z.string().regex(/^a-/) },
  schema: z.object({ by: z.string(), cents: z.int(), limit: z.int().optional() }),
  rules: { read: owner('by'), write: owner('by') }, fieldRules: { limit: { write: role('clerk') } }, shapes: { all: {} },
});
const entries = resource({
  name: 'entries', schema: z.object({ of: z.string(), cents: z.int() }),
  rules: { read: anyone, create: signedIn }, shapes: { byOf: { equal: ['of'] } },
});
const guarded = resource({
  name: 'guarded', id: { kind: 'string', format: z.string().regex(/^g-/) }, schema: z.object({ n: z.int() }),
  rules: { read: anyone, write: anyone }, preconditions: 'required', shapes: { all: {} },
});

const effect = { summary: 'Of a test.', of: accounts, method: 'POST', answers: 'effect', rule: signedIn } as const;
const input = z.object({ to: z.string(), cents: z.int().default(10) });
const output = z.object({ cents: z.array(z.int().nullable()) });
const ofOne = { ...effect, output, at: '/:id/draw', rule: owner('by') } as const;
const rows = endpointModule(
  endpoint({ ...effect, name: 'move', at: '/move', input, output }),
  endpoint({ ...effect, name: 'seize', at: '/seize', input, output }),
  endpoint({ ...effect, name: 'raise', at: '/raise', input, output }),
  endpoint({ ...effect, name: 'twice', at: '/twice', output }),
  endpoint({ ...effect, name: 'never', at: '/never', output }),
  endpoint({ ...effect, name: 'swallowed', at: '/swallowed', output }),
  endpoint({ ...effect, name: 'broken', at: '/broken', output }),
  endpoint({ ...effect, name: 'mistold', at: '/mistold', output }),
  endpoint({ ...effect, name: 'unlock', at: '/unlock', output, input: z.object({ tag: z.string().nullable() }) }),
  endpoint({ ...ofOne, name: 'draw' }),
  endpoint({ ...ofOne, name: 'close', at: '/:id/close' }),
).operations;

/** What happens outside of the database while a handler runs. */
let meanwhile: () => Promise<void> | void = () => undefined;
type Move = WriteCall<(typeof rows)['move' | 'seize' | 'raise']>;
const from = 'a-1';
const less = (cents: number) => (seen: { readonly cents?: number }) => ({ cents: (seen.cents ?? 0) - cents });
const move = (call: Move, by: Pick<Move, 'merge' | 'create'>) => {
  const { to, cents } = call.input;
  const changes = [by.merge(accounts, from, less(cents)), by.merge(accounts, to, less(-cents)), by.create(entries, { of: from, cents })];
  return call.write(changes, (left) => ({ cents: left.map((each) => (each as { cents?: number }).cents ?? null) }));
};

const carry = executor<typeof rows>({
  move: async (call) => (await meanwhile(), move(call, call)),
  seize: (call) => move(call, call.asSystem),
  raise: (call) => call.write([call.merge(accounts, call.input.to, () => ({ limit: 1_000 }))], () => ({ cents: [] })),
  twice: async (call) => {
    await call.write([call.merge(accounts, from, less(1))], () => ({ cents: [] }));
    return call.write([call.merge(accounts, from, less(1))], () => ({ cents: [] }));
  },
  never: (call) => Promise.resolve(call as never),
  swallowed: (call) => call.write([call.remove(accounts, 'a-9')], () => ({ cents: [] })).catch((thrown: unknown) => thrown as never),
  broken: (call) => call.write([call.merge(accounts, from, less(1)), call.merge(accounts, from, () => {
    throw new TypeError('a mistake of the handler');
  })], () => ({ cents: [] })),
  mistold: (call) => call.write([], () => ({ cents: ['none' as never] })),
  unlock: (call) => {
    const { tag } = call.input;
    return call.write([call.merge(guarded, 'g-1', () => ({ n: 2 }), tag === null ? {} : { ifMatch: tag })], () => ({ cents: [] }));
  },
  draw: async (call) => {
    await meanwhile();
    return call.write([call.merge(accounts, call.id, less(call.document.cents ?? 0))], ([{ cents = null }]) => ({ cents: [cents] }));
  },
  close: (call) => call.write([call.remove(accounts, call.id)], ([left]) => ({ cents: [left === undefined ? 0 : 1] })),
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(accounts, entries, guarded))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const put = (id: string, by: string, cents: number) => origin.put(accounts, id, { by, cents, rev: 1 });
  const centsOf = async (id: string) => (await origin.stored(accounts, id))?.['cents'];
  const ask = (name: keyof typeof rows, asking: DirectAsking = {}) => origin.askBy(rows[name], carry, accounts, asking);
  const entriesOf = async () => (await origin.ask('list', entries, { query: `?of=${from}&limit=200` })).json['data'] as readonly unknown[];
  const begin = async () => {
    meanwhile = () => undefined;
    await Promise.all([put(from, 'ada', 100), put('a-2', 'ada', 0), put('a-3', 'eve', 0)]);
  };

  test('several documents of several resources change together, and the answer is what each became', async () => {
    await begin();
    const before = (await entriesOf()).length;
    const moved = await ask('move', { body: { to: 'a-2' } });
    expect([moved.outcome, moved.json]).toEqual(['written', { cents: [90, 10, 10] }]);
    expect(moved.writtenAt).toBeDefined();
    expect([await centsOf(from), await centsOf('a-2'), (await entriesOf()).length - before]).toEqual([90, 10, 1]);
  });

  test('one that is refused leaves nothing of the others: hidden, absent, forbidden, or not valid', async () => {
    await begin();
    const before = (await entriesOf()).length;
    expect((await ask('move', { body: { to: 'a-3' } })).outcome).toBe('document_not_found');
    expect((await ask('move', { body: { to: 'a-9' } })).outcome).toBe('document_not_found');
    expect((await ask('move', { body: { to: 'a-2', cents: 0.5 } })).outcome).toBe('document_invalid');
    expect((await ask('raise', { body: { to: 'a-2' } })).outcome).toBe('forbidden');
    expect([await centsOf(from), await centsOf('a-2'), (await entriesOf()).length]).toEqual([100, 0, before]);
    const clerk: Principal = { subject: 'ada', roles: ['clerk'], claims: {} };
    expect((await ask('raise', { body: { to: 'a-2' }, principal: clerk })).outcome).toBe('written');
  });

  test('the system changes what its caller may not see', async () => {
    await begin();
    expect((await ask('seize', { body: { to: 'a-3' }, principal: { subject: 'bob', roles: [], claims: {} } })).outcome).toBe('written');
    expect([await centsOf(from), await centsOf('a-3')]).toEqual([90, 10]);
  });

  test('of many at once each has its effect once, and of one key one', async () => {
    await begin();
    await Promise.all(Array.from({ length: 10 }, () => ask('move', { body: { to: 'a-2', cents: 1 } })));
    expect([await centsOf(from), await centsOf('a-2')]).toEqual([90, 10]);
    let ran = 0;
    meanwhile = () => void ran++;
    const asking = { body: { to: 'a-2', cents: 1 }, idempotencyKey: crypto.randomUUID() };
    const first = await ask('move', asking);
    const again = await Promise.all([ask('move', asking), ask('move', asking)]);
    expect(again.map(({ text }) => text)).toEqual([first.text, first.text]);
    expect([await centsOf(from), ran]).toEqual([89, 1]);
    const other = { ...asking, idempotencyKey: crypto.randomUUID() };
    await Promise.all(Array.from({ length: 5 }, () => ask('move', other)));
    expect(await centsOf(from)).toBe(88);
  });

  test('a call writes once, and answers with what it wrote', async () => {
    await begin();
    await expect(ask('twice')).rejects.toThrow('a call writes once');
    expect(await centsOf(from)).toBe(99);
    await expect(ask('never')).rejects.toThrow('an effect answers with what write() gives');
    await expect(ask('swallowed')).rejects.toThrow('an effect answers with what write() gives');
    expect((await ask('broken')).outcome).toBe('unknown');
    expect((await ask('mistold')).detail).toContain('"mistold" is not what it declares: /cents/0: ');
    expect(await centsOf(from)).toBe(99);
  });

  test('the document of the path is looked at before the handler runs, and again in its transaction', async () => {
    await begin();
    let ran = 0;
    meanwhile = () => void ran++;
    const draw = (asking: DirectAsking = {}) => ask('draw', { id: from, ...asking });
    expect((await draw({ id: 'a-9' })).outcome).toBe('document_not_found');
    expect((await draw({ id: 'a-3' })).outcome).toBe('document_not_found');
    expect((await draw({ ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    expect(ran).toBe(0);
    meanwhile = () => put(from, 'eve', 100);
    expect((await draw()).outcome).toBe('document_not_found');
    expect(await centsOf(from)).toBe(100);
    await begin();
    const { etag } = await origin.ask('get', accounts, { id: from });
    meanwhile = () => put(from, 'ada', 50);
    expect((await draw({ ifMatch: etag })).outcome).toBe('precondition_failed');
    expect(await centsOf(from)).toBe(50);
    meanwhile = () => undefined;
    expect((await draw()).json).toEqual({ cents: [0] });
    expect((await ask('close', { id: from })).json).toEqual({ cents: [0] });
    expect(await centsOf(from)).toBeUndefined();
  });

  test('a resource that demands conditions is given them by the handler', async () => {
    await origin.put(guarded, 'g-1', { n: 1, rev: 1 });
    const { etag = '' } = await origin.ask('get', guarded, { id: 'g-1' });
    const unlock = async (tag: string | null) => (await ask('unlock', { body: { tag } })).outcome;
    const outcomes = [await unlock(null), await unlock('"other"'), await unlock(etag)];
    expect(outcomes).toEqual(['precondition_required', 'precondition_failed', 'written']);
  });

  test('who is not let in runs nothing', async () => {
    let ran = 0;
    meanwhile = () => void ran++;
    expect((await ask('move', { body: { to: 'a-2' }, principal: { roles: [], claims: {} } })).outcome).toBe('token_missing');
    expect(ran).toBe(0);
  });
});
