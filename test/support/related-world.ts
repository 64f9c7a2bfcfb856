/** Resources that lead to one another, under random rules, with a slow interpreter of what `expand` shows of them. */
import * as z from 'zod';
import { contract, type Contract } from '../../shared/contract/contract.ts';
import { mustBeSound } from '../../shared/checks/sound.ts';
import { many, to } from '../../shared/contract/relations.ts';
import { type Resource, resource } from '../../shared/contract/resource.ts';
import { any, anyone, equals, nobody, owner, reduce, role, type Rule, satisfies } from '../../shared/contract/rules.ts';
import type { Mutation } from '../../origin/store/store.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import { DirectOrigin } from './direct-origin.ts';
import type { Random } from './random.ts';
import type { Engine } from './whole-world.ts';

const id = { kind: 'string', format: z.string() } as const;
export const plain = { id, rev: false, createdAt: false, updatedAt: false } as const;
export const own = { n: z.int(), open: z.boolean(), by: z.string() };
/** What is removed stays, with a field that says since when. */
const removal = { at: 'gone' } as const;

const rowRules: readonly [Rule, ...Rule[]] = [
  anyone, owner('by'), equals('open', true), any(equals('open', true), owner('by')), role('auditor'), nobody,
];
const fieldRules: readonly (Rule | undefined)[] = [undefined, undefined, equals('open', true), role('auditor'), owner('by')];

export function toContract(random: Random): Contract {
  const rules = () => ({ read: random.chance(0.4) ? anyone : random.pick(rowRules) });
  const hiding = (field: string) => {
    const read = random.pick(fieldRules);
    return read === undefined ? {} : { fieldRules: { [field]: { read } } };
  };
  return contract(
    resource({
      ...plain, name: 'films', schema: z.object({ ...own, studio: z.string().optional(), cast: z.array(z.string()) }),
      rules: { read: anyone }, ...hiding(random.pick(['studio', 'cast'])), removal, shapes: { all: { sort: ['n'] } },
      relations: {
        reviews: many('reviews', 'film', { limit: 3 }), studio: to('studios', 'studio'), actors: to('people', 'cast', { limit: 2 }),
      },
    }),
    resource({
      ...plain, name: 'reviews', schema: z.object({ ...own, film: z.string().optional() }), rules: rules(), ...hiding('film'),
      removal, shapes: { byFilm: { equal: ['film'], sort: ['-n'] } },
      relations: { film: to('films', 'film'), theFilm: to('films', 'film') },
    }),
    resource({
      ...plain, name: 'people', schema: z.object(own), rules: rules(), shapes: { all: {} },
      relations: { films: many('films-of', 'lead', { limit: 2 }) },
    }),
    resource({
      ...plain, name: 'films-of', schema: z.object({ ...own, lead: z.array(z.string()) }), rules: rules(),
      shapes: { byLead: { equal: ['lead'], sort: ['n'] } },
    }),
    resource({ ...plain, name: 'studios', schema: z.object(own), rules: rules(), ...hiding('n'), removal, shapes: { all: {} } }),
  );
}

export const names = ['films', 'reviews', 'people', 'films-of', 'studios'] as const;
export type Name = (typeof names)[number];
type Stored = Map<Name, Map<string, JsonObject>>;

export function toDocument(random: Random, name: Name): JsonObject {
  const one = (of: string) => (random.chance(0.15) ? 'none' : `${of}${random.below(5)}`);
  const common = { n: random.below(6), open: random.chance(0.5), by: random.pick(['ada', 'eve']) };
  const gone = random.chance(0.15) ? { gone: '2026-11-01T00:00:00.000Z' } : {};
  switch (name) {
    case 'films':
      return {
        ...common, ...gone, cast: Array.from({ length: random.below(8) }, () => one('people')),
        ...(random.chance(0.8) ? { studio: one('studios') } : {}),
      };
    case 'reviews':
      return { ...common, ...gone, ...(random.chance(0.9) ? { film: one('films') } : {}) };
    case 'films-of':
      return { ...common, lead: [one('people'), one('people')] };
    case 'studios':
      return { ...common, ...gone };
    default:
      return common;
  }
}

export const principals: readonly Principal[] = [
  anonymous, { subject: 'ada', roles: [], claims: {} }, { subject: 'eve', roles: ['auditor'], claims: {} },
];

export const expands = [
  'reviews', 'studio', 'actors', 'reviews,studio', 'actors.films', 'reviews.theFilm,actors,studio', 'reviews.film',
  'studio,actors.films,reviews',
] as const;

/** The slow interpreter. */
class Naive {
  readonly #contract: Contract;
  readonly #stored: Stored;
  readonly #principal: Principal;

  constructor(given: Contract, stored: Stored, principal: Principal) {
    this.#contract = given;
    this.#stored = stored;
    this.#principal = principal;
  }

  /** `undefined`: refused, since a list would be asked by a field that is hidden somewhere. */
  shown(name: Name, key: string, ways: readonly string[]): JsonObject | undefined {
    const document = this.#stored.get(name)?.get(key);
    if (document === undefined) throw new Error(`${name}/${key} is not there`);
    const shown: Record<string, Json> = { ...this.#seen(this.#resource(name), key, document) };
    const seen = { ...shown };
    for (const [first, rest] of Map.groupBy(ways.map((way) => way.split('.')), ([head = '']) => head)) {
      const below = rest.map((way) => way.slice(1).join('.')).filter((way) => way !== '');
      const member = this.#member(name, key, seen, first, below);
      if (member === undefined) return undefined;
      shown[first] = member;
    }
    return shown;
  }

  #member(name: Name, key: string, seen: JsonObject, relation: string, below: readonly string[]): Json | undefined {
    const { kind, of, field, limit } = this.#resource(name).relations[relation] ?? { kind: 'to', of: '', field: '', limit: 0 };
    const target = this.#resource(of as Name);
    const show = (ids: readonly string[]) => ids.map((each) => this.shown(of as Name, each, below));
    const orRefused = (found: readonly (JsonObject | undefined)[], make: () => Json) =>
      this.isRefused(target, below) || found.some((each) => each === undefined) ? undefined : make();
    const held = seen[field];
    if (kind === 'to') {
      const ids = [...new Set((Array.isArray(held) ? held : held === undefined ? [] : [held]).map(String))];
      const looked = ids.slice(0, limit * limits.expandIdsPerDocument);
      const found = show(looked.filter((each) => this.#isSeen(target, each)).slice(0, limit));
      return orRefused(found, () => (this.#isArray(name, field) ? (found as Json) : (found[0] ?? null)));
    }
    if (this.isGuarded(target, field)) return undefined;
    const listed = [...(this.#stored.get(of as Name) ?? [])]
      .filter(([each, document]) => [document[field]].flat().includes(key) && this.#isSeen(target, each))
      .sort(([a, left], [b, right]) => {
        const sign = of === 'reviews' ? -1 : 1;
        return sign * (Number(left['n']) - Number(right['n']) || (a < b ? -1 : 1));
      })
      .slice(0, limit);
    const found = show(listed.map(([each]) => each));
    return orRefused(found, () => found as Json);
  }

  /** Whether a relation is asked for somewhere that lists by a field which this caller may not ask by. */
  isRefused(own: Resource, ways: readonly string[]): boolean {
    return ways.some((way) => {
      const [first = '', ...rest] = way.split('.');
      const { kind, of, field } = own.relations[first] ?? { kind: 'to', of: '', field: '' };
      const target = this.#resource(of as Name);
      return (kind === 'many' && this.isGuarded(target, field)) || (rest.length > 0 && this.isRefused(target, [rest.join('.')]));
    });
  }

  isGuarded(target: Resource, field: string): boolean {
    const read = target.fieldRules[field]?.read;
    return read !== undefined && reduce(read, this.#principal) !== true;
  }

  #isArray(name: Name, field: string): boolean {
    return this.#resource(name).fields.get(field)?.kind === 'array';
  }

  #isSeen({ name, rules }: Resource, key: string): boolean {
    const document = this.#stored.get(name as Name)?.get(key);
    return document !== undefined && document['gone'] === undefined && satisfies(document, reduce(rules.read, this.#principal));
  }

  #seen(own: Resource, key: string, document: JsonObject): JsonObject {
    const isShown = (field: string) => {
      const read = own.fieldRules[field]?.read;
      return read === undefined || satisfies(document, reduce(read, this.#principal));
    };
    return { id: key, ...Object.fromEntries(Object.entries(document).filter(([field]) => isShown(field))) };
  }

  #resource(name: Name): Resource {
    const found = this.#contract.resources.get(name);
    if (found === undefined) throw new Error(`"${name}" is not served`);
    return found;
  }
}

export class World implements AsyncDisposable {
  readonly #origin: DirectOrigin;
  readonly contract: Contract;
  readonly stored: Stored = new Map(names.map((name) => [name, new Map()]));

  private constructor(origin: DirectOrigin, given: Contract) {
    this.#origin = origin;
    this.contract = given;
  }

  static async open(engine: Engine, random: Random): Promise<World> {
    const given = toContract(random);
    mustBeSound(given);
    const world = new World(await DirectOrigin.on(engine, given), given);
    for (const name of names) {
      for (let at = 0; at < (name === 'reviews' ? 12 : 5); at++) await world.put(name, `${name}${at}`, toDocument(random, name));
    }
    return world;
  }

  resource(name: Name): Resource {
    const found = this.contract.resources.get(name);
    if (found === undefined) throw new Error(`"${name}" is not served`);
    return found;
  }

  async put(name: Name, key: string, document: JsonObject): Promise<void> {
    await this.#origin.put(this.resource(name), key, document);
    this.stored.get(name)?.set(key, document);
  }

  async remove(name: Name, key: string): Promise<void> {
    const mutation: Mutation = { resource: this.resource(name), id: key, decide: () => ({ kind: 'remove' }) };
    await this.#origin.context.store.write([mutation], { deadline: Date.now() + 5_000 });
    this.stored.get(name)?.delete(key);
  }

  ask(operation: 'list' | 'get', name: Name, asking: { readonly id?: string; readonly query: string; readonly principal: Principal }) {
    return this.#origin.ask(operation, this.resource(name), asking);
  }

  naive(principal: Principal): Naive {
    return new Naive(this.contract, this.stored, principal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin[Symbol.asyncDispose]();
  }
}
