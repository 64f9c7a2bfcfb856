/** What the branch of a document does not declare names no other document, by whatever relation (SEMANTICS §3, §16, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { many, to } from '../../../shared/contract/relations.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, not } from '../../../shared/contract/rules.ts';
import { removals } from '../../../shared/operations/removals.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const plain = { id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false } as const;
const rules = { read: anyone, write: anyone } as const;
const named = { clerk: z.string().optional(), others: z.array(z.string()).optional() };
const served = contract(
  resource({
    ...plain, name: 'clerks', rules, schema: z.object({ name: z.string() }), shapes: { all: {} },
    relations: { took: many('payments', 'clerk') },
  }),
  resource({
    ...plain, name: 'payments', rules: { ...rules, restore: anyone }, removal: { at: 'gone' },
    fieldRules: { others: { read: not(equals('clerk', 'c2')) } },
    schema: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('card'), note: z.string().optional() }), z.object({ kind: z.literal('cash'), ...named }),
    ]),
    shapes: { all: {}, ofClerk: { equal: ['clerk'] } },
    relations: { theClerk: to('clerks', 'clerk', { exists: true }), theOthers: to('clerks', 'others') },
  }),
);
const [clerks, payments] = [mustServed('clerks'), mustServed('payments')];

function mustServed(name: string): Resource {
  const found = served.resources.get(name);
  if (found === undefined) throw new Error(`${name} is not served`);
  return found;
}

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, served);
    for (const id of ['c1', 'c2']) await origin.put(clerks, id, { name: id });
    await origin.put(payments, 'card', { kind: 'card', clerk: 'c1', others: ['c1', 'c2'] });
    await origin.put(payments, 'cash', { kind: 'cash', clerk: 'c1', others: ['c1', 'c2'] });
    await origin.put(payments, 'guarded', { kind: 'cash', clerk: 'c2', others: ['c1'] });
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const idsOf = (value: Json | undefined) => (value as readonly JsonObject[]).map(({ id }) => id);
  const get = async (of: Resource, id: string, expand: string) => (await origin.ask('get', of, { id, query: `?expand=${expand}` })).json;

  test('expand follows no member that a get does not show, alone, on a page or below another relation', async () => {
    const expected = { card: [null, []], cash: ['c1', ['c1', 'c2']], guarded: ['c2', []] };
    const shown = ({ theClerk, theOthers }: JsonObject) => [(theClerk as JsonObject | null)?.['id'] ?? null, idsOf(theOthers)];
    const alone = await Promise.all(Object.keys(expected).map(async (id) => [id, shown(await get(payments, id, 'theClerk,theOthers'))]));
    expect(Object.fromEntries(alone)).toEqual(expected);
    const { json } = await origin.ask('list', payments, { query: '?expand=theClerk,theOthers' });
    expect(Object.fromEntries((json['data'] as readonly JsonObject[]).map((each) => [each['id'], shown(each)]))).toEqual(expected);
    expect(idsOf((await get(clerks, 'c1', 'took.theClerk'))['took'])).toEqual(['cash']);
  });

  test('what a document holds undeclared neither keeps it from being restored nor tells a right guess from a wrong one', async () => {
    await origin.put(payments, 'odd', { kind: 'card', clerk: 'gone' });
    expect((await origin.ask('remove', payments, { id: 'odd' })).outcome).toBe('removed');
    expect((await origin.askBy(removals.restore, execute, payments, { id: 'odd' })).outcome).toBe('written');
    const guesses = await Promise.all(['gone', 'never'].map(async (clerk) => {
      const { outcome, errors } = await origin.ask('patch', payments, { id: 'odd', body: { kind: 'cash', clerk } });
      return [outcome, errors];
    }));
    expect(guesses[0]).toEqual(guesses[1] ?? []);
    expect(guesses[0]?.[0]).toBe('document_invalid');
  });
});
