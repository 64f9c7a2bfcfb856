/** A union as the schema of a resource: each document is what its branch says, in every way in and out (SEMANTICS §14, §16). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role } from '../../../shared/contract/rules.ts';
import { decimal, instant, objectId } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const card = z.object({ network: z.enum(['visa', 'amex']), code: z.string() });
const tags = z.array(z.string()).optional();
const schema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('card'), paidAt: instant(), amount: decimal(), card }),
  z.object({ kind: z.literal('cash'), paidAt: instant(), amount: decimal(), till: z.string(), note: z.string().optional(), tags }),
  z.discriminatedUnion('bank', [
    z.object({
      kind: z.literal('wire'), bank: z.literal('sepa'), paidAt: instant().optional(), iban: z.string(), payer: objectId().optional(),
    }),
    z.looseObject({ kind: z.literal('wire'), bank: z.literal('other'), amount: decimal(), till: z.string(), tags }),
  ]),
]);
const shapes = {
  all: {}, ofKind: { equal: ['kind'] }, ofTill: { equal: ['till'] }, byAmount: { range: 'amount', sort: ['-amount'] },
  byTill: { range: 'till', sort: ['till'] }, ofTags: { equal: ['tags'] }, ofIban: { equal: ['iban'] },
};
const id = { kind: 'string', format: z.string() } as const;
const payments = resource({ name: 'payments', id, schema, rules: { read: anyone, write: anyone }, shapes });
const guarded = resource({
  name: 'guarded', id, schema, rules: { read: equals('kind', 'cash'), write: anyone },
  fieldRules: { till: { read: role('teller') } }, shapes: { all: {} },
});

const at = '2026-01-01T00:00:00.000Z';
const whole: Readonly<Record<string, JsonObject>> = {
  card: { kind: 'card', paidAt: at, amount: '5.00', card: { network: 'visa', code: 'x' } },
  cash: { kind: 'cash', paidAt: at, amount: '7', till: 't1' },
  sepa: { kind: 'wire', bank: 'sepa', iban: 'DE1', payer: '0'.repeat(24) },
  other: { kind: 'wire', bank: 'other', amount: '9', till: 't1', free: { any: 1 } },
};

test('its fields are those of all branches, which others may lack', () => {
  expect(resourceMistakes(payments)).toEqual([]);
  const members = [...payments.fields.values()].filter(({ name }) => !name.includes('.'));
  expect(members.map(({ name, kind, optional }) => [name, kind, optional]).slice(0, 10)).toEqual([
    ['kind', 'string', false], ['paidAt', 'instant', true], ['amount', 'decimal', true], ['card', 'object', true], ['till', 'string', true],
    ['note', 'string', true], ['tags', 'array', true], ['bank', 'string', true], ['iban', 'string', true], ['payer', 'objectId', true],
  ]);
});

test('branches that share a name agree on its type, at any depth', () => {
  const both = (left: z.ZodType, right: z.ZodType) =>
    resourceMistakes(resource({
      name: 'both', shapes: {},
      schema: z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), n: left }), z.object({ kind: z.literal('b'), n: right })]),
    })).map((line) => line.replace(/^.*resource "both": /, ''));
  const agree = 'branches agree on the type of a name that they share';
  expect(both(z.string(), z.number().optional())).toEqual([`schema.n: is string and number; ${agree}`]);
  const deep = (type: z.ZodType) => z.object({ a: z.array(type) });
  expect(both(deep(decimal()), deep(z.string()))).toEqual([`schema.n.a[]: is decimal and string; ${agree}`]);
  expect(both(z.object({ a: z.string() }), z.object({ b: z.number() }).nullable())).toEqual([]);
  expect(both(z.literal('x'), z.string().optional())).toEqual([]);
  const tree: z.ZodType = z.lazy(() => z.object({ below: z.array(tree) }));
  expect(both(tree, z.object({ below: z.array(tree) }))).toEqual([]);
  const refined = z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })]).refine(() => true);
  expect(resourceMistakes(resource({ name: 'both', shapes: {}, schema: refined })).join()).toContain('refine fields');
  const plain = resource({ name: 'both', shapes: {}, schema: z.union([z.object({})]) as never });
  expect(resourceMistakes(plain).join()).toContain('z.discriminatedUnion()');
});

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(payments, guarded));
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const given = async (fields: JsonObject): Promise<string> => {
    const name = `${engine}-${++made}`;
    await origin.put(payments, name, fields);
    return name;
  };
  const contentOf = ({ id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields }: JsonObject) => fields;
  const ask = (operation: 'create' | 'replace' | 'patch', name: string, body: JsonObject) =>
    origin.ask(operation, payments, operation === 'create' ? { body: { id: name, ...body } } : { id: name, body });
  const importRow = async (name: string, mode: string, row: JsonObject) => {
    const body = JSON.stringify({ id: name, ...row });
    const [line = '{}'] = (await origin.ask('import', payments, { query: `?onDuplicate=${mode}`, body })).text.split('\n');
    return (JSON.parse(line) as { readonly errors?: readonly { readonly at: string }[] }).errors?.map((error) => error.at) ?? [];
  };

  test.each(Object.keys(whole))('a document of the branch %s goes in and comes out', async (branch) => {
    const body = whole[branch] ?? {};
    const name = `${engine}-${branch}`;
    const created = await ask('create', name, body);
    expect([created.outcome, contentOf(created.json)]).toEqual(['created', body]);
    expect((await origin.ask('get', payments, { id: name })).text).toBe(created.text);
    expect((await ask('replace', name, created.json)).etag).toBe(created.etag!);
    expect([await importRow(name, 'replace', body), await importRow(name, 'merge', body), (await ask('patch', name, body)).etag]).toEqual([
      [], [], created.etag!,
    ]);
  });

  test.each([
    ['card', { till: 't1' }, '/till'], ['card', { iban: 'DE1' }, '/iban'],
    ['card', { card: { network: 'visa', code: 'x', pin: 1 } }, '/card/pin'],
    ['cash', { iban: 'DE1' }, '/iban'], ['sepa', { amount: '1' }, '/amount'], ['cash', { till: 5 }, '/till'],
    ['other', { amount: 5 }, '/amount'], ['other', { _id: 5 }, '/_id'], ['other', { 'a.b': 5 }, '/a.b'], ['other', { $set: 5 }, '/$set'],
    ['cash', { kind: 'cheque' }, '/kind'],
  ])('a %s refuses %p in every way in', async (branch, body, place) => {
    const full = { ...whole[branch], ...body } as JsonObject;
    const name = await given(whole[branch] ?? {});
    const before = await origin.stored(payments, name);
    const patched = await ask('patch', name, body as JsonObject);
    const answers = [await ask('create', `new-${name}`, full), await ask('replace', name, full), patched];
    expect(answers.map(({ outcome, errors }) => [outcome, errors.map((error) => error.at)])).toEqual(
      answers.map(() => ['document_invalid', [place]]),
    );
    for (const mode of ['reject', 'skip', 'replace']) expect(await importRow(`new-${name}`, mode, full)).toEqual([place]);
    expect(await importRow(name, 'merge', body as JsonObject)).toEqual([place]);
    expect(await origin.stored(payments, name)).toEqual(before as JsonObject);
  });

  test('a patch goes from branch to branch where the document that results is of the new one', async () => {
    const name = await given(whole['cash'] ?? {});
    const bare = await ask('patch', name, { kind: 'card' });
    expect([bare.outcome, bare.errors.map((error) => error.at)]).toEqual(['document_invalid', ['/card']]);
    const moved = await ask('patch', name, { kind: 'card', till: null, card: { network: 'amex', code: 'y' } });
    expect([moved.outcome, contentOf(moved.json)]).toEqual([
      'written', { kind: 'card', paidAt: at, amount: '7', card: { network: 'amex', code: 'y' } },
    ]);
    expect((await ask('patch', name, { kind: null })).outcome).toBe('document_invalid');
    expect(contentOf((await ask('patch', name, { card: { code: 'z' } })).json)['card']).toEqual({ network: 'amex', code: 'z' });
  });

  test('what the branch of a document does not name is not served, and stays', async () => {
    const name = await given({ ...whole['card'], till: 'SECRET', card: { network: 'visa', code: 'x', pin: 'SECRET' } });
    for (const { text } of [await origin.ask('get', payments, { id: name }), await origin.ask('list', payments, { query: '?kind=card' })]) {
      expect([text.includes(name), text.includes('SECRET')]).toEqual([true, false]);
    }
    expect((await ask('patch', name, { amount: '6' })).text).not.toContain('SECRET');
    expect((await ask('replace', name, whole['card'] ?? {})).text).not.toContain('SECRET');
    expect(await origin.stored(payments, name)).toMatchObject({ till: 'SECRET', card: { pin: 'SECRET' } });
  });

  test('it is asked for by the fields of all branches, and by values that one of them has', async () => {
    const listed = async (query: string) => {
      const { json, outcome } = await origin.ask('list', payments, { query });
      return (json['data'] as readonly JsonObject[] | undefined)?.map((each) => each['kind']) ?? outcome;
    };
    expect(new Set(await listed('?till=t1'))).toEqual(new Set(['cash', 'wire']));
    expect(new Set(await listed('?kind=wire'))).toEqual(new Set(['wire']));
    expect(await listed('?kind=cheque')).toBe('query_invalid');
    expect(await listed('?amount[gte]=8.999')).toContain('wire');
    expect(await listed('?free=1')).toBe('query_invalid');
  });

  test('what the branch of a document does not name is found by no filter, whichever branch names it', async () => {
    const hidden = { till: `SECRET-${engine}`, tags: [`SECRET-${engine}`], amount: '123.00', iban: `SECRET-${engine}` };
    const { amount: _amount, ...others } = hidden;
    await origin.put(payments, `${engine}-hides-1`, { ...whole['card'], ...others });
    await origin.put(payments, `${engine}-hides-2`, { ...whole['sepa'], ...hidden, iban: 'DE1' });
    await origin.put(payments, `${engine}-shows`, { ...whole['cash'], ...hidden });
    // This branch takes any member, and serves it.
    await origin.put(payments, `${engine}-takes`, { ...whole['other'], ...hidden });
    const [cash, loose] = [`${engine}-shows`, `${engine}-takes`];
    const asked = [
      [`?till=SECRET-${engine}`, [cash, loose]], ['?till[gte]=SECRET-&till[lt]=SECRET-~', [cash, loose]],
      [`?till[in]=SECRET-${engine}&till[in]=t9`, [cash, loose]], [`?tags=SECRET-${engine}`, [cash, loose]],
      ['?amount[gte]=122&amount[lte]=124', [cash, loose]], [`?iban=SECRET-${engine}`, [loose]],
    ] as const;
    for (const [query, found] of asked) {
      const { json } = await origin.ask('list', payments, { query: `${query}&count=exact&limit=2` });
      const ids = (json['data'] as readonly JsonObject[]).map((each) => String(each['id']));
      expect([query, ids.sort(), json['page']]).toMatchObject([query, found, { total: found.length }]);
    }
  });

  test('a cursor tells nothing of what stands where another branch has its sort field', async () => {
    for (const [id, till] of [['a', 'b-secret'], ['b', 'a-secret'], ['c', 7]] as const) {
      await origin.put(payments, `stray-${id}`, { kind: 'card', paidAt: at, amount: '1', card: { network: 'visa', code: 'x' }, till });
    }
    const ids: string[] = [];
    const tokens: string[] = [];
    for (let after = ''; ; after = `&after=${tokens.at(-1)}`) {
      const { json } = await origin.ask('list', payments, { query: `sort=till&limit=1${after}` });
      ids.push(...(json['data'] as readonly JsonObject[]).map((each) => String(each['id'])));
      expect(JSON.stringify(json['data'])).not.toContain('secret');
      const { next } = json['page'] as { readonly next: string | null };
      if (next === null) break;
      tokens.push(next);
    }
    expect(ids).toEqual(expect.arrayContaining(['stray-a', 'stray-b', 'stray-c']));
    const texts = tokens.flatMap((token) => token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1')));
    for (const text of texts) expect(text).not.toMatch(/secret|stray/);
  });

  test('rules and field rules hold of every branch', async () => {
    for (const branch of Object.keys(whole)) await origin.put(guarded, `${engine}-${branch}`, whole[branch] ?? {});
    const { json } = await origin.ask('list', guarded, {});
    expect((json['data'] as readonly JsonObject[]).map(contentOf)).toEqual([{ kind: 'cash', paidAt: at, amount: '7' }]);
  });

  test('the store checks of it what all branches name; what some do not may hold anything in the others', async () => {
    const write = async (document: JsonObject) => {
      const mutation = { resource: payments, id: `${engine}-checked`, decide: () => ({ kind: 'put', document }) as const };
      const { outcomes: [outcome] } = await origin.context.store.write([mutation], { deadline: Date.now() + 5_000 });
      return outcome?.kind === 'refused' ? outcome.fault.errors.map((error) => error.at) : [];
    };
    expect(await write({ kind: 5, amount: 5 })).toEqual(['/kind']);
    expect(await write({ amount: '5' })).toEqual(['/kind']);
    expect(await write({ kind: 'cash' })).toEqual([]);
  });
});
