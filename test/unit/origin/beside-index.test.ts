/** What no index answers: `ne`, `nin`, `exists` and `contains`, looked for within a budget, page by page (SEMANTICS §6). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role } from '../../../shared/contract/rules.ts';
import { binary, decimal } from '../../../shared/contract/types.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { naiveValue, naiveValues } from '../../support/naive-path.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const budget = 7;
const things = resource({
  name: 'things', id: { kind: 'string', format: z.string() },
  schema: z.object({
    shelf: z.string().nullable().optional(), size: z.number().nullable().optional(), open: z.boolean().nullable().optional(),
    price: decimal().nullable().optional(), key: binary().optional(),
    tags: z.array(z.string()).nullable().optional(), prices: z.array(decimal()).optional(),
    imdb: z.object({ rating: z.number().nullable().optional() }).optional(),
    grades: z.array(z.object({ grade: z.string().nullable().optional(), by: z.array(z.string()).optional() })).optional(),
  }),
  rules: { read: anyone, write: anyone },
  shapes: {
    all: { sort: ['size'], range: 'size', examined: budget, beside: [
      'shelf', 'size', 'open', 'price', 'key', 'tags', 'prices', 'imdb.rating', 'grades.grade', 'grades.by', 'id',
    ] },
    ofTag: { equal: ['tags'], sort: ['-size', 'id'], examined: budget, beside: ['tags', 'shelf', 'grades.grade'] },
    ofGrade: { equal: ['grades.grade', 'shelf'], examined: budget, beside: ['grades.grade', 'size'] },
  },
});

type Operator = 'ne' | 'nin' | 'exists' | 'contains';
interface Condition {
  readonly field: string;
  readonly operator: Operator;
  /** As they are written in a query. */
  readonly texts: readonly string[];
}

/** By field: what may be asked, as it is written. */
const asked: Readonly<Record<string, readonly string[]>> = {
  shelf: ['a', 'b', 'none'], size: ['0', '1', '2', '1.5'], open: ['true', 'false'], price: ['0.1', '80', '0.10'], key: ['AA', 'AAE'],
  tags: ['x', 'y', 'z'], prices: ['80', '0.1'], 'imdb.rating': ['1', '2'], 'grades.grade': ['A', 'B', 'C'], 'grades.by': ['ann', 'bob'],
  id: ['d001', 'd002'],
};
const many = ['tags', 'prices', 'grades.grade', 'grades.by'];

function documentOf(random: Random): JsonObject {
  const some = (values: readonly Json[]): Json => values.filter(() => random.chance(0.7));
  const grade = (): JsonObject => maybe({ grade: ['A', 'B', 'C', null], by: [['ann'], ['ann', 'bob'], []] });
  return maybe({
    shelf: ['a', 'b', 'a', null], size: [0, 1, 2, 1.5, null], open: [true, false, null],
    price: ['0.1', '80', '80.00', null], key: ['AA', 'AAE'], tags: [some(['x', 'y', 'z']), ['x'], null],
    prices: [['80.00'], ['0.1', '80'], []], imdb: [{ rating: 1 }, { rating: null }, {}, { rating: 2 }],
    grades: [[grade(), grade()], [grade()], []],
  });

  function maybe(choices: Readonly<Record<string, readonly Json[]>>): JsonObject {
    return Object.fromEntries(Object.entries(choices).flatMap(([name, values]): [string, Json][] =>
      (random.chance(0.2) ? [] : [[name, random.pick(values) ?? null]])));
  }
}

function isSame(value: Json | undefined, text: string, field: string): boolean {
  if (value === undefined || value === null || typeof value === 'object') return false;
  if (field === 'price' || field === 'prices') return typeof value === 'string' && Number(value) === Number(text);
  if (field === 'size' || field === 'imdb.rating') return value === Number(text);
  return field === 'open' ? value === (text === 'true') : value === text;
}

function naiveMeets(document: JsonObject, { field, operator, texts }: Condition): boolean {
  const values = many.includes(field) ? naiveValues(document, field) : [naiveValue(document, field)];
  const has = (text: string) => values.some((value) => isSame(value, text, field));
  if (operator === 'contains') return texts.every(has);
  if (operator === 'ne' || operator === 'nin') return !texts.some(has);
  const isThere = field.startsWith('grades') ? values.some((value) => value !== null) : (naiveValue(document, field) ?? null) !== null;
  return isThere === (texts[0] === 'true');
}

function conditionOf(random: Random, fields: readonly string[]): Condition {
  const field = random.pick(fields) ?? '';
  const operator = random.pick<Operator>(many.includes(field) ? ['ne', 'nin', 'exists', 'contains'] : ['ne', 'nin', 'exists']) ?? 'ne';
  const one = () => random.pick(operator === 'exists' ? ['true', 'false'] : (asked[field] ?? [])) ?? '';
  return { field, operator, texts: operator === 'nin' || operator === 'contains' ? [...new Set([one(), one()])] : [one()] };
}

interface Page {
  readonly data: readonly { readonly id: string }[];
  readonly page: { readonly next: string | null; readonly prev: string | null; readonly total?: number; readonly totalIsMinimum?: true };
}

describe.each([...engines])('beside the index, on %s', (engine) => {
  const documents = new Map<string, JsonObject>();
  let origin: DirectOrigin;
  let listed: number[] = [];
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(things));
    const random = new Random(13);
    for (let index = 0; index < 45; index++) documents.set(`d${String(index).padStart(3, '0')}`, documentOf(random));
    for (const [id, document] of documents) await origin.put(things, id, document);
    const { store } = origin.context;
    const counting: typeof store.list = async (...given) => {
      const read = await store.list(...given);
      listed.push(read.value.length);
      return read;
    };
    origin.change({ store: new Proxy(store, { get: (target, name) => (name === 'list' ? counting : bound(target, name)) }) });
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  function bound(target: object, name: string | symbol): unknown {
    const member: unknown = Reflect.get(target, name);
    return typeof member === 'function' ? member.bind(target) : member;
  }

  async function list(query: string): Promise<Page> {
    listed = [];
    const answer = await origin.ask('list', things, { query });
    expect([query, answer.outcome, answer.detail]).toEqual([query, 'found', undefined]);
    return JSON.parse(answer.text) as Page;
  }

  test('pages give what looking into everything gives, and each looks into no more than its budget', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    for (let round = 0; round < 20; round++) {
      const ofTag = random.chance(0.4) ? (random.pick(['x', 'y']) ?? 'x') : undefined;
      const fields = ofTag === undefined ? Object.keys(asked) : ['tags', 'shelf', 'grades.grade'];
      const drawn = [conditionOf(random, fields), ...(random.chance(0.5) ? [conditionOf(random, fields)] : [])];
      const kinds = new Map(drawn.map((each) => [`${each.field} ${each.operator === 'ne' ? 'nin' : each.operator}`, each]));
      const conditions = [...kinds.values()];
      const query = [
        ...(ofTag === undefined ? [] : [`tags=${ofTag}`]),
        ...conditions.map(({ field, operator, texts }) => `${field}[${operator}]=${texts.join()}`),
        `limit=${1 + random.below(6)}`,
      ].join('&');
      const expected = [...documents].filter(([id, document]) => {
        const tagged = ofTag === undefined || naiveValues(document, 'tags').includes(ofTag);
        return tagged && conditions.every((each) => naiveMeets({ id, ...document }, each));
      }).map(([id]) => id);
      const pages: string[][] = [];
      let at: Page['page'] | undefined;
      do {
        const { data, page } = await list(`?${query}${at === undefined ? '' : `&after=${at.next}`}`);
        expect([seed, query, listed.reduce((sum, count) => sum + count, 0) <= budget]).toEqual([seed, query, true]);
        pages.push(data.map(({ id }) => id));
        at = page;
      } while (at.next !== null && pages.length < 200);
      expect([seed, query, pages.flat().toSorted()]).toEqual([seed, query, expected]);
      const backwards: string[] = [...(pages.at(-1) ?? [])];
      while (at.prev !== null) {
        const { data, page } = await list(`?${query}&after=${at.prev}`);
        backwards.unshift(...data.map(({ id }) => id));
        at = page;
      }
      expect([seed, query, backwards]).toEqual([seed, query, pages.flat()]);
    }
  }, 60_000);

  async function ids(query: string): Promise<readonly string[]> {
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { data, page } = await list(`?${query}${after}`);
      seen.push(...data.map(({ id }) => id));
      if (page.next === null) return seen.toSorted();
      after = `&after=${page.next}`;
    }
  }

  test('ne is the exact complement of =, exists=false finds what is missing and null', async () => {
    const tagged = await ids('tags=x');
    expect(tagged.length).toBeGreaterThan(10);
    expect(await ids('tags[ne]=x')).toEqual([...documents.keys()].filter((id) => !tagged.includes(id)));
    expect(await ids('size[exists]=false')).toEqual([...documents].filter(([, { size }]) => (size ?? null) === null).map(([id]) => id));
  });

  test('an array that must contain several is walked by the first of them, where a shape has it', async () => {
    const both = await ids('tags[contains]=x,y');
    expect(both.length).toBeGreaterThan(1);
    expect(await ids('tags=x&tags[contains]=y')).toEqual(both);
    const hasBoth = (document: JsonObject) => ['x', 'y'].every((tag) => naiveValues(document, 'tags').includes(tag));
    expect(both).toEqual([...documents].filter(([, document]) => hasBoth(document)).map(([id]) => id));
    // No shape has the array and this range.
    expect(await ids('size[gte]=-1&tags[contains]=x,y')).toEqual(
      [...documents].filter(([, document]) => hasBoth(document) && typeof document['size'] === 'number').map(([id]) => id),
    );
    expect((await list(`?tags[contains]=x&limit=${limits.pageDocumentsMax}`)).data).toEqual(
      (await list(`?tags=x&limit=${limits.pageDocumentsMax}`)).data,
    );
  });

  test('a count looks into as many as a page, and says that it is a minimum', async () => {
    const { page } = await list('?open[ne]=true&count=exact&limit=1');
    expect(page).toMatchObject({ totalIsMinimum: true });
    expect(page.total).toBeLessThanOrEqual(budget);
    const none = await list('?tags=none&shelf[ne]=a&count=exact');
    expect([none.page.total, none.page.totalIsMinimum]).toEqual([0, undefined]);
  });

  test('a cursor goes on with its own conditions alone, however they are spelt', async () => {
    const { page: { next } } = await list('?shelf[ne]=a&limit=1');
    expect((await list(`?shelf[nin]=a&limit=1&after=${next}`)).data).toHaveLength(1);
    for (const other of ['shelf[ne]=b', 'shelf[exists]=true', 'shelf[ne]=a&size[ne]=1']) {
      expect((await origin.ask('list', things, { query: `?${other}&limit=1&after=${next}` })).outcome).toBe('cursor_invalid');
    }
  });

  test('what no shape has beside its index is refused, as is a condition that means nothing', async () => {
    const outcomes = async (...queries: readonly string[]) =>
      Promise.all(queries.map(async (query) => (await origin.ask('list', things, { query: `?${query}` })).outcome));
    expect(await outcomes('tags=x&size[ne]=1', 'tags=x&grades.by[exists]=true')).toEqual(['query_not_served', 'query_not_served']);
    expect(await outcomes(
      'shelf[exists]=1', 'shelf[contains]=a', 'shelf[ne]=a&shelf[nin]=b', 'size[ne]=x', 'shelf[nin]=a&shelf[nin]=b&shelf[exists]=',
      'shelf[nor]=1',
    )).toEqual(Array.from({ length: 6 }, () => 'query_invalid'));
  });
});

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() },
  schema: z.object({ text: z.string(), secret: z.string().optional(), own: z.object({ deep: z.string() }).optional() }),
  rules: { read: anyone, write: anyone },
  fieldRules: { secret: { read: role('staff') }, own: { read: equals('text', 'open') } },
  shapes: { all: { beside: ['secret', 'own.deep', 'text'] } },
});

test.each([...engines])('a hidden field is asked for by nobody whom its rule excludes, on %s', async (engine) => {
  await using origin = await DirectOrigin.on(engine, contract(notes));
  await origin.put(notes, 'n', { text: 'open', secret: 's', own: { deep: 'd' } });
  const anybody: Principal = { subject: 'a', roles: [], claims: {} };
  const ask = async (query: string, principal = anybody) => (await origin.ask('list', notes, { query, principal })).outcome;
  for (const condition of ['secret[ne]=s', 'secret[nin]=s,t', 'secret[exists]=true', 'own.deep[ne]=d', 'own.deep[exists]=false']) {
    expect([condition, await ask(`?${condition}`), await ask(`?${condition}&count=exact`)]).toEqual([condition, 'forbidden', 'forbidden']);
  }
  expect(await ask('?secret[ne]=s', { ...anybody, roles: ['staff'] })).toBe('found');
  expect(await ask('?text[ne]=s')).toBe('found');
});
