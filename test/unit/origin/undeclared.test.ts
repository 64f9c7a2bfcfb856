/** What the schema does not name is served to nobody, whichever way it is asked for (SEMANTICS §16). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { declaredIn } from '../../../origin/documents/declared.ts';
import { signPosition } from '../../../origin/tokens.ts';
import { StoredDocument } from '../../../origin/store/stored-document.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const tree: z.ZodType = z.lazy(() => z.object({ name: z.string(), below: z.array(tree).optional() }));
const schema = z.object({
  name: z.string(),
  parts: z.array(z.object({ sku: z.string(), inner: z.object({ n: z.number() }).optional() })).optional(),
  one: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('bolt'), d: z.number() }),
      z.object({ kind: z.literal('nut'), size: z.number() }),
    ])
    .optional(),
  either: z.union([z.string(), z.strictObject({ a: z.number() }), z.record(z.string(), z.number())]).optional(),
  flat: z.union([z.string(), z.array(z.number()), z.object({ b: z.number() }).nullable()]).optional(),
  cut: z.union([z.string().transform((text) => text.trim()), z.object({ b: z.number() })]).optional(),
  pair: z.tuple([z.number(), z.object({ x: z.number() })]).optional(),
  prepared: z.preprocess((value) => value, z.object({ p: z.number() })).optional(),
  made: z.object({ sent: z.string() }).transform(({ sent }) => ({ length: sent.length })).optional(),
  boxes: z.record(z.string(), z.object({ w: z.number() })).optional(),
  loose: z.looseObject({ a: z.number().optional() }).optional(),
  numbers: z.object({ one: z.number().optional() }).catchall(z.number()).optional(),
  any: z.unknown().optional(),
  tree: tree.optional(),
});
const declaration = {
  id: { kind: 'string' as const, format: z.string() }, schema, rules: { read: anyone, write: anyone }, shapes: { all: {} }, live: true,
};
const goods = resource({ name: 'goods', ...declaration });
const opened = resource({ name: 'opened', ...declaration, extra: 'serve' });
const guarded = resource({
  name: 'guarded', ...declaration,
  rules: { read: equals('name', 'a'), write: anyone }, fieldRules: { any: { read: role('staff') } }, invalid: 'refuse',
});

const declared: JsonObject = {
  name: 'a',
  parts: [{ sku: 'v1', inner: { n: 1 } }, { sku: 'v2' }],
  one: { kind: 'bolt', d: 1 },
  either: { a: 1 },
  pair: [1, { x: 2 }],
  prepared: { p: 1 },
  made: { length: 3 },
  boxes: { b1: { w: 1 } },
  loose: { free1: { free2: 1 } },
  numbers: { two: 2 },
  any: { free: [{ free: 1 }] },
  tree: { name: 't', below: [{ name: 'u' }] },
};
/** What is sent for it. */
const sendable: JsonObject = { ...declared, made: { sent: 'abc' } };
const secret = { _class: 'SECRET', 'first name': 'SECRET', password: { hash: 'SECRET' }, $x: ['SECRET'], size: 'SECRET' };
const stored: JsonObject = {
  ...secret,
  ...declared,
  parts: [{ ...secret, sku: 'v1', inner: { n: 1, ...secret } }, { sku: 'v2', ...secret }],
  one: { kind: 'bolt', ...secret, d: 1 },
  either: { a: 1, ...secret },
  pair: [1, { ...secret, x: 2 }],
  prepared: { ...secret, p: 1 },
  boxes: { b1: { w: 1, ...secret } },
  tree: { ...secret, name: 't', below: [{ ...secret, name: 'u', ...secret }] },
};
const kept: JsonObject = { rev: 3, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(goods, opened, guarded))));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function given(of = goods, document: JsonObject = stored): Promise<string> {
    const id = `g${++made}`;
    await origin.put(of, id, { ...document, ...kept });
    return id;
  }
  /** What a document is, however many revisions it has. */
  const contentOf = ({ id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields }: JsonObject) => fields;
  const rowOf = ({ json }: DirectAnswer, id: string) => (json['data'] as JsonObject[]).find((row) => row['id'] === id);

  test('no answer holds it, at any depth', async () => {
    const id = await given();
    const answers = [
      await origin.ask('get', goods, { id }),
      await origin.ask('patch', goods, { id, body: { name: 'b' } }),
      await origin.ask('replace', goods, { id, body: sendable }),
    ];
    expect(answers.map(({ outcome, json }) => [outcome, contentOf(json)])).toEqual([
      ['found', declared], ['written', { ...declared, name: 'b' }], ['written', declared],
    ]);
    expect(contentOf(rowOf(await origin.ask('list', goods), id) ?? {})).toEqual(declared);
    const { json } = await origin.ask('get', goods, { id, query: '?fields=one,parts' });
    expect(json).toEqual({ id, parts: declared['parts'], one: declared['one'] } as JsonObject);
    expect((await origin.ask('list', goods, { query: '?fields=tree' })).text).not.toContain('SECRET');
    for (const query of ['?fields=_class', '?fields=password', '?_class=SECRET', '?sort=password']) {
      expect((await origin.ask('list', goods, { query })).text).toBe('');
    }
    expect(contentOf((await origin.stored(goods, id)) ?? {})).toEqual({ ...stored, made: { length: 3 } });
  });

  test('neither does one under rules, nor does it make a document wrong', async () => {
    const { made: _made, ...fitting } = stored;
    const { any: _any, made: _alsoMade, ...shown } = declared;
    const id = await given(guarded, { ...fitting, any: 'for staff' });
    const { outcome, json } = await origin.ask('get', guarded, { id });
    expect([outcome, contentOf(json)]).toEqual(['found', shown]);
  });

  test('the tag of an answer is the same whatever is stored beside it', async () => {
    const id = await given(goods, declared);
    const { etag = '', text } = await origin.ask('get', goods, { id });
    const { $x: _x, ...others } = stored;
    await origin.put(goods, id, { ...others, ...kept });
    expect(await origin.ask('get', goods, { id, ifNoneMatch: etag })).toMatchObject({ outcome: 'unchanged' });
    expect((await origin.ask('get', goods, { id })).text).toBe(text);
    expect((await origin.ask('patch', goods, { id, body: { name: 'b' }, ifMatch: etag })).outcome).toBe('written');
  });

  test('live events and replays do not hold it', async () => {
    const feedOf = (lastEventId?: string) => ({ msLeft: 800, parsed: { after: undefined, lastEventId, stream: undefined } });
    const before = await origin.context.store.head();
    const live = origin.ask('changes', goods, feedOf());
    await Bun.sleep(50);
    const id = await given();
    await origin.ask('patch', goods, { id, body: { name: 'b' } });
    const lastEventId = signPosition(before, origin.context.settings.keys[0]);
    for (const { text } of [await live, await origin.ask('changes', goods, feedOf(lastEventId))]) {
      expect(text).toContain('"name":"b"');
      expect(text).not.toContain('SECRET');
    }
  });

  test('a change of it alone is no event', async () => {
    const id = await given(goods, { ...declared, made: `only-${engine}` });
    const live = origin.ask('changes', goods, { msLeft: 900, parsed: { after: undefined, lastEventId: undefined, stream: undefined } });
    await Bun.sleep(50);
    await origin.put(goods, id, { ...declared, made: `only-${engine}`, _class: 'SECRET', ...kept });
    await origin.ask('patch', goods, { id, body: { name: 'seen' } });
    expect((await live).text.match(new RegExp(`event: updated\n.*\n.*only-${engine}`, 'g'))?.length).toBe(1);
  });

  test('a guess of it is refused by its name, right or wrong', async () => {
    for (const body of [
      { _class: 'SECRET' }, { _class: 'wrong' }, { password: null }, { parts: [{ sku: 'v1', _class: 'SECRET' }] },
      { parts: [{ sku: 'v1', _class: 'wrong' }] },
      { one: { kind: 'bolt', d: 1, size: 'SECRET' } }, { one: { kind: 'bolt', d: 1, size: 'wrong' } },
    ]) {
      const id = await given();
      for (const answer of [
        await origin.ask('patch', goods, { id, body }),
        await origin.ask('replace', goods, { id, body: { ...sendable, ...body } }),
      ]) {
        expect([answer.outcome, answer.detail?.endsWith(': unknown field')]).toEqual(['document_invalid', true]);
      }
      for (const onDuplicate of ['reject', 'skip', 'replace', 'merge']) {
        const row = { id, ...sendable, ...body };
        const { text } = await origin.ask('import', goods, { query: `?onDuplicate=${onDuplicate}`, body: row });
        expect(text).toContain('unknown field');
      }
      expect(contentOf((await origin.stored(goods, id)) ?? {})).toEqual(stored);
    }
  });

  test('no other branch takes it up, nor tells that it is wrong there', async () => {
    for (const size of ['SECRET', 7]) {
      const id = await given(goods, { ...stored, one: { kind: 'bolt', d: 1, size, _class: 'SECRET' } });
      const bare = await origin.ask('patch', goods, { id, body: { one: { kind: 'nut' } } });
      expect([bare.outcome, bare.detail]).toEqual(['document_invalid', '/one/size: Invalid input: expected number, received undefined']);
      const whole = await origin.ask('patch', goods, { id, body: { one: { kind: 'nut', size: 8 } } });
      expect([whole.outcome, whole.json['one']]).toEqual(['written', { kind: 'nut', size: 8 }]);
      expect((await origin.stored(goods, id))?.['one']).toEqual({ kind: 'nut', d: 1, size: 8, _class: 'SECRET' });
    }
  });

  test('under the name of a number it is never taken for the id', async () => {
    for (const first of ['SECRET', { SECRET: 1 }]) {
      const id = await given(goods, { ...stored, 9: first, '': 'SECRET' });
      for (const body of [{ name: 'b' }, { name: 'c', parts: [] }]) {
        const written = await origin.ask('patch', goods, { id, body });
        const read = await origin.ask('get', goods, { id });
        expect([written.text, written.etag]).toEqual([read.text, read.etag]);
        expect([written.json['id'], written.text.includes('SECRET')]).toEqual([id, false]);
      }
      expect((await origin.stored(goods, id))?.['9']).toEqual(first);
    }
  });

  test('an opened resource serves it, and takes it back as it was served', async () => {
    const id = await given(opened);
    const { json } = await origin.ask('get', opened, { id });
    expect(contentOf(json)).toEqual(stored);
    expect((await origin.ask('replace', opened, { id, body: { ...json, name: 'b', made: undefined } })).outcome).toBe('written');
    expect((await origin.ask('patch', opened, { id, body: { _class: 'SECRET', name: 'a' } })).outcome).toBe('written');
    expect((await origin.ask('patch', opened, { id, body: { _class: 'other' } })).outcome).toBe('document_invalid');
  });
});

/** A value as its members stand in text, one after the other. */
type Node = { readonly members: readonly (readonly [string, Node])[] } | readonly Node[] | string | number;

const few = fc.constantFrom('a', 'b', 'ü"\\', '\\\\');
const junk: fc.Arbitrary<readonly [string, Node]> = fc.tuple(
  fc.constantFrom('_class', '$x', 'first name', '7', '', 'inner', 'q"\\', 'ü'),
  fc.oneof(few, fc.constant([{ members: [['n', '}]{["']] }]), fc.constant({ members: [['sku', 1], ['deep', [[]]]] })) as fc.Arbitrary<Node>,
);

/** A declared object, and the same with undeclared members anywhere in it. */
function pairOf(members: readonly (readonly [string, fc.Arbitrary<readonly [Node, Node]>])[]): fc.Arbitrary<readonly [Node, Node]> {
  const taken = new Set(members.map(([name]) => name));
  const some = fc.array(junk.filter(([name]) => !taken.has(name)), { maxLength: 2 });
  return fc.tuple(fc.shuffledSubarray([...members]), some).chain(([chosen, last]) =>
    fc.tuple(...chosen.map(([name, value]) => fc.tuple(some, value).map(([others, pair]) => ({ name, others, pair })))).map((found) => [
      { members: found.map(({ name, pair }) => [name, pair[0]] as const) },
      { members: [...found.flatMap(({ name, others, pair }) => [...others, [name, pair[1]] as const]), ...last] },
    ] as const),
  );
}

const same = (value: fc.Arbitrary<Node>) => value.map((node) => [node, node] as const);
const partPair = pairOf([['sku', same(few)], ['inner', pairOf([['n', same(fc.nat(9))]])]]);
const both = ([plain, woven]: readonly [Node, Node], change: (node: Node) => Node) => [change(plain), change(woven)] as const;
const membersOf = (node: Node) => (typeof node === 'object' && 'members' in node ? node.members : []);
const toBolt = (node: Node): Node => ({ members: [['kind', 'bolt'], ...membersOf(node)] });
const boltPair = pairOf([['d', same(fc.nat(9))]]).map((pair) => both(pair, toBolt));
const documentPair = pairOf([
  ['name', same(few)],
  ['parts', fc.array(partPair, { maxLength: 3 }).map((pairs) => [pairs.map(([left]) => left), pairs.map(([, right]) => right)] as const)],
  ['one', boltPair],
  ['boxes', fc.tuple(few, pairOf([['w', same(fc.nat(9))]])).map(([name, pair]) => both(pair, (node) => ({ members: [[name, node]] })))],
  ['any', same(fc.constant({ members: [['_class', [{ members: [['x', 1]] }]]] }))],
]);

function toText(node: Node, gap: string, quoted = JSON.stringify as (name: string) => string): string {
  if (typeof node !== 'object') return JSON.stringify(node);
  if (Array.isArray(node)) return `[${gap}${node.map((each: Node) => toText(each, gap, quoted)).join(`${gap},${gap}`)}${gap}]`;
  const members = membersOf(node).map(([name, each]) => `${quoted(name)}${gap}:${gap}${toText(each, gap, quoted)}`);
  return `{${gap}${members.join(`${gap},${gap}`)}${gap}}`;
}

function cut(text: string): string {
  return declaredIn(goods, new StoredDocument('x', text)).text;
}

describe('the text of a document', () => {
  test('is what is declared in it, byte for byte', () => {
    fc.assert(fc.property(documentPair, ([plain, woven]) => {
      expect(cut(toText(woven, ''))).toBe(toText(plain, ''));
    }), { numRuns: 2_000 });
  });

  test('is read with space in it and with escapes in its names', () => {
    const escaped = (name: string) => `"${[...name].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
    fc.assert(fc.property(documentPair, ([plain, woven]) => {
      for (const quoted of [JSON.stringify, escaped]) {
        expect(JSON.parse(cut(toText(woven, ' \n\t', quoted)))).toEqual(JSON.parse(toText(plain, '')));
      }
    }), { numRuns: 500 });
  });

  test.each([
    ['one where several are declared', { parts: { sku: 'a', ...secret } }, { parts: { sku: 'a' } }],
    ['several where one is', { prepared: [{ p: 1, ...secret }, { ...secret }] }, { prepared: [{ p: 1 }, {}] }],
    ['a value that no branch takes', { flat: { b: 'wrong', ...secret } }, { flat: { b: 'wrong' } }],
    ['a value that a transform takes as little', { cut: { b: 'wrong', ...secret } }, { cut: { b: 'wrong' } }],
  ])('is cut where others stored %s', (_what, others, expected) => {
    expect(cut(JSON.stringify(others))).toBe(JSON.stringify(expected));
  });

  test('that is wholly declared is the stored document itself', () => {
    const document = new StoredDocument('x', ['{"id":"x",', '"name":"a","any":{"x":{}} ,"rev":1}']);
    expect(declaredIn(goods, document)).toBe(document);
  });
});
