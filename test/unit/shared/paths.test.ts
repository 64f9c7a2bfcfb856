/** Places are paths (SEMANTICS §14): what a schema names, and what stands there. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { valueAt, valuesAt } from '../../../shared/contract/path.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { instant } from '../../../shared/contract/types.ts';
import { limits } from '../../../shared/wire/limits.ts';

const fieldsOf = (schema: z.ZodObject) => {
  const { fields, mistakes } = resource({ name: 'notes', schema, shapes: {} });
  expect(mistakes).toEqual([]);
  return fields;
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
