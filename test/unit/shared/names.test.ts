/** What a team may call its collections, its fields in them, its documents and what Tombolo keeps (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { versions } from '../../../shared/resources/versions.ts';

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
    ['a stored name of no field', { storedAs: { nope: 'x' } }, 'storedAs.nope'],
    ['a stored name of no field, deep inside', { storedAs: { 'lines.cost': 'x' } }, 'storedAs.lines.cost'],
    ['a stored name with a dot', { storedAs: { title: 'a.b' } }, 'storedAs.title'],
    ['a stored name that is an operator', { storedAs: { title: '$title' } }, 'storedAs.title'],
    ['a stored name with NUL', { storedAs: { 'meta.by': 'a\0' } }, 'storedAs.meta.by'],
    ['an empty stored name', { storedAs: { title: '' } }, 'storedAs.title'],
    ['a stored name that is none', { storedAs: { title: 1 } }, 'storedAs.title'],
    ['the stored name of the id', { storedAs: { title: '_id' } }, 'storedAs.title'],
    ['the stored name of another field', { storedAs: { title: 'meta' } }, 'storedAs.title'],
    ['the stored name of what Tombolo keeps', { storedAs: { title: 'rev' } }, 'storedAs.title'],
    ['one stored name for two', { storedAs: { title: 'x', meta: 'x' } }, 'storedAs.meta'],
    ['stored names that are none', { storedAs: 'title' }, 'storedAs'],
    ['a field that names the document', { schema: z.object({ id: z.string() }) }, 'schema.id'],
  ])('with %s is an error that names file, resource and key', (_what, extra, key) => {
    const begin = `shared/resources/notes.ts: resource "notes": ${key}: `;
    expect(resourceMistakes(declare(extra)).map((mistake) => mistake.slice(0, begin.length))).toContain(begin);
  });
});

test('fields may change places, and sub-documents may have an _id', () => {
  const storedAs = { title: 'meta', meta: 'title', 'lines.price': '_id', 'meta.by': 'Straße', rev: '_rev', createdAt: '_created_at' };
  const made = declare({ storedAs });
  const { names } = made;
  expect(resourceMistakes(made)).toEqual([]);
  const pairs = [['title', 'meta'], ['meta', 'title'], ['rev', '_rev'], ['_rev', 'rev'], ["id'", 'id'], ["id''", "id'"]] as const;
  for (const [wire, stored] of pairs) {
    expect([names?.toStored(wire), names?.toWire(stored)]).toEqual([stored, wire]);
  }
  expect(names?.below('meta')?.toStored('by')).toBe('Straße');
  expect([names?.below('lines')?.toWire('_id'), names?.below('lines')?.toWire('price')]).toEqual(['price', '_id']);
});

test('a contract has a mistake when two of its resources are one collection', () => {
  const [movies, films] = [declare({ name: 'movies' }), declare({ name: 'films', collection: 'movies' })];
  expect(contractMistakes(contract(versions, movies, films))).toEqual([
    'shared/resources/all.ts: collection "movies": is that of movies and films',
  ]);
  const swapped = [declare({ name: 'movies', collection: 'films' }), declare({ name: 'films', collection: 'movies' })];
  expect(contractMistakes(contract(...swapped))).toEqual([]);
});
