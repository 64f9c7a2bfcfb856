import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  type Dependencies, dependenciesOfDocument, dependenciesOfList, goneOf, toBucket, touched,
} from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { films } from '../../../shared/resources/films.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import { naiveList } from './naive-list.ts';

const genres = ['Comedy', 'Drama', 'War'];
const image = fc.record({
  title: fc.constantFrom('A', 'B', 'C'),
  year: fc.oneof(fc.integer({ min: 1980, max: 1983 }), fc.constant(null), fc.constant('1980')),
  genres: fc.oneof(fc.subarray(genres), fc.constant('Comedy'), fc.constant(null)),
}) as fc.Arbitrary<JsonObject>;
const document = fc.tuple(fc.constantFrom('1', '2', '3', '4'), image).map(([id, fields]) => ({ id, ...fields }) as JsonObject);
const query = fc.constantFrom(
  '', 'limit=1', 'genres=Comedy', 'genres=Drama&year[gte]=1981', 'genres[in]=War,Comedy&sort=title',
  'year[lt]=1982&sort=-year,title', 'title=B', 'title[gt]=A&limit=2', 'sort=-year,title&count=exact',
);

describe('dependencies', () => {
  test('a change that alters the answer to a list touches something that the answer depends on', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(document, { selector: (one) => one['id'] as string }),
        document,
        fc.boolean(),
        query,
        (before, changed, removed, text) => {
          const id = changed['id'] as string;
          const old = before.find((one) => one['id'] === id);
          const after = [...before.filter((one) => one['id'] !== id), ...(removed ? [] : [changed])];
          const parsed = parseListQuery(films, text);
          const altered = answer(before) !== answer(after);
          const meet = meets(dependenciesOfList(films, parsed), touched(films, id, old, removed ? undefined : changed));
          expect(!altered || meet).toBe(true);

          function answer(documents: readonly JsonObject[]): string {
            return JSON.stringify([
              naiveList(films, documents, parsed),
              parsed.count ? naiveList(films, documents, { ...parsed, limit: Number.POSITIVE_INFINITY }).length : 0,
            ]);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('a list by genre does not depend on films of other genres', () => {
    const comedy = dependenciesOfList(films, parseListQuery(films, 'genres=Comedy'));
    const drama = touched(films, '1', { id: '1', title: 'x', genres: ['Drama'] }, { id: '1', title: 'y', genres: ['Drama', 'War'] });
    expect(meets(comedy, drama)).toBe(false);
  });

  test('a document that is deleted, or may have become hidden, is gone for itself and for lists', () => {
    const draft = { id: '1', status: 'draft', author: 'a' };
    const gone = [goneOf(reviews, '1'), goneOf(reviews, '')];
    const touches = (before: JsonObject | undefined, after: JsonObject | undefined) =>
      gone.map((each) => meets(each, touched(reviews, '1', before, after), reviews.name));
    expect(touches({ ...draft, status: 'published' }, undefined)).toEqual([true, true]);
    expect(touches({ ...draft, status: 'published' }, draft)).toEqual([true, true]);
    expect(touches(draft, { ...draft, text: 'x' })).toEqual([false, false]);
    expect(touches(undefined, draft)).toEqual([false, false]);
  });

  test('a document that is not there depends on the key that its creation touches', () => {
    expect(meets(dependenciesOfDocument(films, '9'), touched(films, '9', undefined, { id: '9' }))).toBe(true);
  });
});

function meets(dependencies: Dependencies, keys: ReadonlySet<string>, name = films.name): boolean {
  const buckets = new Set([...keys].map(toBucket));
  return dependencies.some((dependency) => dependency.resource === name && dependency.buckets.some((bucket) => buckets.has(bucket)));
}
