/** Walks of whole indexes on SQLite: in pieces, of one state, each by its index. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { decimal } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import { toQueryPlan } from '../../../origin/store/plan.ts';
import { toListStatement } from '../../../origin/store/sqlite/read/branch-query.ts';
import { toWalk } from '../../../origin/store/sqlite/read/reader.ts';
import type { TallyRequest } from '../../../origin/store/store.ts';
import { inTime, put, reasonOf, remove } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';

const sales = resource({
  name: 'sales',
  id: { kind: 'string', format: z.string() },
  schema: z.object({ shop: z.string().optional(), price: decimal().optional(), tags: z.array(z.string()).optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
  aggregates: { byShop: { group: ['shop'], of: ['price'] }, byTag: { group: ['tags'] } },
});
const count = storeLimits.tallyEntriesMax * 3 + 7;
const documents = Array.from({ length: count }, (_, index): readonly [string, JsonObject] => [`s${String(index).padStart(5, '0')}`, {
  ...(index % 11 === 0 ? {} : { shop: `shop ${(index * 7) % 10}` }), price: `${index % 13}.50`, tags: [`t${index % 3}`, 'all'],
}]);

const request = (fields: readonly string[], each?: string): TallyRequest => ({
  equal: {}, range: undefined, where: true, fields, each, max: 100_000,
  sort: sales.aggregates.find(({ name }) => name === (each === undefined ? 'byShop' : 'byTag'))?.shape.sorts[0] ?? [],
});

let place: SqlitePlace;
beforeAll(async () => {
  place = await openSqlitePlace({ resources: [sales], seed: documents.map(([id, document]) => ({ resource: sales, id, document })) });
});
afterAll(() => place.remove());

function naive(toTexts: (document: JsonObject) => readonly unknown[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [, document] of documents) for (const text of toTexts(document)) counts[String(text)] = (counts[String(text)] ?? 0) + 1;
  return counts;
}

async function tally(asked: TallyRequest): Promise<Readonly<Record<string, number>>> {
  const { value } = await place.store.tally(sales, asked, inTime());
  const textOf = ({ rank, value: each }: { rank: number; value: unknown }) => (rank === 0 ? undefined : each);
  return Object.fromEntries((value ?? []).map(({ values, count: each }) => [values.map(textOf).join(), each]));
}

describe('a walk that takes several pieces', () => {
  test('counts each document once', async () => {
    expect(await tally(request(['shop']))).toEqual(naive(({ shop }) => [shop ?? '']));
    expect(await tally(request(['price', 'shop']))).toEqual(naive(({ shop, price }) => [`${Number(price)},${shop ?? ''}`]));
    expect(await tally(request([], 'tags'))).toEqual(naive(({ tags }) => tags as readonly string[]));
  });

  test('lets others have their turn between two pieces, and sees none of what they write', async () => {
    let [turns, isWalking] = [0, true];
    const turn = () => void (isWalking && turns++ >= 0 && setImmediate(turn));
    setImmediate(turn);
    const walking = tally(request(['shop']));
    const written = place.store.write([put(sales, 's99999', { shop: 'new' }), remove(sales, 's01000')], inTime());
    const found = await walking;
    isWalking = false;
    expect((await written).outcomes.map(({ kind }) => kind)).toEqual(['written', 'written']);
    expect(turns).toBeGreaterThanOrEqual(3);
    expect(found).toEqual(naive(({ shop }) => [shop ?? '']));
    const after = await tally(request(['shop']));
    expect(after['new']).toBe(1);
    await place.store.write([remove(sales, 's99999'), put(sales, 's01000', new Map(documents).get('s01000') ?? {})], inTime());
  });

  test('ends where its time does, and leaves the next one a state of its own', async () => {
    expect(await reasonOf(place.store.tally(sales, request(['shop']), { deadline: Date.now() - 1 }))).toBe('deadline_exceeded');
    expect((await place.store.tally(sales, { ...request(['shop']), max: count - 1 }, inTime())).value).toBeUndefined();
    expect(await tally(request(['shop']))).toEqual(naive(({ shop }) => [shop ?? '']));
  });

  test('seeks in its index, and sorts nothing', () => {
    const asked = request(['shop', 'price']);
    const plan = toQueryPlan(sales, asked);
    for (const after of [undefined, asked.sort.map(({ field }) => ({ rank: 2, value: field === 'price' ? 'x' : 'shop 1' }))]) {
      for (const branch of plan.branches) {
        const { components, segments } = toWalk(sales, { ...asked, after }, plan, branch);
        for (const segment of segments) {
          const { sql, parameters } = toListStatement(sales, branch, components, segment)(10);
          const steps = place.foreign().query<{ detail: string }, (string | number)[]>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
          expect(steps.map(({ detail }) => detail)).toEqual([expect.stringMatching(/^SEARCH m USING INDEX sales:shop,price,id /)]);
        }
      }
    }
  });
});
