/** Lists of an engine against the naive list, over random documents and every declared order. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { toIdValue } from '../../../shared/contract/ids.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { satisfies } from '../../../shared/contract/rules.ts';
import { meets } from '../../../shared/contract/residual.ts';
import { reversed } from '../../../shared/contract/shapes.ts';
import type { JsonObject, SortValue } from '../../../shared/wire/values.ts';
import type { ListRequest, Row, Store } from '../../../origin/store/store.ts';
import { documentArbitrary, idArbitrary, requestArbitrary } from './arbitraries.ts';
import { inTime, type OpenPlace, type Place, put, remove } from './harness.ts';
import { naiveList } from './naive.ts';
import { soakFactor } from './soak.ts';
import { amounts, everyThing, open as things } from './things.ts';

/** `holds`: whether the engine can keep such a document at all, beside the indexes of its resource. */
export function listSuite(open: OpenPlace, holds: (resource: Resource, document: JsonObject) => boolean): void {
  describe.each([...everyThing, amounts].map((resource) => [resource.name, resource] as const))('lists of %s', (_name, resource) => {
    const documents = new Map(
      fc.sample(
        fc.tuple(
          idArbitrary(resource),
          documentArbitrary(resource).filter((document) => holds(resource, document)),
        ),
        { numRuns: 150, seed: 7 },
      ),
    );
    let place: Place;
    beforeAll(async () => {
      place = await open({ resources: [resource], seed: [...documents].map(([id, document]) => ({ resource, id, document })) });
    });
    afterAll(() => place.remove());

    test('are what filtering and sorting everything gives, page by page', async () => {
      await fc.assert(
        fc.asyncProperty(requestArbitrary(resource), (request) => sameAsNaive(place.store, resource, documents, request)),
        { numRuns: 150 * soakFactor },
      );
    });

    test('of several requests in one read are what each gives by itself, in their order', async () => {
      const requests = fc.array(requestArbitrary(resource), { maxLength: 6 });
      await fc.assert(fc.asyncProperty(requests, async (given) => {
        const { value } = await place.store.lists(resource, given, inTime());
        const expected = given.map((request) => naiveList(resource, documents, request).map(({ id }) => id));
        expect(value.map((rows) => rows.map(idOf))).toEqual(expected);
      }), { numRuns: 30 * soakFactor });
    });

    test('read backwards are the same in reverse', async () => {
      await fc.assert(fc.asyncProperty(requestArbitrary(resource), async (request) => {
        const forwards = await readAll(place.store, resource, request);
        const backwards = await readAll(place.store, resource, { ...request, sort: reversed(request.sort) });
        expect(backwards.map(idOf)).toEqual(forwards.map(idOf).reverse());
      }), { numRuns: 40 * soakFactor });
    });

    test('begin anywhere: at a cursor whose document is gone, too', async () => {
      await fc.assert(fc.asyncProperty(requestArbitrary(resource), fc.nat(), fc.nat(), async (request, first, second) => {
        const rows = naiveList(resource, documents, { ...request, limit: 1_000 });
        const pick = (at: number) => rows[at % rows.length]?.keys;
        const after = request.sort.map((_key, index) => (index % 2 === 0 ? pick(first) : pick(second))?.[index]);
        if (after.every((value): value is SortValue => value !== undefined)) {
          await sameAsNaive(place.store, resource, documents, { ...request, after });
        }
      }), { numRuns: 100 * soakFactor });
    });

    // Of a list of what is removed nobody asks for a value.
    const isAsked = resource.shapes.some(({ equal }) => equal.length === 1);
    if (isAsked) test('by one value leave what is not equal to it, as it is told of a document alone', async () => {
      const { value: all } = await place.store.many(resource, [...documents.keys()], inTime());
      const named = requestArbitrary(resource).filter(({ equal }) => Object.keys(equal).length === 1);
      await fc.assert(fc.asyncProperty(named, async (request) => {
        const { equal, where } = request;
        const found = new Set((await readAll(place.store, resource, { ...request, range: undefined })).map(idOf));
        const residual = Object.entries(equal).map(([field, values]) => ({ field, operator: 'nin', values }) as const);
        const seen = all.filter(({ value }) => satisfies(value, where));
        const left = seen.filter(({ value }) => meets(resource, value, residual)).map(({ id }) => id);
        expect([equal, left]).toEqual([equal, seen.map(({ id }) => id).filter((id) => !found.has(id))]);
      }), { numRuns: 100 * soakFactor });
    });

    test('are counted, to the ceiling and no further', async () => {
      await fc.assert(fc.asyncProperty(requestArbitrary(resource), fc.integer({ min: 1, max: 200 }), async (request, max) => {
        const { value } = await place.store.count(resource, request, max, inTime());
        expect(value).toBe(Math.min(max, naiveList(resource, documents, { ...request, limit: 1_000 }).length));
      }), { numRuns: 100 * soakFactor });
    });
  });
}

/** Documents that stay as they are stand in every list once, whatever comes, goes and moves around them. */
export function movingSuite(open: OpenPlace): void {
  test('pages show what stays exactly once while others write', async () => {
    const place = await open({ resources: [things] });
    const stays = (index: number) => put(things, `stay${String(index).padStart(3, '0')}`, { size: index % 7, text: 'stays', tags: ['x'] });
    await place.store.write(Array.from({ length: 60 }, (_, index) => stays(index)), inTime());
    for (const shape of things.shapes.filter(({ name }) => ['bySize', 'ofTag', 'all'].includes(name))) for (const sort of shape.sorts) {
      const seen: string[] = [];
      const request: ListRequest = {
        equal: shape.equal.length > 0 ? { tags: ['x'] } : {},
        range: undefined, sort, where: true, after: undefined, limit: 7,
      };
      for (let after: ListRequest['after'], round = 0; ; round++) {
        const { value } = await place.store.list(things, { ...request, after }, inTime());
        seen.push(...value.map(idOf).filter((id) => id.startsWith('stay')));
        if (value.length < request.limit) break;
        after = value.at(-1)?.keys;
        const moving = Array.from({ length: 12 }, (_, index) =>
          put(things, `move${index}`, { size: (index * round) % 9, text: 'moves', tags: ['x'] }),
        );
        await place.store.write(
          [
            ...moving,
            remove(things, `move${round % 12}`),
            remove(things, value.map(idOf).findLast((id) => id.startsWith('move')) ?? 'none'),
          ],
          inTime(),
        );
      }
      expect([...seen].sort()).toEqual(Array.from({ length: 60 }, (_, index) => `stay${String(index).padStart(3, '0')}`));
    }
    await place.remove();
  });
}

async function sameAsNaive(
  store: Store,
  resource: Resource,
  documents: ReadonlyMap<string, JsonObject>,
  request: ListRequest,
): Promise<void> {
  const rows = await readAll(store, resource, request);
  const expected = naiveList(resource, documents, { ...request, limit: 1_000 });
  expect(rows.map((row) => ({ id: row.document.id, keys: row.keys.map(withoutMinus) }))).toEqual(
    expected.map(({ id, keys }) => ({ id, keys: keys.map(withoutMinus) })),
  );
  for (const { document } of rows) expect(document.value).toEqual({ id: toIdValue(resource, document.id), ...documents.get(document.id) });
}

/** -0 and 0 are one value in every order. */
function withoutMinus({ rank, value }: SortValue): SortValue {
  return { rank, value: value === 0 ? 0 : value };
}

export async function readAll(store: Store, resource: Resource, request: ListRequest): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let after = request.after; ; after = rows.at(-1)?.keys) {
    const { value } = await store.list(resource, { ...request, after }, inTime());
    expect(value.length).toBeLessThanOrEqual(request.limit);
    rows.push(...value);
    if (value.length < request.limit) return rows;
    if (rows.length > 10_000) throw new Error('the pages do not end');
  }
}

function idOf(row: Row): string {
  return row.document.id;
}
