/** Declared relations: what is wrong with one is told at start, by resource and key. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { many, type Relations, to } from '../../../shared/contract/relations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { transaction } from '../../../shared/operations/transaction.ts';
import { served } from '../../../shared/resources/all.ts';
import { moved } from '../../../shared/versions/changes.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { limits } from '../../../shared/wire/limits.ts';

const read = { rules: { read: anyone } } as const;
const films = resource({
  ...read, name: 'films', schema: z.object({ title: z.string(), sequel: z.uuid().optional(), prequel: z.string().optional() }),
  shapes: { all: {}, byPrequel: { equal: ['prequel'], folded: ['prequel'] } },
});
const counted = resource({ ...read, name: 'counted', id: 'integer', schema: z.object({}), shapes: { all: {} } });

function mistakesOf(relations: Relations): readonly string[] {
  const reviews = resource({
    ...read, name: 'reviews',
    schema: z.object({
      film: z.uuid(), films: z.array(z.uuid()), some: z.array(z.uuid()).min(1).optional(), rating: z.int(),
      told: z.object({ of: z.uuid() }).optional(),
    }),
    shapes: { byFilm: { equal: ['film'] }, byBoth: { equal: ['rating', 'film'] } },
    relations,
  });
  const told = contractMistakes(contract(films, counted, reviews));
  return told.map((line) => line.replace('shared/resources/reviews.ts: resource "reviews": ', ''));
}

describe('a relation', () => {
  test('takes the place of the field that it follows, or has a name of its own', () => {
    expect(mistakesOf({ film: to('films', 'film'), about: to('films', 'film'), all: to('films', 'films'), tale: to('films', 'told.of') }))
      .toEqual([]);
  });

  const wrong: readonly (readonly [string, Relations, string])[] = [
    ['to what is not served', { x: to('people', 'film') }, 'relations.x: "people" is not served'],
    ['along no field', { x: to('films', 'movie') }, 'relations.x: follows "movie", which is no field'],
    ['along what holds no ids', { x: to('films', 'rating') }, 'relations.x: "rating" of reviews cannot hold the ids of films'],
    ['to other ids', { x: to('counted', 'film') }, 'relations.x: "film" of reviews cannot hold the ids of counted'],
    ['named as another field', { rating: to('films', 'film') }, 'relations.rating: has the name of a field; only a relation that follows'],
    ['in the place of an array', { films: to('films', 'films') }, 'relations.films: has the name of a field; only a relation that follows'],
    ['named as the id', { id: to('films', 'film') }, 'relations.id: has the name of a field; only a relation that follows'],
    ['listing by no field', { x: many('films', 'movie') }, 'relations.x: "movie" is no field of films'],
    ['listing by folded values', { x: many('films', 'prequel') }, 'relations.x: films has no shape whose only equality is "prequel"'],
    ['listing by no shape', { x: many('films', 'sequel') }, 'relations.x: films has no shape whose only equality is "sequel"'],
    ['of too many', { x: to('films', 'film', { limit: 101 }) },
      `relations.x.limit: must be a whole number from 1 to ${limits.relatedDocumentsMax}`],
    ['that exists by another word', { x: to('films', 'film', { exists: 'yes' as never }) }, 'relations.x.exists: must be true or false'],
    ['that heeds removals by another word', { x: to('films', 'film', { exists: true, onDelete: 'ignore' as never }) },
      'relations.x.onDelete: must be restrict, cascade, unset'],
    ['that heeds the removal of what need not be there', { x: to('films', 'film', { onDelete: 'cascade' }) },
      'relations.x.onDelete: needs `exists: true`'],
    ['of a list, that heeds removals', { x: { ...many('films', 'sequel'), onDelete: 'cascade' } },
      "relations.x.onDelete: is of the field that to('target', 'field') follows"],
    ['that unsets what must be there', { x: to('films', 'film', { exists: true, onDelete: 'unset' }) },
      'relations.x.onDelete: "film" must be a member that may be missing or null, or an array that may be empty, to be unset'],
    ['that unsets what is within', { x: to('films', 'told.of', { exists: true, onDelete: 'unset' }) },
      'relations.x.onDelete: "told.of" must be a member'],
    ['that empties what must not be empty', { x: to('films', 'some', { exists: true, onDelete: 'unset' }) },
      'relations.x.onDelete: "some" must be a member'],
    ['named in words of its own', { 'a.b': to('films', 'film') }, 'relations.a.b: must be named by a lower-case letter'],
  ];
  test.each(wrong)('%s is a mistake', (_title, relations, mistake) => {
    expect(mistakesOf(relations)).toEqual([expect.stringContaining(mistake)]);
  });

  test('that heeds removals has an index of what it names, without the read rule, and its target knows of it', () => {
    const named = { exists: true, onDelete: 'unset' } as const;
    const notes = resource({
      name: 'notes', rules: { read: owner('by') }, removal: { at: 'gone' },
      schema: z.object({ by: z.string(), film: z.uuid().optional(), also: z.array(z.uuid()), next: z.uuid().nullable() }),
      shapes: { byFilm: { equal: ['film'], sort: ['by'] } },
      relations: { film: to('films', 'film', named), others: to('films', 'also', named), next: to('notes', 'next', { exists: true }) },
    });
    const given = contract(films, notes);
    expect(contractMistakes(given)).toEqual([]);
    expect(notes.indexes.map(({ name }) => name).sort()).toEqual(['by+film+gone+id', 'film+gone+id', 'has.also+gone+id']);
    const namedBy = (name: string) => given.resources.get(name)?.namedBy.map(({ holder, relation }) => `${holder.name}.${relation.name}`);
    expect([namedBy('films'), namedBy('notes')]).toEqual([['notes.film', 'notes.others'], []]);
  });

  test('named as an older version names something else is a mistake', () => {
    const given = (name: string) => contractMistakes(contract(versions({ name: 'v1' }, { name: 'v2' }), films, resource({
      ...read, name: 'reviews', schema: z.object({ film: z.uuid(), stars: z.int() }), shapes: { byFilm: { equal: ['film'] } },
      relations: { [name]: to('films', 'film') }, versions: { v1: [moved({ rating: 'stars' })] },
    })));
    expect(given('rating')).toEqual([expect.stringContaining('relations.rating: "rating" is a place of v1')]);
    expect([given('film'), given('about')]).toEqual([[], []]);
  });
});

describe('expand', () => {
  const reviews = served.resources.get('reviews');
  const cachedAs = (query: string) => {
    if (reviews === undefined) throw new Error('reviews are not served');
    return documents.list.cached({ resource: reviews, id: '', input: documents.list.parse(reviews, query) });
  };
  const film = '?film=01890a5d-ac96-774b-bcce-b302099a8057';

  test('is refused by name for what is written, and beside values', () => {
    if (reviews === undefined) throw new Error('reviews are not served');
    expect(() => transaction.transaction.parse(reviews, '?expand=film')).toThrow('expand: ');
    expect(() => documents.list.parse(reviews, '?distinct=createdAt&author=a&expand=film')).toThrow('expand: not beside distinct');
  });

  test('is one name for all its spellings, and another than without it', () => {
    const { name } = cachedAs(`${film}&expand=film,film.reviews`);
    expect(cachedAs(`${film}&expand=film.reviews`).name).toBe(name);
    expect(cachedAs(`${film}&expand=film.reviews,film,film`).name).toBe(name);
    expect(new Set([name, cachedAs(film).name, cachedAs(`${film}&expand=film`).name]).size).toBe(3);
  });

  test('depends on every resource that is read, and says of which buckets with its answer', () => {
    const { dependencies } = cachedAs(`${film}&expand=film`);
    expect(dependencies).toEqual([{ resource: 'reviews', buckets: [] }, { resource: 'films', buckets: [] }]);
    expect(cachedAs(`${film}&expand=film`).stated).toBeDefined();
    expect(cachedAs(film).stated).toBeUndefined();
  });
});
