/**
 * Handlers that forget every check: what they are given to read and write by holds to the row rule on both images, to the
 * field rules and to the preconditions all the same, in the order of SEMANTICS §8.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { operations } from '../../../shared/operations/operation.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const schema = z.object({ by: z.string(), n: z.int(), open: z.boolean(), grade: z.string().optional(), pay: z.int().optional() });
const declared = {
  id: { kind: 'string', format: z.string() },
  schema,
  rules: {
    read: any(owner('by'), equals('open', true), role('auditor')),
    create: role('auditor'),
    update: any(owner('by'), role('auditor')),
    remove: any(equals('open', true), role('auditor')),
  },
  fieldRules: { grade: { write: role('auditor') }, pay: { read: role('auditor'), write: role('auditor') } },
  shapes: { all: {}, byPay: { sort: ['pay'] } },
} as const;
const notes = resource({ name: 'notes', ...declared });
const drafts = resource({ name: 'drafts', ...declared, preconditions: 'required' });

const { get, list, remove } = documents;
/** Whoever may update is let in. */
const update = { ...remove, right: 'update' } as const;
const rows = operations({
  advance: update,
  seize: update,
  regrade: update,
  pay: update,
  sweep: update,
  found: update,
  twice: update,
  unasked: { ...update, conditions: 'none' },
  /** Whoever may remove is let in, and updates. */
  retire: remove,
  peek: get,
  tally: list,
});

const carry = executor<typeof rows>({
  advance: (access) => access.merge((seen) => ({ n: Number(seen()['n']) + 1, open: !Object.hasOwn(seen(), 'pay') })),
  seize: (access) => access.merge((seen) => (Object.assign(seen(), { by: 'eve' }), { by: 'eve' })),
  regrade: (access) => access.merge((seen) => (Object.assign(seen(), { grade: 'A' }), { grade: 'A' })),
  pay: (access) => access.merge(() => ({ pay: 1 })),
  sweep: (access) => access.remove(),
  found: (access) => access.create({ id: 'founded', by: 'bob', n: 1, open: true }),
  twice: (access) => access.merge(() => ({ n: 10 })).then(() => access.merge(() => ({ n: 20 }))),
  unasked: (access) => access.merge(() => ({ n: 2 })),
  retire: (access) => access.merge(() => ({ n: 0 })),
  peek: (access) => access.get(undefined),
  tally: async (access, { input }) => {
    const { value: { count }, position: readAt } = await access.count(input, 10);
    return access.represent([String(count)], { readAt });
  },
});

describe.each([...engines])('on %s, a handler that checks nothing', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, drafts))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const bob: Principal = { subject: 'bob', roles: [], claims: {} };
  const auditor: Principal = { subject: 'amy', roles: ['auditor'], claims: {} };
  const ask = (name: keyof typeof rows, id: string, asking: DirectAsking & { readonly of?: Resource } = {}) =>
    origin.askBy(rows[name], carry, asking.of ?? notes, { principal: bob, id, ...asking });
  /** A document, and its tag as `bob` is told it, or somebody tells him. */
  const put = async (document: object, of = notes, teller = bob) => {
    const id = crypto.randomUUID();
    await origin.put(of, id, { n: 1, open: false, pay: 7, ...document, rev: 1, createdAt: at, updatedAt: at });
    const { etag } = await origin.ask('get', of, { id, principal: teller });
    return { id, etag };
  };
  const at = '2026-01-01T00:00:00.000Z';
  const nOf = async (id: string, of = notes) => (await origin.stored(of, id))?.['n'];

  test('computes with what its caller sees, and changes what is theirs as they read it', async () => {
    const { id, etag } = await put({ by: 'bob' });
    expect((await ask('advance', id, { ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    expect((await ask('advance', id, { ifNoneMatch: '*' })).outcome).toBe('precondition_failed');
    expect(await nOf(id)).toBe(1);
    const { outcome, json } = await ask('advance', id, { ifMatch: etag });
    expect([outcome, json['n'], json['open'], json['pay']]).toEqual(['written', 2, true, undefined]);
    expect(await origin.stored(notes, id)).toMatchObject({ by: 'bob', n: 2, pay: 7, rev: 2 });
  });

  test('touches no document that its caller may not see, whatever the condition', async () => {
    const { id, etag } = await put({ by: 'eve' }, notes, auditor);
    for (const condition of [{}, { ifMatch: etag }, { ifMatch: '"other"' }, { ifNoneMatch: '*' }]) {
      for (const name of ['advance', 'seize', 'sweep'] as const) {
        expect([name, (await ask(name, id, condition)).outcome]).toEqual([name, 'document_not_found']);
      }
      expect((await ask('peek', id, condition)).outcome).toBe('absent');
    }
    expect(await nOf(id)).toBe(1);
  });

  test('touches none that its caller may not change, which is said before its conditions are looked at', async () => {
    const { id } = await put({ by: 'eve', open: true });
    for (const name of ['advance', 'sweep', 'retire'] as const) {
      expect([name, (await ask(name, id, { ifMatch: '"other"' })).outcome]).toEqual([name, 'forbidden']);
    }
    expect(await nOf(id)).toBe(1);
  });

  test('moves none out of its row rule, and writes no field that its caller may not', async () => {
    const { id } = await put({ by: 'bob' });
    expect((await ask('seize', id)).outcome).toBe('forbidden');
    for (const [name, field] of [['regrade', '/grade'], ['pay', '/pay']] as const) {
      const { outcome, errors } = await ask(name, id);
      expect([name, outcome, errors[0]?.at]).toEqual([name, 'forbidden', field]);
    }
    expect(await origin.stored(notes, id)).toMatchObject({ by: 'bob', n: 1, pay: 7, rev: 1 });
  });

  test('does what the rule of that lets its caller do, whichever rule let them in', async () => {
    const { id } = await put({ by: 'bob' });
    expect((await ask('sweep', id)).outcome).toBe('forbidden');
    expect((await ask('found', id)).outcome).toBe('forbidden');
    expect((await ask('retire', id)).outcome).toBe('forbidden');
    expect([await nOf(id), await origin.stored(notes, 'founded')]).toEqual([1, undefined]);
    expect((await ask('retire', id, { principal: auditor })).outcome).toBe('written');
    expect((await ask('sweep', id, { principal: auditor })).outcome).toBe('removed');
  });

  test('changes nothing without If-Match where the resource demands it, also by a row that takes none', async () => {
    const { id, etag } = await put({ by: 'bob' }, drafts);
    expect((await ask('advance', id, { of: drafts })).outcome).toBe('precondition_required');
    expect((await ask('unasked', id, { of: drafts })).outcome).toBe('precondition_required');
    expect(await nOf(id, drafts)).toBe(1);
    expect((await ask('advance', id, { of: drafts, ifMatch: etag })).outcome).toBe('written');
  });

  test('writes once, under the one key and nonce of its call', async () => {
    const { id } = await put({ by: 'bob' });
    await expect(ask('twice', id)).rejects.toThrow('operation twice: a call writes once');
    expect(await nOf(id)).toBe(10);
    const idempotencyKey = crypto.randomUUID();
    const first = await ask('advance', id, { idempotencyKey });
    expect([(await ask('advance', id, { idempotencyKey })).text, await nOf(id)]).toEqual([first.text, 11]);
  });

  test('reads under the conditions of its call, what its caller may see and ask by', async () => {
    const { id, etag } = await put({ by: 'bob', open: true });
    expect((await ask('peek', id, { ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    expect((await ask('peek', id, { ifNoneMatch: etag })).outcome).toBe('unchanged');
    expect((await ask('peek', id)).json).not.toHaveProperty('pay');
    await put({ by: 'eve' }, drafts, auditor);
    const tally = (asking: DirectAsking) => ask('tally', '', { of: drafts, ...asking });
    expect([(await tally({})).text, (await tally({ principal: auditor })).text]).toEqual(['1', '2']);
    expect((await tally({ ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    expect((await tally({ query: '?sort=pay' })).outcome).toBe('forbidden');
  });
});
