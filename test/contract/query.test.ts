import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { Fault } from '../../shared/contract/fault.ts';
import { formatQuery, parseListQuery } from '../../shared/contract/query.ts';
import { resource } from '../../shared/contract/resource.ts';
import { formatSort } from '../../shared/contract/shapes.ts';
import { films } from '../../shared/resources/films.ts';
import { places } from '../../shared/resources/places.ts';

const parse = (text: string) => parseListQuery(films, new URLSearchParams(text));

function refusal(text: string, resource = films): Fault {
  try {
    parseListQuery(resource, new URLSearchParams(text));
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
  }
  throw new Error(`"${text}" was not refused`);
}

describe('a list query', () => {
  test('written in two ways has one canonical form', () => {
    expect(formatQuery(parse('year[gte]=1980&genres=Comedy&fields=year,title'))).toBe(formatQuery(parse('genres=Comedy&fields=title,year,id&limit=20&year[gte]=1980&sort=-year,title')));
    expect(formatQuery(parse('genres[in]=War,Comedy,War'))).toBe(formatQuery(parse('genres[in]=Comedy,War')));
  });

  test('takes the declared order, or its exact reverse', () => {
    expect(formatSort(parse('genres=Comedy').sort)).toBe('-year,title');
    expect(formatSort(parse('genres=Comedy&sort=year,-title').sort)).toBe('year,-title');
    expect(refusal('genres=Comedy&sort=year,title').reason).toBe('query_not_served');
  });

  test('is served in the declared order that the one asked for begins, whole, both ways', () => {
    for (const [asked, served] of [['-year', '-year,title'], ['year', 'year,-title'], ['title', 'title'], ['-title', '-title']]) {
      const query = parse(`genres=Comedy&sort=${asked}`);
      expect([asked, formatSort(query.sort), query.sort.at(-1)?.field]).toEqual([asked, served, 'id']);
      expect(formatQuery(query)).toBe(formatQuery(parse(`genres=Comedy&sort=${served}`)));
    }
    expect(refusal('genres=Comedy&sort=-year,-title').reason).toBe('query_not_served');
    expect(refusal('genres=Comedy&sort=-year,id').reason).toBe('query_not_served');
    expect(refusal('genres=Comedy&year[gt]=1980&sort=title').reason).toBe('query_not_served');
  });

  test('has the order that is declared as it is asked for, where another shape declares one that it begins', () => {
    const both = resource({
      name: 'both', schema: z.object({ year: z.number(), title: z.string() }),
      shapes: { long: { sort: ['-year,title'] }, short: { sort: ['-year', 'title,-id', 'title'] } },
    });
    const named = (sort: string) => parseListQuery(both, new URLSearchParams({ sort }));
    expect(['-year', '-year,title', 'year'].map((sort) => named(sort).shape.name)).toEqual(['short', 'long', 'short']);
    // Two orders that differ in the id alone are two queries.
    expect(formatQuery(named('title,-id'))).not.toBe(formatQuery(named('title')));
  });

  test.each([
    ['unknown=1', 'unknown'], ['genres[regex]=x', 'genres[regex]'], ['year[gte]=abc', 'year[gte]'], ['year[gte]=1e999', 'year[gte]'], ['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=1&limit=2', 'limit'],
    ['count=all', 'count'], ['fields=title,nope', 'fields'], ['sort=nope', 'sort'], ['after=a b', 'after'], ['__proto__=1', '__proto__'], ['constructor[gt]=1', 'constructor[gt]'], ['$where=1', '$where'], ['year[$gt]=1', 'year[$gt]'], ['genres[in]=' + Array.from({ length: 21 }, (_, n) => n).join(), 'genres[in]'],
  ])('refuses %p and names the parameter', (text, at) => {
    const fault = refusal(text);
    expect(fault.reason).toBe('query_invalid');
    expect(fault.errors.map((error) => error.at)).toContain(at);
  });

  test.each(['cast=Leslie', 'genres=Comedy&title=x', 'year=1980', 'title[prefix]=A', 'genres=Comedy&title[gt]=a', 'sort=href'])('refuses %p, which no shape serves, and says what is served', (text) => {
    const fault = refusal(text);
    expect(fault.reason).toBe('query_not_served');
    expect(fault.detail).toContain('byGenre');
  });

  test('names every mistake at once', () => {
    expect(refusal('limit=x&fields=nope&what=1').errors.map((error) => error.at).sort()).toEqual(['fields', 'limit', 'what']);
  });

  test('bounds an id by its first characters where a shape declares it', () => {
    expect(parseListQuery(places, new URLSearchParams('id[prefix]=005')).range).toEqual({ field: 'id', bounds: { prefix: '005' } });
    expect(refusal('id[prefix]=005&id[gt]=1', places).reason).toBe('query_not_served');
  });
});
