import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { Fault } from '../../../shared/wire/fault.ts';
import { parseImportQuery } from '../../../shared/operations/import-query.ts';
import { mustBeWithoutParameters } from '../../../shared/wire/parameters.ts';
import { formatQuery, parseChangesQuery, parseDocumentQuery, parseListQuery } from '../../../shared/contract/query.ts';
import { resource, type Resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { formatSort, reversed } from '../../../shared/contract/shapes.ts';
import { served } from '../../../shared/resources/all.ts';
import { instant } from '../../../shared/contract/types.ts';
import { listParametersOf, shapesOf } from '../../../shared/openapi/list-parameters.ts';
import { films } from '../../../shared/resources/films.ts';
import { places } from '../../../shared/resources/places.ts';

const parse = (text: string) => parseListQuery(films, text);

function refusal(text: string, of: Resource = films): Fault {
  try {
    parseListQuery(of, text);
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
  }
  throw new Error(`"${text}" was not refused`);
}

describe('a list query', () => {
  test('that is misspelt is told what it could say', () => {
    expect(refusal('genre=Comedy').detail).toMatch(/^genre: unknown parameter; films knows sort, .* and the fields title, year, cast, /);
    expect(refusal('year[gte3]=1980').detail).toStartWith('year[gte3]: unknown operator "gte3"; known are in, gt, gte, ');
  });

  test('that names very many fields is refused in work of so many, not of their square', () => {
    const fields = Array.from({ length: 30_000 }, (_, at) => `a${at}`).join();
    expect(refusal(`fields=${fields}`).errors.at(0)).toMatchObject({ at: 'fields', detail: 'unknown field "a0"' });
  });

  test('written in two ways has one canonical form', () => {
    expect(formatQuery(parse('year[gte]=1980&genres=Comedy&fields=year,title'))).toBe(
      formatQuery(parse('genres=Comedy&fields=title,year,id&limit=20&year[gte]=1980&sort=-year,title')),
    );
    expect(formatQuery(parse('genres[in]=War,Comedy,War'))).toBe(formatQuery(parse('genres[in]=Comedy,War')));
  });

  test('asks beside the index in one form, and walks by what an array must contain', () => {
    expect(formatQuery(parse('year[nin]=1981&genres[nin]=War,Drama'))).toBe(formatQuery(parse('genres[nin]=Drama,War,War&year[ne]=1981')));
    expect(formatQuery(parse('genres[contains]=Comedy'))).toBe(formatQuery(parse('genres=Comedy')));
    expect(parse('genres[contains]=War,Comedy&image.url[exists]=false')).toMatchObject({
      equal: { genres: ['Comedy'] }, shape: { name: 'byGenre' },
      residual: [{ field: 'genres', operator: 'contains', values: ['War'] }, { field: 'image.url', operator: 'exists', value: false }],
    });
    expect(refusal('title=A&year[ne]=1950').reason).toBe('query_not_served');
    expect(refusal('year[ne]=1&genres[contains]=').errors.map(({ at }) => at)).toEqual(['year[ne]', 'genres[contains]']);
  });

  test('asks by `[in]` for a field that has the name of a parameter, and is described so', () => {
    const names = ['sort', 'limit', 'after', 'fields', 'count', 'page', 'distinct', 'version', 'near', 'within'] as const;
    const parameters = resource({
      name: 'parameters', rules: { read: anyone }, schema: z.object(Object.fromEntries(names.map((name) => [name, z.int()]))),
      shapes: Object.fromEntries(names.map((name) => [name, { equal: [name], range: name, sort: [name] }])),
    });
    const described = listParametersOf(parameters).map(({ name }) => name);
    expect([...new Set(described)]).toEqual(described);
    for (const name of names) {
      expect(parseListQuery(parameters, `${name}[in]=5&${name}[gte]=4`)).toMatchObject({ equal: { [name]: [5] }, limit: 20 });
      expect(described).toContain(`${name}[in]`);
      expect(shapesOf(parameters).words).toContain(`\`${name}[in]\``);
    }
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

  test('is always served in a declared order or its reverse, which an index was made for', () => {
    const film = '0198c0de-0000-7000-8000-0000000000ee';
    const values: Readonly<Record<string, string>> = { state: 'NY', status: 'placed', film, country: 'FI' };
    for (const asked of served.resources.values()) {
      for (const { equal, sorts, text } of asked.shapes.filter(({ place }) => place === undefined)) {
        for (const order of sorts.flatMap((sort) => [sort, reversed(sort)])) {
          for (let keys = 1; keys <= order.length; keys++) {
            const sort = order
              .slice(0, keys)
              .map(({ field, descending }) => (descending ? '-' : '') + field)
              .join();
            const query = parseListQuery(
              asked,
              new URLSearchParams({
                ...Object.fromEntries(equal.map((field) => [field, values[field] ?? 'x'])),
                sort, ...(text === undefined ? {} : { q: 'snow' }),
              }).toString(),
            );
            expect(query.shape.sorts.flatMap((declared) => [declared, reversed(declared)])).toContainEqual(query.sort);
            expect(query.sort.slice(0, keys)).toEqual(order.slice(0, keys));
          }
        }
      }
    }
  });

  test('has the order that is declared as it is asked for, where another shape declares one that it begins', () => {
    const both = resource({
      name: 'both', schema: z.object({ year: z.number(), title: z.string() }),
      shapes: { long: { sort: ['-year,title'] }, short: { sort: ['-year', 'title,-id', 'title'] } },
    });
    const named = (sort: string) => parseListQuery(both, `sort=${sort}`);
    expect(['-year', '-year,title', 'year'].map((sort) => named(sort).shape.name)).toEqual(['short', 'long', 'short']);
    // Two orders that differ in the id alone are two queries.
    expect(formatQuery(named('title,-id'))).not.toBe(formatQuery(named('title')));
  });

  test.each([
    ['unknown=1', 'unknown'], ['genres[regex]=x', 'genres[regex]'], ['year[gte]=abc', 'year[gte]'],
    ['year[gte]=1e9999', 'year[gte]'], ['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=1&limit=2', 'limit'],
    ['count=all', 'count'], ['fields=title,nope', 'fields'], ['sort=nope', 'sort'], ['after=a b', 'after'],
    ['__proto__=1', '__proto__'], ['constructor[gt]=1', 'constructor[gt]'], ['$where=1', '$where'], ['year[$gt]=1', 'year[$gt]'],
    ['genres[in]=' + Array.from({ length: 21 }, (_, n) => n).join(), 'genres[in]'],
  ])('refuses %p and names the parameter', (text, at) => {
    const fault = refusal(text);
    expect(fault.reason).toBe('query_invalid');
    expect(fault.errors.map((error) => error.at)).toContain(at);
  });

  test.each([
    'title=x&title[gt]=a', 'year=1980&year[gte]=1970', 'genres=War&genres[gt]=A', 'cast=Leslie', 'genres=Comedy&title=x',
    'year=1980', 'title[prefix]=A', 'genres=Comedy&title[gt]=a', 'sort=href',
  ])('refuses %p, which no shape serves, and says what is served', (text) => {
    const fault = refusal(text);
    expect(fault.reason).toBe('query_not_served');
    expect(fault.detail).toContain('byGenre');
  });

  test.each([
    ['genres=War&genres[in]=Comedy', 'genres[in]'],
    ['genres[in]=Comedy&genres=War', 'genres'],
    ['genres=War&genres=Comedy', 'genres'],
    ['year[gt]=1&year[gt]=2&genres=War', 'year[gt]'],
    ['sort=title&sort=title', 'sort'], ['after=a&after=b', 'after'], ['fields=title&fields=year', 'fields'],
    ['count=exact&count=exact', 'count'], ['genres=War&%67enres=War', 'genres'],
  ])('refuses %p, where one of two would have to be dropped', (text, at) => {
    expect([refusal(text).reason, refusal(text).errors.map((error) => error.at)]).toEqual(['query_invalid', [at]]);
  });

  test.each([
    ['genres=%ff', 'genres'], ['genres=a%c3', 'genres'], ['title=%zz', 'title'], ['limit=1&%ff=1', '%ff'],
    ['genres[in]=a&genres[in]=%e2%82', 'genres[in]'],
  ])('refuses %p, which is no UTF-8, by the name of the parameter', (text, at) => {
    expect([refusal(text).reason, refusal(text).errors.map((error) => error.at)]).toEqual(['query_invalid', [at]]);
  });

  test('takes what is encoded in any way that is UTF-8', () => {
    expect(parse('?genres=%E2%82%AC+%25').equal).toEqual({ genres: ['€ %'] });
    expect(parse('genres[in]=a%2Cb&genres[in]=c').equal).toEqual({ genres: ['a,b', 'c'] });
  });

  test('names every mistake at once', () => {
    expect(refusal('limit=x&fields=nope&what=1').errors.map((error) => error.at).sort()).toEqual(['fields', 'limit', 'what']);
  });

  test('bounds an id by its first characters where a shape declares it', () => {
    expect(parseListQuery(places, 'id[prefix]=005').range).toEqual({ field: 'id', bounds: { prefix: '005' } });
    expect(refusal('id[prefix]=005&id[gt]=1', places).reason).toBe('query_not_served');
  });
});

describe('every other query', () => {
  const doors: readonly [name: string, parse: (query: string) => unknown, known: string][] = [
    ['one document', (query) => parseDocumentQuery(films, query), 'fields=title'],
    ['an import', parseImportQuery, 'onDuplicate=skip'],
    ['a change feed', parseChangesQuery, 'after=x'],
    ['none', mustBeWithoutParameters, ''],
  ];
  test.each(doors)('of %s refuses what it does not know, what is given twice and what is no UTF-8', (_name, parseIt, known) => {
    expect(() => parseIt(known)).not.toThrow();
    for (const query of ['what=1', '?%66oo=1', 'what=%ff', ...(known === '' ? [] : [`${known}&${known}`, `${known}%ff`])]) {
      expect(() => parseIt(query), query).toThrow(/^query_invalid: (what|foo|fields|onDuplicate|after): /);
    }
  });
});

describe('a value of a filter', () => {
  const lent = resource({
    name: 'lent',
    schema: z.object({
      film: z.uuid(), at: instant(), state: z.enum(['out', 'back']).optional(), code: z.string().min(2).max(5),
      copies: z.array(z.uuid()).default([]), count: z.int().min(1),
      lower: z.string().toLowerCase().max(3),
      level: z.union([z.literal(1), z.literal(2)]).optional(),
      mark: z.literal(['a', 'b']).nullable(),
      either: z.union([z.string(), z.int()]).optional(),
    }),
    rules: { read: anyone },
    shapes: {
      byFilm: { equal: ['film'], range: 'at', sort: ['at'] },
      byState: { equal: ['state'] },
      byCode: { equal: ['code'] },
      byCopy: { equal: ['copies'] },
      byCount: { equal: ['count'] },
      byLower: { equal: ['lower'] },
      byId: { equal: ['id'] }, byMark: { equal: ['mark'] }, films: { prefix: 'film' }, codes: { range: 'code' }, counts: { range: 'count' },
    },
  });
  const upper = '0198F2AA-0000-7000-8000-00000000000A';
  const ask = (query: string) => parseListQuery(lent, query);

  test('that is a UUID has one spelling, whatever the field', () => {
    for (const field of ['film', 'copies', 'id']) {
      expect(ask(`${field}=${upper}`).equal).toEqual({ [field]: [upper.toLowerCase()] });
      expect(formatQuery(ask(`${field}[in]=${upper},${upper.toLowerCase()}`))).toBe(formatQuery(ask(`${field}=${upper.toLowerCase()}`)));
      expect(refusal(`${field}=x`, lent).errors[0]?.at).toBe(field);
    }
    expect(ask('film[prefix]=0198F').range?.bounds).toEqual({ prefix: '0198f' });
  });

  test.each([
    '2026-02-30', '2026-02-29T00:00:00Z', '2026-04-31T10:00:00+02:00', '2026-00-01', '2026-01-32', '0000-12-31',
    '0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01', '2026-01-01T24:00:00Z', '2026-01-01T10:00', '2026-01-01T10:00:00',
    '2026-01-01 10:00:00Z', '+010000-01-01', '2026-01-01T10:00:00+24:00', 'today',
  ])('that is no moment, %p, is refused', (text) => {
    expect(refusal(`film=${upper}&at[gte]=${encodeURIComponent(text)}`, lent).errors[0]).toEqual({
      at: 'at[gte]',
      in: 'query',
      detail: 'not a valid instant',
    });
  });

  test.each(['either=a', 'either[gte]=1'])('of no one type, %p, is refused with the reason', (query) => {
    expect(refusal(query, lent).errors[0]?.detail).toBe('holds no values of one plain type, and cannot be asked for');
  });

  test('that is a moment has one spelling', () => {
    for (const text of ['2026-01-31T23:30:00.5-01:00', '2026-02-01T00:30:00.500Z', '2026-02-01T00:30:00.5000001Z']) {
      expect(ask(`film=${upper}&at[gte]=${encodeURIComponent(text)}`).range?.bounds).toEqual({ gte: '2026-02-01T00:30:00.500Z' });
    }
    expect(ask(`film=${upper}&at[lt]=2024-02-29`).range?.bounds).toEqual({ lt: '2024-02-29T00:00:00.000Z' });
    expect(ask(`film=${upper}&at[lt]=0001-01-01&at[gt]=9999-12-31T23:59:59.999Z`).range?.bounds).toEqual({
      lt: '0001-01-01T00:00:00.000Z',
      gt: '9999-12-31T23:59:59.999Z',
    });
  });

  test.each([
    'state=shipped', 'state=', 'state=null', 'state[in]=out,shipped', 'code=', 'code=a', 'code=abcdef', 'count=0', 'copies=x',
    'mark=c', 'mark=null',
    `code=${'a'.repeat(513)}`,
  ])('that the schema excludes, %p, is refused', (query) => {
    expect([refusal(query, lent).reason, refusal(query, lent).errors.map(({ at }) => at)]).toEqual([
      'query_invalid',
      [/^[^=]*/.exec(query)?.[0] ?? ''],
    ]);
  });

  test('that bounds a range may be any of its type, and one that the schema would change is taken as it is shown', () => {
    expect(ask('code[gte]=a&code[lt]=abcdefgh').range?.bounds).toEqual({ gte: 'a', lt: 'abcdefgh' });
    expect(ask('count[gt]=-1').range?.bounds).toEqual({ gt: -1 });
    expect(ask('lower=ABCD').equal).toEqual({ lower: ['ABCD'] });
  });
});
