/** A field that a caller may neither read nor write cannot be guessed by writing it (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, role } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const staff = role('staff');
const cases = resource({
  name: 'cases', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    state: z.string(),
    score: z.int().optional(),
    inner: z.object({ risk: z.string().optional(), note: z.string().optional() }).optional(),
    grade: z.string().default('none'), verdict: z.string().optional(), level: z.string().optional(), wish: z.int().optional(),
  }),
  rules: { read: anyone, write: anyone },
  fieldRules: {
    score: { read: staff, write: staff }, inner: { read: staff, write: staff }, grade: { read: staff, write: staff },
    verdict: { read: any(staff, equals('state', 'closed')), write: any(staff, equals('state', 'draft')) },
    level: { write: staff }, wish: { read: staff },
  },
  shapes: { all: {} },
});
const stored: JsonObject = {
  name: 'a',
  state: 'open',
  score: 37,
  inner: { risk: 'high' },
  grade: 'A', verdict: 'guilty', level: 'L1', wish: 4, rev: 3, createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
};
const principal = { subject: 'bob', roles: [], claims: {} };
type Write = readonly [operation: 'replace' | 'patch' | 'import', asking: DirectAsking];
const whole = { name: 'a', state: 'open', level: 'L1' };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(cases))));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function asked(toWrite: (id: string) => Write, document: JsonObject = stored) {
    const id = `c${++made}`;
    await origin.put(cases, id, document);
    const [operation, asking] = toWrite(id);
    const { outcome, detail, errors, text } = await origin.ask(operation, cases, {
      ...(operation === 'import' ? {} : { id }),
      ...asking,
      principal,
    });
    const report = operation === 'import' ? text.replaceAll(id, 'ID').replace(/"position":"[^"]*"/, '') : '';
    return { answer: [outcome, detail, errors, report], outcome, id, after: await origin.stored(cases, id) };
  }
  const ways: Readonly<Record<string, (body: JsonObject) => (id: string) => Write>> = {
    patch: (body) => () => ['patch', { body }],
    replace: (body) => () => ['replace', { body: { ...whole, ...body } }],
    ...Object.fromEntries(
      ['reject', 'skip', 'replace', 'merge'].map((mode) => [
        `import with onDuplicate=${mode}`,
        (body: JsonObject) =>
          (id: string): Write => ['import', { query: `?onDuplicate=${mode}`, body: { id, ...whole, ...body } }],
      ]),
    ),
  };
  const guesses: readonly (readonly [name: string, right: JsonObject, wrong: readonly JsonObject[]])[] = [
    ['a number', { score: 37 }, [{ score: 36 }, { score: null }]],
    ['an object', { inner: { risk: 'high' } }, [{ inner: { risk: 'low' } }, { inner: { note: null } }, { inner: { risk: null } }]],
    ['what a rule hides of this document', { verdict: 'guilty' }, [{ verdict: 'innocent' }]],
    ['a field with a default', { grade: 'A' }, [{ grade: 'B' }, { grade: 'none' }]],
  ];

  for (const [way, toAsking] of Object.entries(ways)) {
    test.each([...guesses])(`${way} of %s tells no right guess from a wrong one`, async (_name, right, wrong) => {
      const expected = await asked(toAsking(right));
      expect(expected.after).toEqual({ id: expected.id, ...stored });
      if (!way.startsWith('import')) expect(expected.outcome).toBe('forbidden');
      for (const guess of wrong.filter((each) => way === 'patch' || !JSON.stringify(each).includes('null'))) {
        const given = await asked(toAsking(guess));
        expect(given.answer).toEqual(expected.answer);
        expect(given.after).toEqual({ id: given.id, ...stored });
      }
    });
  }

  test('what may be read and not written is taken back unchanged, and not otherwise', async () => {
    expect((await asked(() => ['replace', { body: { ...whole, name: 'b' } }])).outcome).toBe('written');
    expect((await asked(() => ['patch', { body: { level: 'L1', name: 'b' } }])).outcome).toBe('written');
    expect((await asked(() => ['patch', { body: { level: 'L2' } }])).outcome).toBe('forbidden');
    expect((await asked(() => ['replace', { body: { ...whole, level: 'L2' } }])).outcome).toBe('forbidden');
  });

  test('what a replacement does not name and the caller does not see is kept, its default notwithstanding', async () => {
    for (const document of [stored, Object.fromEntries(Object.entries(stored).filter(([name]) => name !== 'grade'))] as JsonObject[]) {
      const { outcome, after } = await asked(() => ['replace', { body: { ...whole, name: 'b' } }], document);
      expect(outcome).toBe('written');
      const expected: JsonObject = { ...document, id: 0, name: 'b', rev: 0, updatedAt: 0 };
      const found: JsonObject = { ...after, id: 0, rev: 0, updatedAt: 0 };
      expect(found).toEqual(expected);
    }
  });

  test('what may be written and not read makes a revision whenever it is named', async () => {
    for (const wish of [4, 5]) expect((await asked(() => ['patch', { body: { wish } }])).after?.['rev']).toBe(4);
  });
});
