/** What a team may call its collections, its fields in them, its documents and what Tombolo keeps (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';

const schema = z.object({ title: z.string(), meta: z.object({ by: z.string() }), lines: z.array(z.object({ price: z.number() })) });
/** Wrong declarations are the point here, so what the types would refuse is let through. */
const declare = (extra: object) => resource({ name: 'notes', schema, shapes: {}, ...extra } as ResourceDeclaration);

describe('a declaration', () => {
  test.each([
    ['a collection of the database', { collection: 'system.users' }, 'collection'],
    ['a collection of Tombolo', { collection: 'tombolo_meta' }, 'collection'],
    ['a collection that no database has', { collection: 'a$b' }, 'collection'],
    ['a collection without a name', { collection: '' }, 'collection'],
    ['a collection of NUL', { collection: 'a\0b' }, 'collection'],
    ['a UUID stored in another way', { id: { kind: 'uuid', storedAs: 'text' } }, 'id.storedAs'],
    ['a prefix of numbers', { id: 'integer', shapes: { by: { prefix: 'id' } } }, 'shapes.by.prefix'],
    ['a name of two that Tombolo keeps', { rev: 'at', updatedAt: 'at' }, 'updatedAt'],
    ['a name of what Tombolo keeps that is none', { rev: true }, 'rev'],
    ['another name of what Tombolo keeps that the schema has', { rev: 'title' }, 'schema.title'],
    ['a field that names the document', { schema: z.object({ id: z.string() }) }, 'schema.id'],
  ])('with %s is an error that names file, resource and key', (_what, extra, key) => {
    const begin = `shared/resources/notes.ts: resource "notes": ${key}: `;
    expect(declare(extra).mistakes.map((mistake) => mistake.slice(0, begin.length))).toContain(begin);
  });
});

test('a contract has a mistake when two of its resources are one collection', () => {
  const [movies, films] = [declare({ name: 'movies' }), declare({ name: 'films', collection: 'movies' })];
  expect(contract(movies, films).mistakes).toEqual(['shared/resources/all.ts: collection "movies": is that of movies and films']);
  const swapped = [declare({ name: 'movies', collection: 'films' }), declare({ name: 'films', collection: 'movies' })];
  expect(contract(...swapped).mistakes).toEqual([]);
});
