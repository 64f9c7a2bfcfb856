/** A hidden member of a union: a patch into another branch is not told by what it says of it (SEMANTICS §16, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const staff = role('staff');
const payments = resource({
  name: 'payments', id: { kind: 'string', format: z.string() },
  schema: z.object({
    by: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('card'), limit: z.number().optional() }),
      z.object({ kind: z.literal('loan'), limit: z.number().max(100).optional() }),
      z.object({ kind: z.literal('cash'), note: z.string().optional() }),
    ]),
    terms: z.object({ days: z.number().optional(), rate: z.number().optional() }).optional(),
    held: z.object({ pin: z.string(), open: z.boolean().optional() }).optional(),
  }),
  rules: { read: anyone, create: anyone, update: anyone, remove: anyone },
  fieldRules: { 'by.limit': { read: staff, write: staff }, terms: { read: staff }, 'held.pin': { read: staff, write: staff } },
  shapes: { all: {} },
});
const bob: Principal = { subject: 'bob', roles: [], claims: {} };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(payments))));
  afterAll(() => origin[Symbol.asyncDispose]());

  test.each(['loan', 'cash'])('a patch into the branch %s ends alike, whatever is hidden', async (kind) => {
    const answers = [];
    for (const [index, hidden] of [{}, { limit: 5 }, { limit: 500 }].entries()) {
      const id = `${kind}${index}`;
      await origin.put(payments, id, { by: { kind: 'card', ...hidden }, rev: 1 });
      const { outcome, detail, errors } = await origin.ask('patch', payments, { id, principal: bob, body: { by: { kind } } });
      answers.push({ outcome, detail, errors });
    }
    expect(answers).toEqual(answers.map(() => ({ outcome: 'written', detail: undefined, errors: [] })));
    expect((await origin.stored(payments, `${kind}2`))?.['by']).toEqual({ kind, limit: 500 });
  });

  test('a patch of what its caller may write and not see leaves the rest of it', async () => {
    await origin.put(payments, 'terms', { by: { kind: 'cash' }, terms: { days: 3, rate: 4 }, rev: 1 });
    await origin.ask('patch', payments, { id: 'terms', principal: bob, body: { terms: { days: 5 } } });
    expect((await origin.stored(payments, 'terms'))?.['terms']).toEqual({ days: 5, rate: 4 });
  });

  test('what must be there and is hidden is not asked for beside what is patched', async () => {
    await origin.put(payments, 'held', { by: { kind: 'cash' }, held: { pin: '1' }, rev: 1 });
    const { outcome } = await origin.ask('patch', payments, { id: 'held', principal: bob, body: { held: { open: true } } });
    expect([outcome, (await origin.stored(payments, 'held'))?.['held']]).toEqual(['written', { pin: '1', open: true }]);
  });
});
