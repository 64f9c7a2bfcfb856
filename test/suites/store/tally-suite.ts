/** Combinations of values of an engine against the naive count, over random documents, rules and filters. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Resource } from '../../../shared/contract/resource.ts';
import { type JsonObject, ranks, type SortValue, toSortValue } from '../../../shared/wire/values.ts';
import { isArrayField, mustKind } from '../../../origin/store/kinds.ts';
import type { Tallied, TallyRequest } from '../../../origin/store/store.ts';
import { naiveValue, naiveValues } from '../../support/naive-path.ts';
import { documentArbitrary, idArbitrary, requestArbitrary } from './arbitraries.ts';
import { inTime, type OpenPlace, type Place } from './harness.ts';
import { naiveList } from './naive.ts';
import { soakFactor } from './soak.ts';
import { amounts, everyThing } from './things.ts';

const max = 1_000;

export function tallySuite(open: OpenPlace, holds: (resource: Resource, document: JsonObject) => boolean): void {
  describe.each([...everyThing, amounts].map((resource) => [resource.name, resource] as const))('tallies of %s', (_name, resource) => {
    const documents = new Map(
      fc.sample(
        fc.tuple(idArbitrary(resource), documentArbitrary(resource).filter((document) => holds(resource, document))),
        { numRuns: 150, seed: 11 },
      ),
    );
    let place: Place;
    beforeAll(async () => {
      place = await open({ resources: [resource], seed: [...documents].map(([id, document]) => ({ resource, id, document })) });
    });
    afterAll(() => place.remove());

    test('are what counting everything gives', async () => {
      await fc.assert(fc.asyncProperty(tallyArbitrary(resource), async (request) => {
        const { value } = await place.store.tally(resource, request, inTime());
        expect(toTexts(value ?? [], request)).toEqual(toTexts(naiveTally(resource, documents, request), request));
      }), { numRuns: 120 * soakFactor });
    });

    test('are none where more is counted than may be', async () => {
      const requests = fc.sample(tallyArbitrary(resource), { numRuns: 100, seed: 1 });
      const counted = requests.map((request) => {
        const whole = { ...request, fields: [], each: undefined };
        return { whole, count: naiveList(resource, documents, { ...whole, after: undefined, limit: max }).length };
      });
      const { whole, count } = counted.reduce((most, each) => (each.count > most.count ? each : most));
      expect(count).toBeGreaterThan(1);
      expect((await place.store.tally(resource, { ...whole, max: count - 1 }, inTime())).value).toBeUndefined();
      expect((await place.store.tally(resource, { ...whole, max: count }, inTime())).value).toEqual([{ values: [], count }]);
    });
  });
}

/** A list's filters and order, and of its fields some; an array that is read, or none. */
function tallyArbitrary(resource: Resource): fc.Arbitrary<TallyRequest> {
  const arrays = [...resource.fields.values()].filter(({ name, isInArray }) => isArrayField(resource, name) && isInArray !== true);
  const plain = arrays.filter(({ element }) => element === 'string' || element === 'number' || element === 'decimal');
  return fc.tuple(requestArbitrary(resource), fc.constantFrom(undefined, ...plain.map(({ name }) => name)), fc.boolean())
    .map(([{ equal, range, sort, where }, each, isWhole]) => {
      const fields = sort.map(({ field }) => field).filter((field, index) => field !== 'id' && (isWhole || index % 2 === 0));
      return { equal, range, sort, where, fields, each, max };
    });
}

function naiveTally(resource: Resource, documents: ReadonlyMap<string, JsonObject>, request: TallyRequest): readonly Tallied[] {
  return naiveList(resource, documents, { ...request, after: undefined, limit: max }).flatMap(({ id }) => {
    const document = documents.get(id) ?? {};
    const values = request.fields.map((field) => toSortValue(naiveValue(document, field), mustKind(resource, field)));
    const { each } = request;
    if (each === undefined) return [{ values, count: 1 }];
    const elements = naiveValues(document, each).map((value) => toSortValue(value, mustKind(resource, each)));
    const distinct = new Map(elements.map((element) => [textOf(element), element]));
    const none: readonly SortValue[] = [{ rank: ranks.null, value: 0 }];
    return (distinct.size === 0 ? none : [...distinct.values()]).map((element) => ({ values: [...values, element], count: 1 }));
  });
}

/** Each combination with its count; elements that are nothing count for no group, and are left out. */
function toTexts(tallied: readonly Tallied[], { each }: TallyRequest): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { values, count } of tallied) {
    const element = each === undefined ? undefined : values.at(-1);
    if (element?.rank === ranks.null || element?.rank === ranks.other) continue;
    const text = values.map(textOf).join();
    counts.set(text, (counts.get(text) ?? 0) + count);
  }
  return Object.fromEntries([...counts].sort());
}

function textOf({ rank, value }: SortValue): string {
  return JSON.stringify([rank, rank === ranks.other ? 0 : value === 0 ? 0 : value]);
}
