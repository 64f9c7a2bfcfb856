import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { mergePatch } from '../../../shared/contract/merge-patch.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { converted, moved, removed } from '../../../shared/versions/changes.ts';
import { endpoint } from '../../../shared/operations/endpoint.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { served, things, three, through } from '../../support/three-versions.ts';

const text = fc.string({ maxLength: 5 });
const opt = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const someThing: fc.Arbitrary<JsonObject> = fc.record({
  id: text, title: text, rev: fc.nat(),
  image: opt(fc.record({ url: opt(text), width: opt(fc.nat()), height: opt(fc.nat()) }).filter((image) => JSON.stringify(image) !== '{}')),
  seconds: opt(fc.nat(100).map((minutes) => minutes * 60)),
  a: opt(fc.option(text)), b: opt(fc.option(text)),
  lines: opt(fc.array(fc.record({ name: text, price: opt(fc.record({ amount: fc.nat() })), tax: opt(fc.nat()) }), { maxLength: 3 })),
  kind: opt(text), meta: opt(fc.record({ kept: fc.boolean() })), note: opt(text),
  free: opt(fc.dictionary(fc.constantFrom('thumbnail', 'image', 'cost'), text)),
}).map((made) => JSON.parse(JSON.stringify(made)) as JsonObject);

/** Without what no older version can name. */
function withoutNew({ note: _note, ...thing }: JsonObject): JsonObject {
  if (!Array.isArray(thing['lines'])) return thing;
  const lines = (thing['lines'] as readonly JsonObject[]).map(({ tax: _tax, ...line }) => line);
  return { ...thing, lines };
}

function refused(name: string, body: JsonObject): readonly string[] {
  try {
    through(name).up(body, 'document');
    return [];
  } catch (thrown) {
    return thrown instanceof Fault ? [thrown.reason, ...thrown.errors.map(({ at }) => at)] : [];
  }
}

describe('a translation', () => {
  test('is declared without a mistake', () => expect(contractMistakes(served)).toEqual([]));

  test('shows the older version what it knows, where it knows it', () => {
    const thing = {
      id: '1', title: 't', image: { url: 'u', width: 3 }, seconds: 120, a: 'A', b: 'B', note: 'n', kind: 'k',
      lines: [{ name: 'x', price: { amount: 4 }, tax: 1 }],
    };
    const v2 = {
      id: '1', title: 't', image: { url: 'u', width: 3 }, minutes: 2, a: 'B', b: 'A', meta: { kind: 'k' }, lines: [{ name: 'x', cost: 4 }],
    };
    expect(through('v2').down(thing)).toEqual(v2);
    const { image: _image, ...rest } = v2;
    expect(through('v1').down(thing)).toEqual({ ...rest, thumbnail: 'u', width: 3 });
  });

  for (const name of ['v1', 'v2']) {
    test(`gives back what it was given, down to ${name} and up again`, () => {
      fc.assert(fc.property(someThing, (thing) => {
        const translation = through(name);
        expect(translation.up(translation.down(thing), 'document')).toEqual(withoutNew(thing));
      }), { numRuns: 1_000 });
    });

    test(`is changed by a patch of ${name} where that names it and nowhere else`, () => {
      fc.assert(fc.property(someThing, someThing, fc.func(fc.integer({ min: 0, max: 2 })), (thing, other, choose) => {
        const translation = through(name);
        const shown = translation.down(thing);
        // Members of the other thing, or nulls, or neither.
        const patch = Object.fromEntries(Object.entries({ ...shown, ...translation.down(other) }).flatMap(([key, value]) => {
          const choice = choose(key);
          return choice === 0 || key === 'title' || key === 'lines' ? [] : [[key, choice === 1 ? null : value]];
        })) as JsonObject;
        const patched = mergePatch(thing, translation.up(patch, 'patch')) as JsonObject;
        expect(translation.down(patched)).toEqual(withoutEmpty(mergePatch(shown, patch) as JsonObject, translation.down(patched)));
        expect(patched['note']).toEqual(thing['note']);
      }), { numRuns: 1_000 });
    });
  }

  test('takes out the object that a patch leaves nothing of', () => {
    expect(through('v1').up({ thumbnail: null, width: null, height: null }, 'patch')).toEqual({ image: null });
    expect(through('v1').up({ thumbnail: null }, 'patch')).toEqual({ image: { url: null } });
    expect(through('v2').up({ meta: { kind: null } }, 'patch')).toEqual({ meta: {}, kind: null });
  });

  test('refuses a body that names what the older version does not have, where it stands', () => {
    expect(refused('v1', { image: { url: 'u' } })).toEqual(['document_invalid', '/image']);
    expect(refused('v1', { seconds: 1, note: 'n' })).toEqual(['document_invalid', '/seconds', '/note']);
    const lines = [{ name: 'a' }, { name: 'b', tax: 1, price: {} }];
    expect(refused('v2', { lines })).toEqual(['document_invalid', '/lines/1/tax', '/lines/1/price']);
  });

  test('refuses a value that converts to nothing, since as it is it might be one of the current version', () => {
    expect(refused('v1', { minutes: 'ten' })).toEqual(['document_invalid', '/minutes']);
    expect(() => through('v1').upQuery('?minutes=ten')).toThrow(/minutes: .*number/);
    expect(through('v1').down({ seconds: 'odd' })).toEqual({ minutes: 'odd' });
  });

  test('asks for places by the names of the current version, and links by those of the older', () => {
    const query = '?width[gte]=3&sort=-minutes,title&fields=thumbnail,minutes,lines.cost&minutes=2&limit=5&after=x';
    const up = new URLSearchParams(through('v1').upQuery(query));
    expect([...up]).toEqual([
      ['image.width[gte]', '3'], ['sort', '-seconds,title'], ['fields', 'image.url,seconds,lines.price.amount'], ['seconds', '120'],
      ['limit', '5'], ['after', 'x'],
    ]);
    expect([...new URLSearchParams(through('v1').downQuery(`?${up}`))]).toEqual([...new URLSearchParams(query)]);
    for (const unknown of ['?image.width=3', '?fields=image', '?sort=seconds', '?note=x']) {
      expect(() => through('v1').upQuery(unknown)).toThrow(/unknown field/);
    }
  });

  test('points to where the older version has it', () => {
    const pointer = (at: string) => through('v1').downPointer(at);
    expect(['/image/url', '/image', '/seconds', '/lines/2/price/amount', '/lines/2/name', '/free/image', '/kind'].map(pointer)).toEqual([
      '/thumbnail', '/thumbnail', '/minutes', '/lines/2/cost', '/lines/2/name', '/free/image', '/meta/kind',
    ]);
  });

  test('knows what its writes leave as it is', () => {
    expect(through('v1').unnamed).toEqual(['image.*', 'note', 'lines.tax', 'lines.price.*']);
  });

  test('finds what changes in arrays of arrays, in arrays that move, and in nothing that is null', () => {
    const nested = resource({
      name: 'things',
      schema: z.object({
        rows: z.array(z.object({ cells: z.array(z.object({ value: z.string(), word: z.string().optional() })) })).optional(),
        prices: z.array(z.object({ in: z.object({ amount: z.number() }) })).optional(),
        image: z.object({ url: z.string(), width: integer().optional() }).nullable().optional(),
      }),
      rules: { read: anyone }, shapes: { all: {} },
      versions: {
        v2: [
          moved({ 'rows.cells.text': 'rows.cells.value', costs: 'prices', 'image.href': 'image.url' }),
          converted('prices.in.amount', { schema: z.string(), up: Number, down: String }),
        ],
      },
    });
    const of = contract(three, nested);
    expect(contractMistakes(of)).toEqual([]);
    const [, v2 = three.current] = three.all;
    const translation = dialectOf(of, { operation: documents.list, resource: nested }, v2)?.input;
    const thing = { rows: [{ cells: [{ value: 'a' }, { value: 'b', word: 'c' }] }], prices: [{ in: { amount: 1 } }], image: null };
    const shown = { rows: [{ cells: [{ text: 'a' }, { text: 'b', word: 'c' }] }], costs: [{ in: { amount: '1' } }], image: null };
    expect(translation?.down(thing)).toEqual(shown);
    expect(translation?.up(shown, 'document')).toEqual(thing);
  });

  test('makes an object that a document must have, also of nothing', () => {
    const framed = resource({
      name: 'things',
      schema: z.object({
        image: z.object({ url: z.string().optional(), size: z.object({ width: z.int().optional() }) }),
        more: z.object({ inner: z.object({ note: z.string().optional() }) }).optional(),
      }),
      rules: { read: anyone }, shapes: { all: {} },
      versions: { v2: [moved({ thumbnail: 'image.url', width: 'image.size.width', note: 'more.inner.note' })] },
    });
    const of = contract(three, framed);
    expect(contractMistakes(of)).toEqual([]);
    const [, v2 = three.current] = three.all;
    const translation = dialectOf(of, { operation: documents.list, resource: framed }, v2)?.input;
    const things: readonly JsonObject[] = [
      { image: { size: {} } }, { image: { url: 'u', size: {} } }, { image: { size: { width: 1 } }, more: { inner: { note: 'n' } } },
    ];
    for (const thing of things) expect(translation?.up(translation.down(thing), 'document')).toEqual(thing);
    expect(translation?.down({ image: { size: {} } })).toEqual({});
    expect(translation?.up({ thumbnail: 'v' }, 'patch')).toEqual({ image: { url: 'v' } });
  });

  test('has another digest as soon as it does something else', () => {
    expect(through('v1').digest).not.toBe(through('v2').digest);
  });
});

/** An object of which a patch took every part by itself stays, and is nothing to the older version. */
function withoutEmpty(expected: JsonObject, shown: JsonObject): JsonObject {
  const { meta, ...rest } = expected;
  const isEmpty = meta === undefined || (typeof meta === 'object' && meta !== null && Object.keys(meta).length === 0);
  return isEmpty && shown['meta'] === undefined ? rest : expected;
}

test('an endpoint has changes of its own, in what it takes and in what it answers', () => {
  const rated = endpoint({
    name: 'things-rated', summary: 'Lists the best things.', of: things, at: '/rated', method: 'GET', answers: 'state', rule: anyone,
    input: z.object({ kindOf: z.string() }), output: z.object({ data: z.array(z.object({ image: z.object({ url: z.string() }) })) }),
    versions: { v2: { input: [moved({ genre: 'kindOf' })], output: [moved({ 'data.picture': 'data.image.url' })] } },
  });
  const [v1, v2, v3] = three.all.map((version) => dialectOf(served, { operation: rated, resource: things }, version));
  for (const dialect of [v1, v2]) {
    expect(dialect?.input?.upQuery('?genre=noir')).toBe('?kindOf=noir');
    const shown = dialect?.output?.down({ data: [{ image: { url: 'u' } }, { image: { url: 'v' } }] });
    expect(shown).toEqual({ data: [{ picture: 'u' }, { picture: 'v' }] });
  }
  expect(v3).toBeUndefined();
});

describe('declared changes', () => {
  const mistakesOf = (declared: ResourceDeclaration['versions']) =>
    contractMistakes(contract(three, resource({
      name: 'things',
      schema: z.object({ a: z.string(), b: z.object({ c: z.string(), d: z.string() }), list: z.array(z.object({ e: z.string() })) }),
      shapes: { all: {} }, ...(declared === undefined ? {} : { versions: declared }),
    })));
  const one = (detail: string) => [`shared/resources/things.ts: resource "things": versions.${detail}`];

  test('are told what is wrong with them', () => {
    expect(mistakesOf({ v3: [] })).toEqual(one('v3: is no older version; shared/resources/versions.ts has v1, v2'));
    expect(mistakesOf({ v2: [moved({ x: 'y' })] })).toEqual(one('v2: the next version has no place "y"'));
    expect(mistakesOf({ v2: [moved({ a: 'b.c' })] })).toEqual(one('v2: "a" is a place of the next version too'));
    expect(mistakesOf({ v2: [moved({ x: 'a', y: 'a' })] })[0]).toContain('"a" changes twice');
    expect(mistakesOf({ v2: [moved({ e: 'list.e' })] })).toEqual(
      one('v2: "e" and "list.e" stand in different arrays: what moves stays within one element'),
    );
    expect(mistakesOf({ v1: [moved({ x: 'a' })], v2: [moved({ y: 'a' })] })).toEqual(one('v1: the next version has no place "a"'));
    expect(mistakesOf({ v2: [moved({ 'b.x': 'b.c' })] })).toEqual([]);
    const gone = { schema: z.string(), shown: 'x' };
    expect(mistakesOf({ v2: [removed('a', gone)] })).toEqual(one('v2: "a" is a place of the next version too'));
    expect(mistakesOf({ v2: [removed('x', gone), moved({ x: 'a' })] })[0]).toContain('"x" is moved twice');
    expect(mistakesOf({ v2: [moved({ x: 'b' }), removed('x.c', gone)] })[0]).toContain('is moved twice');
    expect(mistakesOf({ v2: [removed('x', { ...gone, shown: 1 })] })).toEqual(
      one('v2: "x" is shown as a value that its schema does not take'),
    );
  });
});

describe('declared versions', () => {
  test('are told what is wrong with them', () => {
    const given = versions({ name: 'one' }, { name: 'v1', sunset: '2027-01-01' }, { name: 'v1', deprecated: 'soon', link: 'x' });
    expect(contractMistakes(contract(given)).map((each) => each.replace('shared/resources/versions.ts: ', ''))).toEqual([
      'version "one": name: must be v and a whole number, as in "v2"',
      'version "v1": sunset: must not be before deprecated',
      'version "v1": deprecated: must be a day or an instant in UTC, as in "2027-06-30"',
      'version "v1": link: must be an http or https address',
      'version "v1": is declared more than once',
    ]);
  });
});
