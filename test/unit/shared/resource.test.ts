import { describe, expect, expectTypeOf, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { mustBeSound } from '../../../shared/checks/sound.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { absent, all, any, anyone, equals, not, owner, reduce, role } from '../../../shared/contract/rules.ts';
import { scopeOf } from '../../../shared/contract/scope.ts';
import { coveringIndex } from '../../../shared/contract/shapes.ts';
import { mustRoute } from '../../../shared/operations/route.ts';
import { served } from '../../../shared/resources/all.ts';
import { reviews } from '../../../shared/resources/reviews.ts';

const schema = z.object({
  title: z.string(),
  year: z.int(),
  tags: z.array(z.string()),
  links: z.array(z.string()),
  meta: z.object({}).optional(),
});
/** Wrong declarations are the point here, so what the types would refuse is let through. */
const declare = (extra: object) => () => resource({ name: 'notes', schema, shapes: {}, ...extra } as ResourceDeclaration);

describe('a contract with an internal resource', () => {
  const internal = resource({
    name: 'tombolo_toys',
    internal: true,
    schema: z.object({ queue: z.string(), at: z.int() }),
    shapes: { ofQueue: { equal: ['queue'], sort: ['at'] } },
  });
  const given = contract(...served.stored, internal);

  test('stores it by its shapes', () => {
    expect(internal.indexes.map(({ name }) => name)).toEqual(['queue+at,id']);
    expect(given.stored).toContain(internal);
  });

  test('serves and names what it would without it', () => {
    expect([[...given.resources.keys()], given.digest]).toEqual([[...served.resources.keys()], served.digest]);
    expect(() => mustRoute(given, 'GET', '/v1/tombolo_toys')).toThrow('no such resource');
    expect(() => mustRoute(given, 'POST', '/v1/tombolo_toys')).toThrow('no such resource');
  });

  test('lets nobody do anything with it', () => {
    for (const rule of Object.values(internal.rules)) expect(reduce(rule, { subject: 'root', roles: ['admin'], claims: {} })).toBe(false);
  });

  test('has a mistake when two have its name', () => {
    expect(contractMistakes(contract(internal, internal))).toEqual([
      'shared/resources/all.ts: resource "tombolo_toys": name: 2 resources have it',
    ]);
  });
});

describe('a declaration', () => {
  test('without a rule refuses everything', () => {
    const { rules } = declare({})();
    for (const rule of Object.values(rules)) expect(reduce(rule, { subject: 'root', roles: ['admin'], claims: {} })).toBe(false);
  });

  test.each([
    ['an unknown key', { shape: {} }, 'shape'],
    ['an unknown rule', { rules: { reed: anyone } }, 'rules.reed'],
    ['an unknown key of a shape', { shapes: { all: { order: ['title'] } } }, 'shapes.all.order'],
    ['what only Tombolo asks for', { shapes: { all: { equal: ['title'], only: { title: 'x' } } } }, 'shapes.all.only'],
    ['a field that is not there', { shapes: { by: { equal: ['nope'] } } }, 'shapes.by.equal'],
    ['a sort over an array', { shapes: { by: { sort: ['tags'] } } }, 'shapes.by.sort'],
    ['two arrays in one shape', { shapes: { by: { equal: ['tags', 'links'] } } }, 'shapes.by.equal'],
    ['an object as a filter', { shapes: { by: { equal: ['meta'] } } }, 'shapes.by.equal'],
    ['a range that no order begins with', { shapes: { by: { range: 'year', sort: ['title'] } } }, 'shapes.by.range'],
    ['a read rule that no index serves where something stands', { rules: { read: not(absent('title')) } }, 'rules.read'],
    ['a rule for the absence of no field', { rules: { update: absent('lokced') } }, 'rules.update'],
    ['a rule for the absence of a number', { rules: { update: absent('year') } }, 'rules.update'],
    ['a read rule that no index serves', { rules: { read: not(equals('title', 'x')) } }, 'rules.read'],
    ['a rule over an array', { rules: { read: owner('tags') } }, 'rules.read'],
    ['a cache of another name', { cache: 'private' }, 'cache'],
    ['members that are neither kept nor served', { extra: 'strip' }, 'extra'],
    ['a demand that there is not', { preconditions: true }, 'preconditions'],
    ['a place to read that MongoDB has not', { reads: { preference: 'closest' } }, 'reads.preference'],
    ['cached reads of what may be taken back', { reads: { concern: 'local' } }, 'reads.concern'],
    ['a field that Tombolo keeps', { schema: z.object({ rev: z.number() }) }, 'schema.rev'],
    ['a rule for no field', { fieldRules: { nope: { read: anyone } } }, 'fieldRules.nope'],
    ['a level of validation that there is not', { validation: { level: 'lenient' } }, 'validation.level'],
    ['an action of validation that there is not', { validation: { action: 'log' } }, 'validation.action'],
    ['a write rule for no field', { rules: { update: not(equals('lokced', true)) } }, 'rules.update'],
    [
      'a write rule for no field, deep inside',
      { rules: { read: anyone, write: all(anyone, any(role('x'), not(owner('auther')))) } },
      'rules.write',
    ],
    ['a write rule over an array', { rules: { remove: not(owner('tags')) } }, 'rules.remove'],
    ['a write rule over what holds no subject', { rules: { remove: not(owner('year')) } }, 'rules.remove'],
    ['a write rule for a value that the field never has', { rules: { create: not(equals('year', '1980')) } }, 'rules.create'],
    ['a rule that is text', { rules: { read: 'anyone' } }, 'rules.read'],
    ['a rule that is not called', { rules: { read: role } }, 'rules.read'],
    ['a rule that is not called, inside another', { rules: { write: any(anyone, not(role as never)) } }, 'rules.write'],
    ['a rule for no role', { rules: { write: role('') } }, 'rules.write'],
    ['rules that are one rule', { rules: anyone }, 'rules.kind'],
    ['a field rule for no field inside', { fieldRules: { title: { read: not(equals('lokced', true)) } } }, 'fieldRules.title.read'],
    ['a field rule that is none', { fieldRules: { title: { write: 'editor' } } }, 'fieldRules.title.write'],
    ['an id of no kind', { id: 'objectid' }, 'id'],
    ['an id of a kind to come', { id: 'int' }, 'id'],
    ['an id without a format', { id: { kind: 'string' } }, 'id.format'],
    ['an id with a key that is none', { id: { kind: 'string', format: z.string(), from: 'x' } }, 'id.from'],
    ['live as a word', { live: 'yes' }, 'live'],
    ['no shapes', { shapes: undefined }, 'shapes'],
    ['a shape that is none', { shapes: { all: true } }, 'shapes.all'],
    ['an order that is no list', { shapes: { all: { sort: '-year' } } }, 'shapes.all.sort'],
    ['a schema that is none', { schema: { title: 'string' } }, 'schema'],
    ['a schema of another kind', { schema: z.record(z.string(), z.string()) }, 'schema'],
    ['a revision that is none', { revision: 'two' }, 'revision'],
    ['an unknown key of validation', { validation: { levels: 'strict' } }, 'validation.levels'],
  ])('with %s is an error that names file, resource and key', (_what, extra, key) => {
    expect(
      resourceMistakes(declare(extra)()).map((mistake) => mistake.slice(0, `shared/resources/notes.ts: resource "notes": ${key}: `.length)),
    ).toContain(`shared/resources/notes.ts: resource "notes": ${key}: `);
  });

  test.each([
    ['a name of a team', { name: 'jobs' }, 'name'],
    ['a name of other letters', { name: 'tombolo_Jobs' }, 'name'],
    ['a name of no words', { name: 'tombolo_' }, 'name'],
    ['a name that an engine keeps', { name: 'tombolo_cursors' }, 'name'],
    ['rules', { rules: { read: anyone } }, 'rules'],
    ['a live feed', { live: true }, 'live'],
    ['a cache', { cache: 'shared' }, 'cache'],
    ['a misspelt key', { shape: {} }, 'shape'],
    ['a field that is not there', { shapes: { by: { equal: ['nope'] } } }, 'shapes.by.equal'],
  ])('of an internal resource with %s is an error that names resource and key', (_what, extra, key) => {
    const given = { name: 'tombolo_toys', internal: true, ...extra };
    const made = declare(given)();
    const begin = `internal resource "${given.name}": ${key}: `;
    expect([resourceMistakes(made).map((mistake) => mistake.slice(0, begin.length)), made.internal]).toEqual([[begin], true]);
  });

  test.each([
    ['a name of Tombolo', { name: 'tombolo_toys' }, 'name'],
    ['internal as a word', { internal: 'yes' }, 'internal'],
  ])('with %s is none of a team', (_what, extra, key) => {
    expect(resourceMistakes(declare(extra)()).join()).toContain(`: ${key}: `);
  });

  const unfit: readonly (readonly [z.core.$ZodType, string])[] = [
    [z.date(), 'instant()'], [z.coerce.date(), 'instant()'], [z.bigint(), 'integer()'], [z.set(z.string()), 'z.array()'],
    [z.map(z.string(), z.string()), 'z.record()'], [z.symbol(), 'z.enum()'],
    [z.promise(z.string()), 'the type that it promises'],
    [z.nan(), 'z.number().nullable()'],
    [z.file(), 'z.url()'],
    [z.undefined(), '.optional()'],
    [z.object({ constructor: z.string().optional() }), 'inherits'],
    [z.iso.datetime({ local: true }), 'instant()'],
    [z.string().datetime({ local: true, offset: true }), 'instant()'],
    [z.iso.datetime({ precision: 0 }), 'instant()'],
    [z.string().refine(async () => true), 'asynchronous'],
    [
      z
        .string()
        .min(3)
        .superRefine(async () => undefined),
      'asynchronous',
    ],
    [z.string().check(async () => undefined), 'asynchronous'],
    [z.string().transform(async (text) => text), 'asynchronous'],
    [z.preprocess(async (text) => text, z.string()), 'asynchronous'],
    [z.custom(async () => true), 'asynchronous'],
  ];
  test.each(unfit)('with a type that no document can hold, at any depth, says what to use (%#)', (type, advice) => {
    const places = {
      plain: type,
      list: z.array(type),
      deep: z.object({ inner: z.object({ leaf: type }).optional() }),
      either: z.union([z.string(), type]),
      maybe: z.optional(z.nullable(type as z.ZodType)),
      named: z.record(z.string(), type),
      lazy: z.lazy(() => type as z.ZodType),
      pair: z.tuple([z.string(), type]),
    };
    const mistakes = resourceMistakes(declare({ schema: z.object(places) })());
    const told = mistakes.map((mistake) => /: (schema\S*): (.*)$/.exec(mistake)?.slice(1) ?? []);
    // One instance that stands in several places is told once.
    expect(told[0]?.[0]).toStartWith('schema.plain');
    for (const [, detail] of told) expect(detail).toContain(advice);
    for (const [name, path] of [
      ['list', 'list[]'],
      ['deep', 'deep.inner.leaf'],
      ['either', 'either'],
      ['maybe', 'maybe'],
      ['named', 'named{}'],
      ['lazy', 'lazy'],
      ['pair', 'pair[]'],
    ] as const) {
      expect(resourceMistakes(declare({ schema: z.object({ [name]: places[name] }) })())[0]).toContain(`notes": schema.${path}`);
    }
  });

  test('with types that hold themselves is read to its end', () => {
    const tree: z.ZodType = z.lazy(() => z.object({ children: z.array(tree), at: z.iso.datetime() }));
    const node = z.object({ id: z.uuid(), get children() { return z.array(node); } });
    const trees = declare({ schema: z.object({ tree, node }) })();
    expect(resourceMistakes(trees)).toEqual([]);
    const upper = '0198F2AA-0000-7000-8000-00000000000A';
    const parsed = trees.schema.parse({
      tree: { at: '2026-01-01T00:00:00Z', children: [{ at: '2026-01-01T00:00:00Z', children: [] }] },
      node: { id: upper, children: [{ id: upper, children: [] }] },
    });
    expect(parsed).toEqual({
      tree: { at: '2026-01-01T00:00:00.000Z', children: [{ at: '2026-01-01T00:00:00.000Z', children: [] }] },
      node: { id: upper.toLowerCase(), children: [{ id: upper.toLowerCase(), children: [] }] },
    });
  });

  test('with several mistakes tells all of them, and nothing starts until they are mended', () => {
    const made = declare({
      live: 'yes',
      id: 'int',
      rules: { read: anyone, write: 'all', update: not(equals('nope', 1)) },
      shapes: { by: { equal: ['nope', 'none'] } },
      cache: 'no',
      limits: { costs: 1, cost: { list: 0, read: 1 } },
      schema: z.object({ ok: z.string(), rev: z.date() }),
    })();
    expect(contractMistakes(contract(made)).map((mistake) => mistake.split(': ')[2])).toEqual([
      'live', 'id', 'schema.rev', 'schema.rev', 'shapes.by.equal', 'shapes.by.equal', 'rules.write', 'rules.update', 'cache',
      'limits.costs', 'limits.cost.list', 'limits.cost.read',
    ]);
    expect(() => mustBeSound(contract(made))).toThrow('12 mistakes in what is declared');
    // What is no rule lets nobody in, where nobody looks either.
    expect(reduce(made.rules.create, { subject: 'root', roles: ['admin'], claims: {} })).toBe(false);
  });

  test('without a name, or with that of another, is told by what it has', () => {
    expect(contractMistakes(contract(declare({ name: undefined })(), declare({ name: 'Notes' })(), declare({})(), declare({})()))).toEqual([
      'shared/resources: a resource without a name (schema of title, year, tags, links, meta): ' +
        'name: must be lower case, a plural noun of letters, digits and hyphens',
      'shared/resources/Notes.ts: resource "Notes": name: must be lower case, a plural noun of letters, digits and hyphens',
      'shared/resources/all.ts: resource "notes": name: 2 resources have it',
    ]);
  });

  test('that is right has no mistakes, and keeps the type of its documents', () => {
    expect(contractMistakes(served)).toEqual([]);
    expectTypeOf<z.infer<typeof reviews.schema>>().toEqualTypeOf<{
      film: string;
      author: string;
      status: 'draft' | 'published';
      rating: number;
      text: string;
    }>();
    expectTypeOf<z.input<typeof reviews.schema>['status']>().toEqualTypeOf<'draft' | 'published' | undefined>();
  });

  test('has another digest when a rule becomes stricter, and the same one when nothing changed', () => {
    expect(declare({ rules: { read: anyone } })().digest).toBe(declare({ rules: { read: anyone } })().digest);
    expect(declare({ rules: { read: anyone } })().digest).not.toBe(declare({ rules: { read: role('editor') } })().digest);
  });

  test('has another digest when more or less of what is stored is served', () => {
    const part = z.object({ sku: z.string() });
    const digestOf = (extra: object) => declare(extra)().digest;
    const schemas = [
      z.object({ parts: z.array(part), one: part }), z.object({ parts: z.array(part.extend({ n: z.number() })), one: part }),
      z.object({ parts: z.array(part), one: part.loose() }), z.object({ parts: z.array(part), one: part.extend({ n: z.number() }) }),
    ];
    const digests = schemas.flatMap((schema) => [digestOf({ schema }), digestOf({ schema, extra: 'serve' })]);
    expect(new Set(digests).size).toBe(digests.length);
    expect(digestOf({ schema: schemas[0] })).toBe(digestOf({ schema: schemas[0], extra: 'keep' }));
  });

  test('has no index that another one covers', () => {
    const { indexes } = declare({
      rules: { read: anyone },
      shapes: {
        ordered: { equal: ['year'], sort: ['-title'] },
        both: { equal: ['title', 'year'] },
        other: { equal: ['title'], sort: ['-year'] },
      },
    })();
    expect(indexes.map(({ name }) => name)).toEqual(['year+title,id', 'title+year,id']);
    const wanted = { name: 'wanted', equal: ['title', 'year'], has: undefined };
    expect(coveringIndex(indexes, { ...wanted, sort: [{ field: 'id', descending: false }] })?.name).toBe('year+title,id');
    expect(coveringIndex(indexes, { ...wanted, equal: ['title'], sort: [{ field: 'id', descending: false }] })).toBeUndefined();
    expect(coveringIndex(indexes, { ...wanted, has: 'tags', sort: [{ field: 'id', descending: false }] })).toBeUndefined();
  });

  test('gives one scope to callers whom its rules cannot tell apart', () => {
    const editors = declare({ rules: { read: role('editor') } })();
    expect(scopeOf(editors, { subject: 'a', roles: ['editor', 'x'], claims: {} })).toBe(
      scopeOf(editors, { subject: 'b', roles: ['editor'], claims: {} }),
    );
    expect(scopeOf(editors, anonymous)).not.toBe(scopeOf(editors, { subject: 'b', roles: ['editor'], claims: {} }));
    const own = declare({ rules: { read: owner('title') } })();
    expect(scopeOf(own, { subject: 'a', roles: [], claims: {} })).not.toBe(scopeOf(own, { subject: 'b', roles: [], claims: {} }));
  });
});
