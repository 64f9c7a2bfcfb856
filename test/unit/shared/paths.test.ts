/** Places are paths (SEMANTICS §14): what a schema names, and what stands there. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { valueAt, valuesAt } from '../../../shared/contract/path.ts';
import { parseDocumentQuery, parseListQuery } from '../../../shared/contract/query.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone, equals, not, owner } from '../../../shared/contract/rules.ts';
import { formatSort } from '../../../shared/contract/shapes.ts';
import { instant } from '../../../shared/contract/types.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { limits } from '../../../shared/wire/limits.ts';

const fieldsOf = (schema: z.ZodObject) => {
  const made = resource({ name: 'notes', schema, shapes: {} });
  expect(resourceMistakes(made)).toEqual([]);
  return made.fields;
};

describe('the fields of a schema', () => {
  test('are its members at every depth, many where an array is on the way', () => {
    const fields = fieldsOf(z.object({
      imdb: z.object({ rating: z.number().nullable(), at: instant() }).optional(),
      tags: z.array(z.string()),
      grades: z.array(z.object({ grade: z.enum(['A', 'B']), scores: z.array(z.int()), by: z.object({ name: z.string() }) })),
      grid: z.array(z.array(z.object({ x: z.number() }))),
    }));
    const described = [...fields].map(([path, { kind, element, isInArray = false }]) => [path, kind, element, isInArray]);
    expect(described.slice(0, -3)).toEqual([
      ['imdb', 'object', undefined, false],
      ['imdb.rating', 'number', undefined, false],
      ['imdb.at', 'instant', undefined, false],
      ['tags', 'array', 'string', false],
      ['grades', 'array', 'object', false],
      ['grades.grade', 'array', 'string', true],
      ['grades.scores', 'array', 'integer', true],
      ['grades.by', 'array', 'object', true],
      ['grades.by.name', 'array', 'string', true],
      ['grid', 'array', 'array', false],
    ]);
    expect(fields.get('imdb.rating')).toEqual({ name: 'imdb.rating', kind: 'number', optional: true, nullable: true });
  });

  test('are those of all branches of a union, which agree on a type or cannot be asked for', () => {
    const fields = fieldsOf(z.object({
      shape: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('circle'), radius: z.number(), size: z.string() }),
        z.object({ kind: z.enum(['square', 'cube']), side: z.number(), size: z.number() }),
      ]),
      either: z.union([z.object({ a: z.number() }), z.string()]),
    }));
    const kindOf = (path: string) => [fields.get(path)?.kind, fields.get(path)?.optional];
    expect(kindOf('shape')).toEqual(['object', false]);
    expect(kindOf('shape.kind')).toEqual(['string', false]);
    expect(kindOf('shape.radius')).toEqual(['number', true]);
    expect(kindOf('shape.size')).toEqual(['mixed', false]);
    expect([kindOf('either'), kindOf('either.a')]).toEqual([['mixed', false], [undefined, undefined]]);
  });

  test('are none of what takes anything, holds itself, has another name, or lies too deep', () => {
    const Node = z.object({
      name: z.string(),
      get parent() {
        return Node.optional();
      },
    });
    const steps = Array.from({ length: limits.pathStepsMax + 1 }, (_, index) => `s${index}`);
    const deep = steps.reduceRight<z.ZodType>((inner, step) => z.object({ [step]: inner }), z.string()) as z.ZodObject;
    const fields = fieldsOf(z.object({
      record: z.record(z.string(), z.number()), loose: z.looseObject({ a: z.string() }), any: z.unknown(), node: Node,
      odd: z.object({ 'first name': z.string(), 'a.b': z.string() }),
      ...deep.shape,
    }));
    const paths = [...fields.keys()].filter((path) => !path.startsWith('s0'));
    expect(paths.slice(0, -3)).toEqual(['record', 'loose', 'loose.a', 'any', 'node', 'node.name', 'node.parent', 'odd']);
    expect(fields.has(steps.slice(0, -1).join('.'))).toBe(true);
    expect(fields.has(steps.join('.'))).toBe(false);
  });
});

describe('what stands at a path', () => {
  test('is missing where something that is no object is on the way', () => {
    const at = (imdb: unknown) => valueAt(JSON.parse(JSON.stringify({ imdb })), 'imdb.rating');
    expect([at({ rating: 8 }), at({ rating: null }), at({ rating: [1] })]).toEqual([8, null, [1]]);
    expect([at([{ rating: 8 }]), at(8), at(null), at('text'), at({}), at({ constructor: 1 })]).toEqual(Array(6).fill(undefined));
    expect([valueAt({ 'a.b': 1 }, 'a.b'), valueAt({}, 'constructor.name'), valueAt({}, '__proto__')]).toEqual(Array(3).fill(undefined));
  });

  test('is every element where it is many, whether several stand there or one', () => {
    const at = (grades: unknown) => valuesAt(JSON.parse(JSON.stringify({ grades })), 'grades.grade');
    expect(at([{ grade: 'A' }, { grade: ['B', 'C'] }, { grade: { x: 1 } }, {}, 'A', null])).toEqual(['A', 'B', 'C', { x: 1 }]);
    expect(at({ grade: 'A' })).toEqual(['A']);
    expect([at([[{ grade: 'A' }]]), at('A'), at(undefined)]).toEqual([[], [], []]);
    expect(valuesAt({ tags: ['a', ['b']] }, 'tags')).toEqual(['a', ['b']]);
  });
});

const schema = z.object({
  title: z.string(),
  meta: z.object({ by: z.string().optional(), size: z.int().optional(), any: z.unknown(), record: z.record(z.string(), z.string()) }),
  parts: z.array(z.object({ sku: z.string(), tags: z.array(z.string()) })),
});
/** Wrong declarations are the point here, so what the types would refuse is let through. */
const declare = (extra: object) => resource({ name: 'notes', schema, shapes: {}, ...extra } as ResourceDeclaration);

describe('a declaration', () => {
  test('names nested places by their paths, and the indexes follow', () => {
    const made = declare({
      rules: { read: owner('meta.by') }, fieldRules: { 'meta.size': { read: equals('meta.by', 'x') } },
      shapes: { by: { equal: ['parts.sku'], range: 'meta.size', sort: ['-meta.size,title'] } },
    });
    const { indexes, mentions } = made;
    expect([resourceMistakes(made), indexes.map(({ name }) => name), [...mentions.fields]]).toEqual([
      [], ['has.parts.sku+meta.by+meta.size,-title,-id'], ['meta.by'],
    ]);
  });

  test('of an object that is called as arrays are in the names of indexes gives each index a name of its own', () => {
    const both = z.object({ has: z.object({ x: z.string() }), x: z.array(z.string()) });
    const { indexes } = declare({ schema: both, rules: { read: anyone }, shapes: { a: { equal: ['has.x'] }, b: { equal: ['x'] } } });
    expect(indexes.map(({ name }) => name)).toEqual(['by+has.x+id', 'has.x+id']);
  });

  test.each([
    ['a path to no field', { shapes: { by: { equal: ['meta.nope'] } } }, 'shapes.by.equal'],
    ['a path into what takes anything', { shapes: { by: { equal: ['meta.record.x'] } } }, 'shapes.by.equal'],
    ['a path through what is no object', { shapes: { by: { equal: ['title.x'] } } }, 'shapes.by.equal'],
    ['a path of too many steps', { shapes: { by: { equal: ['a.b.c.d.e.f.g.h.i'] } } }, 'shapes.by.equal'],
    ['a path to anything', { shapes: { by: { equal: ['meta.any'] } } }, 'shapes.by.equal'],
    ['a sort over what is many', { shapes: { by: { sort: ['parts.sku'] } } }, 'shapes.by.sort'],
    ['a range over what is many', { shapes: { by: { range: 'parts.sku' } } }, 'shapes.by.sort'],
    ['two paths through arrays in one shape', { shapes: { by: { equal: ['parts.sku', 'parts.tags'] } } }, 'shapes.by.equal'],
    ['a prefix of a nested number', { shapes: { by: { prefix: 'meta.size' } } }, 'shapes.by.prefix'],
    ['a rule over what is many', { rules: { read: owner('parts.sku') } }, 'rules.read'],
    ['a rule for no nested field', { rules: { update: not(equals('meta.bye', 'x')) } }, 'rules.update'],
    ['a rule over a nested field of another type', { rules: { read: owner('meta.size') } }, 'rules.read'],
    ['a rule for a value that a nested field never has', { rules: { create: equals('meta.by', 1) } }, 'rules.create'],
    ['a field rule for no nested field', { fieldRules: { 'meta.nope': { read: anyone } } }, 'fieldRules.meta.nope'],
    ['a write rule in the elements of an array', { fieldRules: { 'parts.sku': { write: anyone } } }, 'fieldRules.parts.sku.write'],
  ])('with %s is an error that names its key', (_what, extra, key) => {
    expect(resourceMistakes(declare(extra)).join()).toContain(`: ${key}: `);
  });
});

describe('a query', () => {
  const rated = resource({
    name: 'rated',
    schema: z.object({
      title: z.string(),
      imdb: z.object({ rating: z.number(), votes: z.int(), kind: z.enum(['film', 'series']) }),
      grades: z.array(z.object({ grade: z.enum(['A', 'B']), at: instant() })),
    }),
    rules: { read: anyone },
    shapes: {
      byRating: { range: 'imdb.rating', sort: ['-imdb.rating,title'] }, ofKind: { equal: ['imdb.kind'] },
      ofGrade: { equal: ['grades.grade'] }, ofAt: { equal: ['grades.at'] },
    },
  });

  test('asks for nested places by their paths', () => {
    expect(resourceMistakes(rated)).toEqual([]);
    const { range, sort, fields } = parseListQuery(rated, 'imdb.rating[gte]=8&sort=-imdb.rating&fields=title,imdb.rating');
    expect([range, formatSort(sort)]).toEqual([{ field: 'imdb.rating', bounds: { gte: 8 } }, '-imdb.rating,title']);
    expect(fields).toEqual(['imdb.rating', 'title']);
    expect(parseListQuery(rated, 'grades.grade=A').equal).toEqual({ 'grades.grade': ['A'] });
    expect(parseListQuery(rated, 'grades.at=2026-01-01').equal).toEqual({ 'grades.at': ['2026-01-01T00:00:00.000Z'] });
    expect(parseDocumentQuery(rated, 'fields=imdb.votes,imdb,grades').fields).toEqual(['grades', 'imdb']);
  });

  const reasonOf = (text: string) => {
    try {
      return parseListQuery(rated, text).shape.name;
    } catch (thrown) {
      return thrown instanceof Fault ? thrown.reason : String(thrown);
    }
  };
  test.each([
    'grades.grade=C', 'imdb.kind=book', 'imdb.rating=x', 'imdb.nope=1', 'imdb..rating=1', 'imdb.=1', 'fields=imdb.nope', 'sort=imdb.nope',
  ])('for a value that there is not, or a place that is not declared, is refused: %s', (text) => {
    expect(reasonOf(text)).toBe('query_invalid');
  });
  test.each(['imdb.votes=1', 'grades.grade[gt]=A', 'imdb.rating[gt]=1&grades.grade=A', 'sort=grades.grade'])(
    'for what no shape serves is refused: %s',
    (text) => expect(reasonOf(text)).toBe('query_not_served'),
  );
});
