/**
 * At random: documents of other programs are written by every operation, and what was not named lies as it lay: the same
 * bytes, types and order (SEMANTICS §16, §17). Once under the names of the wire, once where every member is stored under
 * another, among them those that others have here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource as declare } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import { added, moved } from '../../../shared/versions/changes.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import type { Translation } from '../../../shared/versions/translation.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import { openRawDatabase, type RawDatabase, type RawObject, type RawValue } from '../../support/raw-documents.ts';
import { engines } from '../../support/whole-world.ts';
import { soakFactor } from './soak.ts';
import { waysOf } from './ways-of-writing.ts';

const part = z.object({
  sku: z.string(), at: instant().optional(), price: z.number().optional(),
  inner: z.object({ n: z.number().optional() }).optional(),
});
const declared = {
  id: { kind: 'string', format: z.string() },
  schema: z.object({ name: z.string(), note: z.string().optional(), parts: z.array(part).optional(), one: part.optional() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
  // The older one calls some places otherwise, holds one elsewhere, and has no name for some, at each depth.
  versions: {
    v1: [moved({ title: 'name', 'parts.code': 'parts.sku', 'one.n': 'one.inner.n' }), added('note'), added('one.at'), added('parts.price')],
  },
} as const;
const twoVersions = versions({ name: 'v1' }, { name: 'v2' });

function mustTranslate(resource: Resource): Translation {
  const [v1 = twoVersions.current] = twoVersions.all;
  const translation = translationOf(twoVersions, resource, v1);
  if (translation === undefined) throw new Error('both versions are the same');
  return translation;
}

const goods = declare({ name: 'goods', ...declared });

/** The stored names of members, by the wire names of a document, of a part and of what is in one. */
type Names = readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>, Readonly<Record<string, string>>];
const sameNames: Names = [{}, {}, {}];
const otherNames: Names = [
  { name: 'title', note: 'id', parts: 'Teile "alt"', one: 'name' }, { sku: '_id', at: 'sku', price: 'at', inner: '7up' }, { n: 'n (old)' },
];
const [ofDocument, ofPart, ofInner] = otherNames;
const under = (path: string, level: object) =>
  Object.fromEntries(Object.entries(level).map(([name, stored]) => [`${path}.${name}`, stored]));
const renamed = declare({
  name: 'renamed', collection: 'Waren', ...declared,
  storedAs: {
    ...ofDocument, ...under('parts', ofPart), ...under('one', ofPart), ...under('parts.inner', ofInner), ...under('one.inner', ofInner),
  },
});

/** The stored path of a wire path: numbers lead to elements. */
function toStored(names: Names, path: readonly string[]): readonly string[] {
  let level = 0;
  return path.map((step) => (/^\d+$/.test(step) ? step : (names[level++]?.[step] ?? step)));
}

const names = ['_class', 'first name', '$x', 'Straße', 'a.b', ''] as const;

/** Documents of another program: declared members and others, in any order. */
class Others {
  readonly #random: Random;
  readonly #database: RawDatabase;
  readonly #stored: Names;

  constructor(random: Random, database: RawDatabase, stored: Names) {
    this.#random = random;
    this.#database = database;
    this.#stored = stored;
  }

  document(): RawObject {
    const parts = Array.from({ length: this.#random.below(4) }, (_, index) => this.#part(`v${index}`));
    const declared = [['name', this.#leaf('a')], ['note', this.#leaf('b')], ['parts', parts], ['one', this.#part('o')]] as const;
    return this.#object(0, declared, 'name', this.#database.names);
  }

  #part(sku: string): RawObject {
    const inner = this.#object(2, [['n', this.#leaf(this.#random.below(5))]]);
    const at = this.#leaf('2026-01-01T00:00:00.000Z', true);
    return this.#object(1, [['sku', this.#leaf(sku)], ['at', at], ['price', this.#leaf(1.5)], ['inner', inner]], 'sku');
  }

  #leaf(value: string | number, isInstant = false): RawValue {
    return { leaf: this.#database.toLeaf(value, isInstant) };
  }

  #object(level: 0 | 1 | 2, own: readonly (readonly [string, RawValue])[], required?: string, more: readonly string[] = []): RawObject {
    const stored = this.#stored[level];
    const there = own.filter(([name]) => name === required || this.#random.chance(0.8));
    const members = there.map(([name, value]) => [stored[name] ?? name, value] as const);
    // Others may have something of their own under the name that a member has on the wire alone.
    const taken = new Set(Object.values(stored));
    for (const name of [...names, ...more, ...Object.keys(stored)].filter((each) => !taken.has(each))) {
      if (this.#random.chance(0.3)) members.push([name, this.#other()]);
    }
    const keyed = members.map((member) => [this.#random.below(1_000), member] as const);
    return { members: keyed.sort(([left], [right]) => left - right).map(([, member]) => member) };
  }

  #other(): RawValue {
    const leaf = { leaf: this.#random.pick(this.#database.leaves) };
    return this.#random.pick([leaf, leaf, { members: [['sku', leaf], ['x', leaf]] }, [leaf, { members: [['n', leaf]] }]]);
  }
}

/** One change of a document, as it is sent; and what lies there before and after it, but for what it writes. */
interface Change {
  ofServed(served: JsonObject): JsonObject;
  ofBefore(stored: RawObject): RawObject;
  ofAfter(stored: RawObject): RawObject;
}

const isList = (value: RawValue): value is readonly RawValue[] => Array.isArray(value);

function without(value: RawValue, [name = '', ...rest]: readonly string[]): RawValue {
  if (isList(value)) return value.map((each, at) => (String(at) === name ? without(each, rest) : each));
  if (!('members' in value)) return value;
  const left = value.members.filter(([each]) => each !== name || rest.length > 0);
  return { members: left.map(([each, inner]) => [each, each === name ? without(inner, rest) : inner]) };
}

function withJson(value: Json, [name = '', ...rest]: readonly string[], to: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((each: Json, at) => (String(at) === name ? withJson(each, rest, to) : each));
  const { [name]: inner, ...others } = isJsonObject(value) ? value : {};
  const next = rest.length === 0 ? to : withJson(inner ?? {}, rest, to);
  return next === undefined ? others : { ...others, [name]: next };
}

const asDocument = (value: Json) => (isJsonObject(value) ? value : {});
const asObject = (value: RawValue) => ('members' in value ? value : { members: [] });

function setting(names: Names, path: readonly string[], to: Json | undefined): Change {
  const rest = (stored: RawObject) => asObject(without(stored, toStored(names, path)));
  return { ofServed: (served) => asDocument(withJson(served, path, to)), ofBefore: rest, ofAfter: rest };
}

const partsOf = (served: JsonObject): readonly Json[] => (Array.isArray(served['parts']) ? served['parts'] : []);
const nothing: RawObject = { members: [] };

/** Elements in another order, some gone, and a new one anywhere. */
function moving(names: Names, random: Random, count: number): Change {
  const [list = ''] = toStored(names, ['parts']);
  const keyed = Array.from({ length: count }, (_, at) => [random.below(100), at] as const).filter(() => random.chance(0.8));
  const order = keyed.sort(([left], [right]) => left - right).map(([, at]) => at);
  const added = random.below(order.length + 1);
  const sku = `new-${random.below(2 ** 32)}`;
  const ofParts = (change: (parts: readonly RawValue[]) => readonly RawValue[]) => (stored: RawObject) => ({
    members: stored.members.map(([name, value]) => [name, name === list && isList(value) ? change(value) : value] as const),
  });
  return {
    ofServed: (served) => ({ ...served, parts: order.map((at) => partsOf(served)[at] ?? null).toSpliced(added, 0, { sku }) }),
    ofBefore: ofParts((parts) => order.map((at) => parts[at] ?? nothing).toSpliced(added, 0, nothing)),
    ofAfter: ofParts((parts) => parts.toSpliced(added, 1, nothing)),
  };
}

function randomChange(names: Names, random: Random, served: JsonObject): Change {
  const set = (path: readonly string[], to: Json | undefined) => setting(names, path, to);
  const count = partsOf(served).length;
  const at = String(random.below(Math.max(1, count)));
  const ofPart = [set(['parts', at, 'price'], random.below(100) + 0.25), set(['parts', at, 'inner'], { n: 9 })];
  return random.pick([
    set(['name'], `n${random.below(100)}`), set(['note'], random.chance(0.5) ? undefined : 'other'),
    ...(served['one'] === undefined ? [] : [set(['one', 'price'], random.below(100) + 0.25), set(['one', 'at'], undefined)]),
    ...(count === 0 ? [] : [...ofPart, moving(names, random, count), moving(names, random, count)]),
  ] as const) ?? set(['name'], 'n');
}

const ofTombolo: readonly string[] = ['rev', 'createdAt', 'updatedAt'];
const toComparable = ({ members }: RawObject): RawObject => ({ members: members.filter(([name]) => !ofTombolo.includes(name)) });

const worlds = engines.flatMap((engine) => [
  [engine, 'their own names', goods, sameNames] as const,
  [engine, 'other names', renamed, otherNames] as const,
]);

describe.each(worlds)('on %s, stored under %s', (engine, _named, resource, names) => {
  let database: RawDatabase;
  let origin: DirectOrigin;
  beforeAll(async () => {
    database = await openRawDatabase(engine);
    origin = await DirectOrigin.open(database.variables, contract(twoVersions, resource));
  });
  afterAll(async () => {
    await origin[Symbol.asyncDispose]();
    await database.remove();
  });

  const ways = waysOf(() => origin, resource, mustTranslate(resource));

  test.each(Object.entries(ways))('%s leaves what it does not name as it lies there', async (_way, write) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const others = new Others(random, database, names);
    for (let run = 0; run < 10 * soakFactor; run++) {
      const id = `${engine}-${seed}-${run}`;
      await database.replace(resource.collection, id, others.document());
      for (let step = 0; step < 3; step++) {
        const before = await database.read(resource.collection, id);
        const served = await origin.ask('get', resource, { id });
        const change = randomChange(names, random, served.json);
        const { text } = await write(id, served.json, change.ofServed(served.json));
        const after = await database.read(resource.collection, id);
        const said = { seed, run, step, sent: change.ofServed(served.json), text };
        expect({ ...said, left: toComparable(change.ofAfter(after)) }).toEqual({ ...said, left: toComparable(change.ofBefore(before)) });
        expect(text).toMatch(/^\{"(id|summary)":/);
      }
      const { text, etag } = await origin.ask('patch', resource, { id, body: { name: `last ${run}` } });
      expect(await origin.ask('get', resource, { id })).toMatchObject({ text, etag });
    }
  }, 60_000 * soakFactor);
});
