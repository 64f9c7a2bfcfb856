/** Small contracts made at random: nested schemas, and what older versions of them differ in. Names are used once each. */
import * as z from 'zod';
import { contractMistakes } from '../../shared/checks/contract-mistakes.ts';
import { type Contract, contract } from '../../shared/contract/contract.ts';
import { type Resource, resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { added, type Change, converted, moved } from '../../shared/versions/changes.ts';
import { translationOf } from '../../shared/versions/dialect.ts';
import { versions } from '../../shared/versions/versions.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { Random } from './random.ts';

const three = versions({ name: 'v1', deprecated: '2026-01-01', sunset: '2027-01-01' }, { name: 'v2' }, { name: 'v3' });

const kinds = ['text', 'number', 'texts', 'object', 'list', 'union', 'free'] as const;

interface Member {
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  readonly isOptional: boolean;
  readonly isNullable: boolean;
  /** Of an object, of the elements of a list, and of each branch of a union. */
  readonly branches: readonly (readonly Member[])[];
  readonly type: z.ZodType;
}

export interface RandomContract {
  readonly contract: Contract;
  readonly resource: Resource;
  readonly changes: Readonly<Record<'v1' | 'v2', readonly Change[]>>;
  /** A document without its id that the schema takes. */
  document(): JsonObject;
}

export function randomContract(random: Random): RandomContract {
  const tree = new Tree(random);
  const members = tree.members(3);
  const schema = z.object(shapeOf(members));
  const made = (v1: readonly Change[], v2: readonly Change[]) => {
    const things = resource({
      name: 'things', schema, rules: { read: anyone, write: anyone }, shapes: { all: {} }, versions: { v1: [v1], v2: [v2] },
    });
    return { things, served: contract(three, things) };
  };
  const isRight = (v1: readonly Change[], v2: readonly Change[]) => contractMistakes(made(v1, v2).served).length === 0;
  let v2: readonly Change[] = [];
  for (const change of some(random, 4, () => tree.change(members))) if (isRight([], [...v2, ...change])) v2 = [...v2, ...change];
  const between = translationOf(three, made([], v2).things, three.all[1] ?? three.current)?.levels[0]?.old ?? new Map<string, never>();
  let v1: readonly Change[] = [];
  for (const change of some(random, 2, () => tree.move([...between.keys()]))) if (isRight([...v1, ...change], v2)) v1 = [...v1, ...change];
  const { things, served } = made(v1, v2);
  return { contract: served, resource: things, changes: { v1, v2 }, document: () => tree.valueOf(members) };
}

function some<T>(random: Random, max: number, make: () => T): readonly T[] {
  return Array.from({ length: 1 + random.below(max) }, make);
}

function shapeOf(members: readonly Member[]): Record<string, z.ZodType> {
  return Object.fromEntries(members.map(({ name, type }) => [name, type]));
}

class Tree {
  readonly #random: Random;
  #names = 0;
  #isWhole = false;
  /** Types that stand at one place, and may at another. */
  readonly #used: { readonly type: z.ZodType; readonly branches: Member['branches'] }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  members(depth: number): readonly Member[] {
    return some(this.#random, 3, () => this.#member(depth));
  }

  valueOf(members: readonly Member[]): JsonObject {
    return Object.fromEntries(members.flatMap((member) => this.#given(member).map((value) => [member.name, value])));
  }

  /** One of each kind, wherever it is possible. */
  change(members: readonly Member[]): readonly Change[] {
    const places = placesIn(members, '');
    const place = this.#random.pick(places);
    if (place === undefined) return [];
    const { path, member } = place;
    if (this.#random.chance(0.5)) return this.move(places.map((each) => each.path), path);
    const inBranch = places.some((each) => each.member.kind === 'union' && path.startsWith(`${each.path}.`));
    if (!inBranch && this.#random.chance(0.4)) return added(path, member.isOptional ? undefined : this.#value(member));
    if (member.kind === 'number') return converted(path, this.#random.chance(0.5) ? minutes : digits);
    return member.kind === 'text' ? converted(path, capitals) : [];
  }

  move(paths: readonly string[], from = this.#random.pick(paths)): readonly Change[] {
    if (from === undefined) return [];
    const above = from.split('.').slice(0, -1);
    // Only an object has members.
    const holders = paths.filter((path) => paths.some((each) => each.startsWith(`${path}.`)));
    const elsewhere = this.#random.chance(0.3) ? (this.#random.pick(holders) ?? '').split('.') : [];
    const holder = this.#random.pick([above, above.slice(0, -1), [], [...above, this.#name()], [this.#name()], elsewhere]);
    return moved({ [[...holder, this.#name()].filter((step) => step !== '').join('.')]: from });
  }

  #member(depth: number): Member {
    const random = this.#random;
    const kind = depth === 0 ? random.pick(['text', 'number', 'texts'] as const) : random.pick(kinds);
    const used = kind === 'object' && random.chance(0.4) ? random.pick(this.#used) : undefined;
    const branches = used?.branches ?? this.#branches(kind, depth - 1);
    const plain = used?.type ?? this.#typeOf(kind, branches);
    if (kind === 'object' && used === undefined) this.#used.push({ type: plain, branches });
    const [isOptional, isNullable] = [random.chance(0.4), random.chance(0.3)];
    const member = { name: this.#name(), kind, isOptional, isNullable, branches, type: plain };
    return { ...member, type: this.#wrapped(member) };
  }

  #branches(kind: Member['kind'], depth: number): Member['branches'] {
    if (kind === 'object' || kind === 'list') return [this.members(depth)];
    if (kind !== 'union') return [];
    const [shared, tag] = [this.#member(0), this.#name()];
    const tagged = (word: string): Member =>
      ({ name: tag, kind: 'text', isOptional: false, isNullable: false, branches: [], type: z.literal(word) });
    return [[tagged('a'), shared, ...this.members(0)], [tagged('b'), shared]];
  }

  #typeOf(kind: Member['kind'], branches: Member['branches']): z.ZodType {
    const [first, second] = branches.map((members) => z.object(shapeOf(members)));
    switch (kind) {
      case 'text': return z.string();
      case 'number': return z.number();
      case 'texts': return z.array(z.string());
      case 'free': return z.record(z.string(), z.string());
      case 'list': return z.array(first ?? z.object({}));
      case 'union': return z.discriminatedUnion(Object.keys(first?.shape ?? {})[0] ?? '', [first ?? z.object({}), second ?? z.object({})]);
      // A type with an id is described once, and referred to.
      case 'object': return (first ?? z.object({})).meta(this.#random.chance(0.5) ? { id: `random-${crypto.randomUUID()}` } : {});
    }
  }

  #wrapped(member: Member): z.ZodType {
    const { isOptional, isNullable, type } = member;
    const value = () => this.#whole(() => this.#valueIn(member));
    const shown = this.#random.chance(0.3) ? type.meta({ examples: [value(), value()] }) : type;
    const nullable = isNullable ? shown.nullable() : shown;
    if (!isOptional) return nullable;
    return this.#random.chance(0.3) ? nullable.default(value()) : nullable.optional();
  }

  /** A default stands for itself, without the defaults of its own members. */
  #whole(value: () => Json): Json {
    this.#isWhole = true;
    const made = value();
    this.#isWhole = false;
    return made;
  }

  /** None, where it is left away. */
  #given(member: Member): readonly Json[] {
    return !this.#isWhole && member.isOptional && this.#random.chance(0.4) ? [] : [this.#value(member)];
  }

  #value(member: Member): Json {
    return member.isNullable && this.#random.chance(0.3) ? null : this.#valueIn(member);
  }

  #valueIn({ kind, branches, type }: Member): Json {
    const random = this.#random;
    switch (kind) {
      case 'text': return type instanceof z.ZodLiteral ? String(type.value) : random.pick(['a', 'b', 'cc']);
      case 'number': return 60 * random.below(4);
      case 'texts': return some(random, 2, () => random.pick(['a', 'b']));
      case 'free': return random.chance(0.5) ? {} : { [`n${random.below(9)}`]: 'x' };
      case 'list': return some(random, 2, () => this.valueOf(branches[0] ?? []));
      case 'union':
      case 'object': return this.valueOf(random.pick(branches) ?? []);
    }
  }

  #name(): string {
    this.#names += 1;
    return `n${this.#names}`;
  }
}

function placesIn(members: readonly Member[], above: string): readonly { readonly path: string; readonly member: Member }[] {
  return members.flatMap((member) => {
    const path = above === '' ? member.name : `${above}.${member.name}`;
    return [{ path, member }, ...member.branches.flatMap((branch) => placesIn(branch, path))];
  });
}

const minutes = { schema: z.number(), up: (value: Json) => Number(value) * 60, down: (value: Json) => Number(value) / 60, ordered: true };
const digits = { schema: z.string().regex(/^\d+$/), up: (value: Json) => Number(value), down: (value: Json) => String(value) };
const capitals = {
  schema: z.enum(['A', 'B', 'CC']), up: (value: Json) => String(value).toLowerCase(), down: (value: Json) => String(value).toUpperCase(),
};
