/** Random patches beside naive interpreters; of JSON Patches one that changes whole documents in place, hidden members and all. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { Edit } from '../../../shared/changes/edit.ts';
import { applyJsonPatch, jsonPatchBody } from '../../../shared/changes/json-patch.ts';
import { applyChanges, changesBody } from '../../../shared/changes/operators.ts';
import { toldElements } from '../../../shared/contract/elements.ts';
import { isSameJson } from '../../../shared/contract/settled.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';

/** What nobody sees of an element: a patch brings none. */
const hidden = 's';

type Mutable = { [name: string]: unknown } | unknown[];

interface Step {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** An element that a patch replaced by no object: it is still that element, and an object in its place has what was hidden. */
class Bare {
  readonly value: unknown;
  readonly [hidden]: unknown;

  constructor(value: unknown, secret: unknown) {
    this.value = value;
    this[hidden] = secret;
  }
}

function shown(value: unknown): unknown {
  if (value instanceof Bare) return value.value;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== hidden).map(([name, each]) => [name, shown(each)]));
}

/** Throws for whatever cannot be done. */
class Naive {
  root: unknown;

  constructor(root: unknown) {
    this.root = structuredClone(root);
  }

  apply({ op, path, from = '', value }: Step): void {
    if (op === 'add') this.#add(path, structuredClone(value));
    else if (op === 'remove') this.#remove(path);
    else if (op === 'replace') this.#replace(path, structuredClone(value));
    else if (op === 'test') this.#mustBe(path, value);
    else if (op === 'copy') this.#add(path, structuredClone(shown(this.#get(from))));
    else this.#move(from, path);
  }

  #move(from: string, path: string): void {
    const moved = this.#get(from);
    if (path === from) return;
    if (path.startsWith(`${from}/`)) throw new Error('into itself');
    const above = (pointer: string) => pointer.slice(0, pointer.lastIndexOf('/'));
    const stays = above(from) === above(path) && Array.isArray(this.#get(above(from)));
    this.#remove(from);
    this.#add(path, stays ? moved : shown(moved));
  }

  #holder(path: string): readonly [Mutable, string] {
    const steps = path.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop();
    if (last === undefined) throw new Error('a whole document');
    let holder = this.root;
    for (const step of steps) holder = member(holder, step);
    if (typeof holder !== 'object' || holder === null || holder instanceof Bare) throw new Error('no holder');
    return [holder as Mutable, last];
  }

  #get(path: string): unknown {
    if (path === '') return this.root;
    return member(...this.#holder(path));
  }

  #add(path: string, value: unknown): void {
    const [holder, step] = this.#holder(path);
    if (!Array.isArray(holder)) holder[step] = value;
    else if (step === '-') holder.push(value);
    else holder.splice(index(step, holder.length), 0, value);
  }

  #remove(path: string): void {
    const [holder, step] = this.#holder(path);
    member(holder, step);
    if (Array.isArray(holder)) holder.splice(Number(step), 1);
    else delete holder[step];
  }

  #replace(path: string, value: unknown): void {
    const [holder, step] = this.#holder(path);
    const old = member(holder, step);
    const isElement = Array.isArray(holder) && isObject(old) && hidden in old;
    (holder as Record<string, unknown>)[step] = isElement ? withSecret(value, old[hidden]) : value;
  }

  #mustBe(path: string, value: unknown): void {
    if (!isSameJson(shown(this.#get(path)) as Json, value as Json)) throw new Error('is another');
  }
}

function withSecret(value: unknown, secret: unknown): unknown {
  return isObject(value) ? { ...value, [hidden]: secret } : new Bare(value, secret);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function index(step: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(step) || Number(step) > last) throw new Error('no index');
  return Number(step);
}

function member(holder: unknown, step: string): unknown {
  if (Array.isArray(holder)) return holder[index(step, holder.length - 1)] as unknown;
  if (!isObject(holder) || !Object.hasOwn(holder, step)) throw new Error('no member');
  return holder[step];
}

/** The edited elements with what was hidden in the stored ones that they are told to be. */
function withHidden(elements: readonly Json[], stored: readonly JsonObject[]): readonly Json[] {
  const told = toldElements(elements) ?? elements.map((_, at) => at);
  return elements.map((element, at) => {
    const secret = stored[told[at] ?? -1]?.[hidden];
    return secret === undefined || !isJsonObject(element) ? element : { ...element, [hidden]: secret };
  });
}

const path = fc.constantFrom(
  '/n', '/a', '/o', '/o/x', '/o/y', '/list', '/list/0', '/list/1', '/list/2', '/list/-', '/list/0/k', '/list/1/k', '/list/2/more',
  '/other/0', '/other/1', '/other/-', '/o/a~1b', '/m~0n', '/list/01', '/nowhere/x', '/n/x', '',
);
const inside = path.filter((each) => each !== '/list' && each !== '');
const value = fc.oneof(
  fc.nat(3), fc.constantFrom(null, 'x', true), fc.record({ k: fc.nat(9) }), fc.array(fc.nat(2), { maxLength: 2 }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: inside, value }),
  fc.record({ op: fc.constant('remove'), path: inside }),
  fc.record({ op: fc.constantFrom('move', 'copy'), from: path.filter((each) => each !== '/list'), path: inside }),
);

test('a random JSON Patch does what a naive interpreter does, and what is hidden goes where its element goes', () => {
  let [done, refused] = [0, 0];
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const list = [{ k: 1, s: 'one' }, { k: 2, s: 'two' }, { k: 1, s: 'three', more: { z: 1 } }];
      const whole = { n: 1, o: { x: 1, 'a/b': 2 }, list, other: [1, { k: 1 }] };
      const naive = new Naive(whole);
      const expected = outcomeOf(() => steps.forEach((each) => naive.apply(each)));
      const edit = new Edit(shown(whole) as JsonObject, { hidden: [], kept: [] });
      const actual = outcomeOf(() => applyJsonPatch(edit, jsonPatchBody.parse(steps)));
      expect([steps, actual]).toEqual([steps, expected]);
      if (actual === 'refused') return void refused++;
      done++;
      expect(edit.document).toEqual(shown(naive.root) as JsonObject);
      const elements = edit.document['list'];
      if (Array.isArray(elements)) {
        const { list: whole } = naive.root as { readonly list: readonly (Json | Bare)[] };
        const kept = whole.map((each) => (each instanceof Bare ? (each.value as Json) : each));
        expect({ steps, list: withHidden(elements as readonly Json[], list) }).toEqual({ steps, list: kept });
      }
    }),
    { numRuns: 2_000 },
  );
  expect(Math.min(done, refused)).toBeGreaterThan(100);
});

type Operate = (old: unknown, operand: never) => unknown;

/** What becomes of a number or of an array, by the words of SEMANTICS §17; `undefined`: nothing stands there. */
const operates: Readonly<Record<string, Operate>> = {
  set: (_old, given: unknown) => given,
  unset: () => undefined,
  increment: (old, by: number) => ((old as number | undefined) ?? 0) + by,
  multiply: (old, by: number) => ((old as number | undefined) ?? 0) * by,
  min: (old, end: number) => Math.min((old as number | undefined) ?? end, end),
  max: (old, end: number) => Math.max((old as number | undefined) ?? end, end),
  append: (old, more: number[]) => [...((old as number[] | undefined) ?? []), ...more],
  addToSet: (old, more: number[]) => {
    const list = [...((old as number[] | undefined) ?? [])];
    for (const each of more) if (!list.includes(each)) list.push(each);
    return list.length === 0 ? old : list;
  },
  remove: (old, those: number[]) => (old as number[] | undefined)?.filter((each) => !those.includes(each)),
  removeWhere: (old, { k }: { k: number }) => (old as { k: number }[] | undefined)?.filter((each) => each.k !== k),
};

const small = fc.nat(3);
const some = fc.array(small, { minLength: 1, maxLength: 3 });
const onNumber = fc.oneof(
  fc.record({ operator: fc.constantFrom('set', 'increment', 'multiply', 'min', 'max'), operand: small }),
  fc.record({ operator: fc.constant('unset'), operand: fc.constant(true) }),
);
const onArray = fc.record({ operator: fc.constantFrom('append', 'addToSet', 'remove'), operand: some });
const onObjects = fc.record({ operator: fc.constant('removeWhere'), operand: fc.record({ k: small }) });

/** Anything may stand anywhere. */
const free = { fields: new Map(), schema: z.looseObject({}), extra: 'serve' } as const;

test('random operators do what their words say, each at its place', () => {
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const objects = fc.array(fc.record({ k: small }));
  const documents = fc.record({ n: optional(small), m: optional(small), l: optional(some), e: optional(objects) });
  const operations = fc.record({ n: onNumber, m: onNumber, l: onArray, e: onObjects });
  fc.assert(fc.property(documents, operations, (given, asked) => {
    const document = JSON.parse(JSON.stringify(given)) as JsonObject;
    const places = Object.entries(asked) as [string, { operator: string; operand: Json }][];
    const body = Map.groupBy(places, ([, { operator }]) => operator);
    const sent = Object.fromEntries([...body].map(([operator, each]) => [
      operator, Object.fromEntries(each.map(([name, { operand }]) => [name, operand])),
    ]));
    const expected = { ...document, ...Object.fromEntries(places.map(([name, { operator, operand }]) =>
      [name, operates[operator]?.(document[name], operand as never)])) };
    const edit = new Edit(document, { hidden: [], kept: [] });
    applyChanges(edit, changesBody.parse(sent), free);
    expect([sent, edit.document]).toEqual([sent, JSON.parse(JSON.stringify(expected)) as JsonObject]);
  }), { numRuns: 2_000 });
});

function outcomeOf(run: () => void): 'done' | 'refused' {
  try {
    run();
    return 'done';
  } catch (thrown) {
    if (thrown instanceof TypeError || thrown instanceof RangeError) throw thrown;
    return 'refused';
  }
}

describe('a patch of many elements', () => {
  const many = Array.from({ length: 100_000 }, (_, at) => at);
  const edited = (document: JsonObject, body: JsonObject) => {
    const edit = new Edit(document, { hidden: [], kept: [] });
    applyChanges(edit, body, free);
    return edit.document['a'] as readonly Json[];
  };

  test('is work of so many, not of their square', () => {
    expect(edited({ a: many }, { append: { a: many } }).length).toBe(200_000);
    expect(edited({ a: many }, { addToSet: { a: many } }).length).toBe(100_000);
    expect(edited({ a: many }, { remove: { a: many.slice(1) } })).toEqual([0]);
    expect(() => edited({ a: 1 }, { append: { a: [1] } })).toThrow(Fault);
  });

  test('nor is one of many members, which leaves the document that was given as it was', () => {
    const of = (value: Json) => Object.fromEntries(many.slice(0, 20_000).map((at) => [`m${at}`, value]));
    const given = Object.freeze(of(0));
    const places = (value: Json) => Object.fromEntries(Object.entries(of(value)).map(([name, each]) => [`a.${name}`, each]));
    expect(edited({ a: given }, { set: places(1) })).toEqual(of(1) as never);
    expect(edited({ a: given }, { unset: places(true) })).toEqual({} as never);
    const elements = [...many.slice(0, 20_000), given];
    expect(edited({ a: elements }, { setWhere: { a: { match: { m1: 0 }, set: of(1) } } }).at(-1)).toEqual(of(1));
    expect([given['m1'], elements.at(-1)]).toEqual([0, given]);
  });

  test('a place leads through as many levels as a document has, however it is written', () => {
    const steps = (levels: number) => Array.from({ length: levels }, () => 'a');
    const takes = (body: object) => changesBody.safeParse(body).success;
    const bodies = (levels: number) => [
      { set: { [steps(levels).join('.')]: 1 } }, { set: { [`/${steps(levels).join('/')}`]: 1 } },
      { removeWhere: { a: { [steps(levels).join('.')]: 1 } } }, { setWhere: { a: { match: 1, set: { [steps(levels).join('.')]: 1 } } } },
      { setWhere: { a: { match: { [steps(levels).join('.')]: 1 }, set: 1 } } },
    ];
    expect([bodies(64).map(takes), bodies(65).map(takes)]).toEqual([bodies(64).map(() => true), bodies(65).map(() => false)]);
  });
});
