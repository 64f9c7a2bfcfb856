import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { parseAggregateQuery } from '../../../shared/aggregates/aggregate-query.ts';
import {
  type Dependencies, dependenciesOfDocument, dependenciesOfList, dependenciesOfRemoved, goneOf, toBucket, touched,
} from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { parseRemovedQuery } from '../../../shared/contract/removed-query.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, reduce } from '../../../shared/contract/rules.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
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
  'year[ne]=1981', 'genres[nin]=War,Comedy&limit=1', 'genres[contains]=Comedy,War', 'genres=War&genres[ne]=Drama&sort=title',
  'year[exists]=false&count=exact', 'genres=Comedy&image.url[exists]=true',
);

/** Fields with other fields in them, and what others may have written in their place. */
const nested = resource({
  name: 'nested',
  schema: z.object({
    imdb: z.object({ rating: z.number(), votes: z.int() }),
    grades: z.array(z.object({ grade: z.string(), by: z.array(z.object({ name: z.string() })) })),
  }),
  rules: { read: anyone },
  shapes: {
    byRating: { range: 'imdb.rating', sort: ['-imdb.rating,imdb.votes'] }, ofRating: { equal: ['imdb.rating'] },
    ofGrade: { equal: ['grades.grade'], sort: ['imdb.votes'] }, ofBy: { equal: ['grades.by.name', 'imdb.votes'] },
  },
});
const small = fc.constantFrom<Json>(1, 2, null, 'A', [1, 2]);
const imdb = fc.record({ rating: small, votes: small }, { requiredKeys: [] });
const by = fc.record({ name: fc.constantFrom<Json>('ann', 'bob', ['ann', 'bob']) });
const grade = fc.record({ grade: fc.constantFrom<Json>('A', 'B', ['A', 'B']), by: fc.oneof(by, fc.array(by, { maxLength: 2 })) });
const nestedImage = fc.record({
  imdb: fc.oneof(imdb, imdb, small, fc.array(imdb, { maxLength: 2 })),
  grades: fc.oneof(fc.array(grade, { maxLength: 2 }), grade, small),
}) as fc.Arbitrary<JsonObject>;
const nestedDocument = fc.tuple(fc.constantFrom('1', '2', '3'), nestedImage).map(([id, fields]) => ({ id, ...fields }) as JsonObject);
const nestedQuery = fc.constantFrom(
  'imdb.rating[gte]=2', 'imdb.rating=1', 'grades.grade=A', 'grades.grade[in]=B,C&limit=1', 'grades.by.name=ann&imdb.votes=1',
);

/** Documents of which some are removed. */
const notes = resource({
  name: 'notes', schema: z.object({ by: z.string() }), rules: { read: anyone }, removal: { at: 'deletedAt' },
  shapes: { byAuthor: { equal: ['by'] } },
});
const moment = fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z');
const kept = fc.record(
  { id: fc.constantFrom('1', '2', '3', '4'), by: fc.constantFrom('ann', 'bob'), deletedAt: moment }, { requiredKeys: ['id', 'by'] },
) as fc.Arbitrary<JsonObject>;

/** No shape pins the title: the aggregate's own key is touched. */
const counted = resource({
  name: 'counted',
  schema: z.object({ title: z.string(), year: z.number(), genres: z.array(z.string()) }),
  rules: { read: anyone },
  shapes: { all: {} },
  aggregates: { byYear: { group: ['year'] }, ofTitle: { equal: ['title'], range: 'year', group: ['genres'], of: ['year'] } },
});

describe('dependencies', () => {
  test.each([
    ['a list', films, document, query],
    ['a list by what stands inside', nested, nestedDocument, nestedQuery],
  ] as const)('a change that alters the answer to %s touches something that the answer depends on', (_what, asked, documents, queries) => {
    fc.assert(
      fc.property(
        fc.uniqueArray(documents, { selector: (one) => one['id'] as string }),
        documents,
        fc.boolean(),
        queries,
        (before, changed, removed, text) => {
          const id = changed['id'] as string;
          const old = before.find((one) => one['id'] === id);
          const after = [...before.filter((one) => one['id'] !== id), ...(removed ? [] : [changed])];
          const parsed = parseListQuery(asked, text);
          const altered = answer(before) !== answer(after);
          const meet = meets(dependenciesOfList(asked, parsed), touched(asked, id, old, removed ? undefined : changed), asked.name);
          expect(!altered || meet).toBe(true);

          function answer(listed: readonly JsonObject[]): string {
            return JSON.stringify([
              naiveList(asked, listed, parsed),
              parsed.count ? naiveList(asked, listed, { ...parsed, limit: Number.POSITIVE_INFINITY }).length : 0,
            ]);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('a change that alters a list of what stands, or of what is removed, touches something that it depends on', () => {
    const some = fc.uniqueArray(kept, { selector: (one) => one['id'] as string });
    fc.assert(fc.property(some, kept, fc.boolean(), (before, changed, erased) => {
      const id = changed['id'] as string;
      const old = before.find((one) => one['id'] === id);
      const after = [...before.filter((one) => one['id'] !== id), ...(erased ? [] : [changed])];
      const touches = touched(notes, id, old, erased ? undefined : changed);
      const [standing, removed] = [parseListQuery(notes, '?by=ann'), parseRemovedQuery(notes, '?limit=2')];
      const readable = reduce(notes.rules.read, anonymous);
      const isAltered = (list: (among: readonly JsonObject[]) => unknown) => JSON.stringify(list(before)) !== JSON.stringify(list(after));
      if (isAltered((listed) => naiveList(notes, listed, standing, readable))) {
        expect(meets(dependenciesOfList(notes, standing), touches, notes.name)).toBe(true);
      }
      const isOther = isAltered((listed) => naiveList(notes, listed, removed));
      expect(!isOther || meets(dependenciesOfRemoved(notes), touches, notes.name)).toBe(true);
      if (old?.['deletedAt'] === undefined && (erased || changed['deletedAt'] !== undefined) && old !== undefined) {
        expect(meets(goneOf(notes, id), touches, notes.name)).toBe(true);
      }
    }), { numRuns: 3_000 });
  });

  test('a list of what is removed does not depend on documents that are not', () => {
    const touches = touched(notes, '1', { id: '1', by: 'ann' }, { id: '1', by: 'bob' });
    expect(meets(dependenciesOfRemoved(notes), touches, notes.name)).toBe(false);
  });

  test('a change that alters an aggregate touches something that the aggregate depends on', () => {
    const queries = fc.constantFrom('group=year', 'group=genres&title=A&max=year', 'title[in]=B,C&group=genres',
      'title=A&year[gte]=1981&count');
    fc.assert(fc.property(
      fc.uniqueArray(document, { selector: (one) => one['id'] as string }), document, fc.boolean(), queries,
      (before, changed, removed, text) => {
        const id = changed['id'] as string;
        const old = before.find((one) => one['id'] === id);
        const after = [...before.filter((one) => one['id'] !== id), ...(removed ? [] : [changed])];
        const asked = parseAggregateQuery(counted, text);
        const { aggregate: { shape }, equal, range } = asked;
        // Whatever is made of the documents that are found is the same where those are.
        const found = (listed: readonly JsonObject[]) => JSON.stringify(naiveList(counted, listed, {
          equal, range, residual: [], words: undefined, area: undefined, sort: shape.sorts[0] ?? [],
          limit: Number.POSITIVE_INFINITY, count: false, estimated: false, fromEnd: false, distinct: undefined,
        }));
        const touches = touched(counted, id, old, removed ? undefined : changed);
        expect(found(before) === found(after) || meets(dependenciesOfList(counted, { shape, equal }), touches, 'counted')).toBe(true);
      },
    ), { numRuns: 2_000 });
    const ofA = dependenciesOfList(counted, { shape: counted.aggregates[1]!.shape, equal: { title: ['A'] } });
    const change = (title: string) => touched(counted, '1', undefined, { id: '1', title, year: 1980 });
    expect([meets(ofA, change('A'), 'counted'), meets(ofA, change('B'), 'counted')]).toEqual([true, false]);
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

  test('a list by what stands inside does not depend on documents without it', () => {
    const ofGrade = dependenciesOfList(nested, parseListQuery(nested, 'grades.grade=A'));
    const change = (grade: string, before: JsonObject) => touched(nested, '1', before, { id: '1', grades: [{ grade }] });
    expect(meets(ofGrade, change('B', { id: '1', grades: [{ grade: 'C' }] }), 'nested')).toBe(false);
    expect(meets(ofGrade, change('B', { id: '1', grades: [{ grade: 'C' }, { grade: 'A' }] }), 'nested')).toBe(true);
    expect(meets(ofGrade, change('A', { id: '1' }), 'nested')).toBe(true);
  });

  test('a document that is not there depends on the key that its creation touches', () => {
    expect(meets(dependenciesOfDocument(films, '9'), touched(films, '9', undefined, { id: '9' }))).toBe(true);
  });
});

function meets(dependencies: Dependencies, keys: ReadonlySet<string>, name = films.name): boolean {
  const buckets = new Set([...keys].map(toBucket));
  return dependencies.some((dependency) => dependency.resource === name && dependency.buckets.some((bucket) => buckets.has(bucket)));
}
