import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { anonymous } from '../../shared/contract/principal.ts';
import { resource, type ResourceDeclaration } from '../../shared/contract/resource.ts';
import { anyone, equals, not, owner, reduce, role } from '../../shared/contract/rules.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import { coveringIndex } from '../../shared/contract/shapes.ts';

const schema = z.object({ title: z.string(), year: z.int(), tags: z.array(z.string()), links: z.array(z.string()), meta: z.object({}).optional() });
/** Wrong declarations are the point here, so what the types would refuse is let through. */
const declare = (extra: object) => () => resource({ name: 'notes', schema, shapes: {}, ...extra } as ResourceDeclaration);

describe('a declaration', () => {
  test('without a rule refuses everything', () => {
    const { rules } = declare({})();
    for (const rule of Object.values(rules)) expect(reduce(rule, { subject: 'root', roles: ['admin'], claims: {} })).toBe(false);
  });

  test.each([
    ['an unknown key', { shape: {} }, 'shape'],
    ['an unknown rule', { rules: { reed: anyone } }, 'rules.reed'],
    ['an unknown key of a shape', { shapes: { all: { order: ['title'] } } }, 'shapes.all.order'],
    ['a field that is not there', { shapes: { by: { equal: ['nope'] } } }, 'shapes.by.equal'],
    ['a sort over an array', { shapes: { by: { sort: ['tags'] } } }, 'shapes.by.sort'],
    ['two arrays in one shape', { shapes: { by: { equal: ['tags', 'links'] } } }, 'shapes.by.equal'],
    ['an object as a filter', { shapes: { by: { equal: ['meta'] } } }, 'shapes.by.equal'],
    ['a range that no order begins with', { shapes: { by: { range: 'year', sort: ['title'] } } }, 'shapes.by.range'],
    ['a read rule that no index serves', { rules: { read: not(equals('title', 'x')) } }, 'rules.read'],
    ['a rule over an array', { rules: { read: owner('tags') } }, 'rules.read'],
    ['a cache of another name', { cache: 'private' }, 'cache'],
    ['a demand that there is not', { preconditions: true }, 'preconditions'],
    ['a place to read that MongoDB has not', { reads: { preference: 'closest' } }, 'reads.preference'],
    ['cached reads of what may be taken back', { reads: { concern: 'local' } }, 'reads.concern'],
    ['a field that Tombolo keeps', { schema: z.object({ rev: z.number() }) }, 'schema.rev'],
    ['a rule for no field', { fieldRules: { nope: { read: anyone } } }, 'fieldRules.nope'],
    ['a level of validation that there is not', { validation: { level: 'lenient' } }, 'validation.level'],
    ['an action of validation that there is not', { validation: { action: 'log' } }, 'validation.action'],
    ['an unknown key of validation', { validation: { levels: 'strict' } }, 'validation.levels'],
  ])('with %s is an error that names file, resource and key', (_what, extra, key) => {
    expect(declare(extra)).toThrow(`shared/resources/notes.ts: resource "notes": ${key}: `);
  });

  test('has another digest when a rule becomes stricter, and the same one when nothing changed', () => {
    expect(declare({ rules: { read: anyone } })().digest).toBe(declare({ rules: { read: anyone } })().digest);
    expect(declare({ rules: { read: anyone } })().digest).not.toBe(declare({ rules: { read: role('editor') } })().digest);
  });

  test('has no index that another one covers', () => {
    const { indexes } = declare({ rules: { read: anyone }, shapes: { ordered: { equal: ['year'], sort: ['-title'] }, both: { equal: ['title', 'year'] }, other: { equal: ['title'], sort: ['-year'] } } })();
    expect(indexes.map(({ name }) => name)).toEqual(['year+title,id', 'title+year,id']);
    const wanted = { name: 'wanted', equal: ['title', 'year'], has: undefined };
    expect(coveringIndex(indexes, { ...wanted, sort: [{ field: 'id', descending: false }] })?.name).toBe('year+title,id');
    expect(coveringIndex(indexes, { ...wanted, equal: ['title'], sort: [{ field: 'id', descending: false }] })).toBeUndefined();
    expect(coveringIndex(indexes, { ...wanted, has: 'tags', sort: [{ field: 'id', descending: false }] })).toBeUndefined();
  });

  test('gives one scope to callers whom its rules cannot tell apart', () => {
    const editors = declare({ rules: { read: role('editor') } })();
    expect(scopeOf(editors, { subject: 'a', roles: ['editor', 'x'], claims: {} })).toBe(scopeOf(editors, { subject: 'b', roles: ['editor'], claims: {} }));
    expect(scopeOf(editors, anonymous)).not.toBe(scopeOf(editors, { subject: 'b', roles: ['editor'], claims: {} }));
    const own = declare({ rules: { read: owner('title') } })();
    expect(scopeOf(own, { subject: 'a', roles: [], claims: {} })).not.toBe(scopeOf(own, { subject: 'b', roles: [], claims: {} }));
  });
});
