/** What the database refuses of others is what the store refuses of itself. */
import type { Database } from 'bun:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { binary, decimal, instant, integer, long, objectId } from '../../../shared/contract/types.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { inTime, put } from './harness.ts';
import { soakFactor } from './soak.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';

const checked = resource({
  name: 'checked',
  id: { kind: 'string', format: z.string() },
  schema: z.object({
    text: z.string(), count: integer(), size: z.number().nullable(), open: z.boolean().optional(), time: instant().nullish(),
    link: objectId().optional(), price: decimal().nullable(), serial: long().optional(), key: binary().optional(),
    list: z.array(z.string()).default([]), inner: z.object({}).optional(), any: z.unknown(), union: z.union([z.string(), z.number()]),
  }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

const value: fc.Arbitrary<Json | undefined> = fc.constantFrom(
  undefined, null, '', 'a', '1', 0, 1, -1, 1.5, 1e300, 2 ** 53, true, false, [], ['a'],
  '9007199254740992', '9007199254740993', '-9223372036854775808', '9223372036854775808', '1E+3', '1.', '1'.repeat(35),
  {},
  { a: 1 },
);
const fine: Readonly<Record<string, Json>> = {
  text: 'a', count: 1, size: 1, open: true, time: 'x', link: 'x', price: '80.00', serial: 5, key: 'AA', list: [],
  inner: {},
  any: 1,
  union: 1,
};
const document = fc
  .record(
    Object.fromEntries(
      Object.entries(fine).map(([name, good]) => [
        name,
        fc.oneof({ weight: 9, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: value }),
      ]),
    ),
  )
  .map((given) => JSON.parse(JSON.stringify(given)) as JsonObject);

let place: SqlitePlace;
let program: Database;
beforeAll(async () => {
  place = await openSqlitePlace({
    resources: [checked],
    seed: Array.from({ length: 40 }, (_, index) => ({
      resource: checked,
      id: `old${index}`,
      document: fc.sample(document, { numRuns: 1, seed: index })[0] ?? {},
    })),
  });
  program = place.foreign();
});
afterAll(() => place.remove());

/** The first field that the database names; `undefined`: it took the row. */
function foreignRefusal(sql: string, ...values: string[]): string | undefined {
  program.run('SAVEPOINT tried');
  try {
    program.prepare(sql).run(...values);
    return undefined;
  } catch (error) {
    return /^tombolo: checked\.(\w+): (.*)$/.exec(String(error instanceof Error ? error.message : error))?.slice(1).join(': ');
  } finally {
    program.run('ROLLBACK TO tried; RELEASE tried');
  }
}

async function ownRefusal(id: string, given: JsonObject): Promise<string | undefined> {
  const { outcomes: [outcome] } = await place.store.write([put(checked, id, given)], inTime());
  const [first] = outcome?.kind === 'refused' ? outcome.fault.errors : [];
  return first === undefined ? undefined : `${first.at.slice(1)}: ${first.detail}`;
}

describe('a new document', () => {
  test('is refused by the database if, and for what, the store refuses it', async () => {
    await fc.assert(fc.asyncProperty(document, fc.uuid(), async (given, id) => {
      const foreign = foreignRefusal(`INSERT INTO checked(id, doc) VALUES (?, ?)`, id, JSON.stringify(given));
      expect([await ownRefusal(id, given)]).toEqual([foreign]);
    }), { numRuns: 150 * soakFactor });
  });

  test('is told all that is wrong with it', async () => {
    const { outcomes: [outcome] } = await place.store.write([put(checked, 'x', { ...fine, text: 1, count: 1.5 })], inTime());
    expect(outcome?.kind === 'refused' && outcome.fault.errors).toEqual([
      { at: '/text', in: 'body', detail: 'must be a string' },
      { at: '/count', in: 'body', detail: 'must be an integer' },
    ]);
  });
});

test('an old document is let stay as wrong as it was, by both', async () => {
  await fc.assert(fc.asyncProperty(fc.nat({ max: 39 }), document, fc.subarray(Object.keys(fine)), async (index, given, replaced) => {
    const id = `old${index}`;
    const before = (await place.store.get(checked, id, inTime())).value?.value ?? {};
    const { id: _, ...rest } = Object.fromEntries([
      ...Object.entries(before).filter(([name]) => !replaced.includes(name)),
      ...Object.entries(given).filter(([name]) => replaced.includes(name)),
    ]);
    const foreign = foreignRefusal(`UPDATE checked SET doc = ? WHERE id = ?`, JSON.stringify(rest), id);
    expect([await ownRefusal(id, rest as JsonObject)]).toEqual([foreign]);
  }), { numRuns: 150 * soakFactor });
});

test.each([
  ['moderate', 'error', [true, false]],
  ['strict', 'error', [true, true]],
  ['off', 'error', [false, false]],
  ['strict', 'warn', [false, false]],
] as const)(
  'under %s and %s other programs are refused a new wrong document and a change of an old one: %p',
  async (level, action, refused) => {
  const lax = resource({
    name: 'lax',
    id: { kind: 'string', format: z.string() },
    schema: z.object({ text: z.string(), count: integer().optional() }),
    rules: { read: anyone, write: anyone },
    shapes: { all: {} },
    validation: { level, action },
  });
  const there = await openSqlitePlace({ resources: [lax], seed: [{ resource: lax, id: 'old', document: { text: 7 } }] });
  const other = there.foreign();
  const isRefused = (sql: string) => {
    try {
      other.run(sql);
      return false;
    } catch (error) {
      return error instanceof Error && error.message.startsWith('tombolo: lax.text');
    }
  };
  expect([
    isRefused(`INSERT INTO lax(id, doc) VALUES ('new', '{"text":8}')`),
    isRefused(`UPDATE lax SET doc = json_set(doc, '$.count', 1) WHERE id = 'old'`),
  ]).toEqual([...refused]);
  const { outcomes: [own] } = await there.store.write([put(lax, 'old', { text: 7, count: 2 })], inTime());
  expect(own?.kind).toBe(level === 'strict' ? 'refused' : 'written');
  await there.remove();
});
