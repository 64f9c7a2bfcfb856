/** `distinct=field`: the values of a field that begins an order, each once, under the rules of who asks (SEMANTICS §6). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Decimal128 } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, owner, role } from '../../../shared/contract/rules.ts';
import { decimal, instant, objectId } from '../../../shared/contract/types.ts';
import { dependenciesOfList, toBucket, touched } from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { type Json, type JsonObject, ranks } from '../../../shared/wire/values.ts';
import { applyIn } from '../../suites/store/applied.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { naiveValue } from '../../support/naive-path.ts';
import type { Store } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const things = resource({
  name: 'things', id: { kind: 'string', format: z.string() },
  schema: z.object({
    shelf: z.string().nullable().optional(), size: z.number().nullable().optional(), open: z.boolean().optional(),
    price: decimal().nullable().optional(), at: instant().optional(), link: objectId().optional(), author: z.string().optional(),
    imdb: z.object({ rating: z.number().optional() }).optional(), secret: z.string().optional(), tags: z.array(z.string()).optional(),
    prices: z.array(decimal()).optional(), dates: z.array(instant()).optional(), hidden: z.array(z.string()).optional(),
    cast: z.array(z.object({ name: z.string() })).optional(),
  }),
  rules: { read: any(equals('open', true), owner('author'), role('staff')) },
  fieldRules: { secret: { read: role('staff') }, hidden: { read: role('staff') } },
  shapes: {
    all: {}, bySize: { range: 'size', sort: ['-size,shelf'] }, byShelf: { prefix: 'shelf', sort: ['shelf,-size'] },
    byOpen: { sort: ['open'] }, byPrice: { range: 'price', sort: ['price'] }, byAt: { range: 'at' }, byLink: { sort: ['link'] },
    byRating: { range: 'imdb.rating', sort: ['imdb.rating,size'] }, bySecret: { sort: ['secret'] },
    ofShelf: { equal: ['shelf'], range: 'size', sort: ['size'], beside: ['price'] }, ofTag: { equal: ['tags'], sort: ['shelf'] },
    ofPrice: { equal: ['prices', 'shelf'] }, ofDate: { equal: ['dates'] }, ofHidden: { equal: ['hidden'] },
    ofName: { equal: ['cast.name'] },
  },
});
const fields = ['size', 'shelf', 'open', 'price', 'at', 'link', 'imdb.rating', 'tags', 'prices', 'dates'] as const;
const staff: Principal = { subject: 'zoe', roles: ['staff'], claims: {} };
const ann: Principal = { subject: 'ann', roles: [], claims: {} };

function documentOf(random: Random): JsonObject {
  const choices: Readonly<Record<string, readonly Json[]>> = {
    shelf: ['a', 'b', '', 'é', 'ab', null], size: [0, 1, -1.5, 1e21, null], open: [true, false], price: ['0.1', '-80', '80', null],
    at: ['2020-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
    link: ['0'.repeat(24), 'f'.repeat(24)], author: ['ann', 'bob'],
    imdb: [{ rating: 1 }, {}, { rating: -2 }], tags: [['x'], ['y', 'x', 'y'], ['é', '', 'a'], []],
    prices: [['0.10', '9'], ['0.1', '-80'], ['80', '9.0'], []], dates: [['2020-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'], []],
  };
  return Object.fromEntries(Object.entries(choices).flatMap(([name, values]): [string, Json][] =>
    (random.chance(0.2) ? [] : [[name, random.pick(values) ?? null]])));
}

/** What a document shows of a field, of an array each element. */
function valuesIn(document: JsonObject, field: string): readonly Json[] {
  const shown = naiveValue(document, field) ?? null;
  const values = Array.isArray(shown) ? (shown as readonly Json[]) : [shown];
  return field === 'prices' ? values.map((value) => (value === null ? null : String(Number(value)))) : values;
}

function compare(left: Json, right: Json): number {
  const isDecimal = (value: Json) => typeof value === 'string' && /^-?\d+(\.\d)?$/.test(value) && value.length < 9;
  const [a, b] = [left, right].map((value) => (isDecimal(value) ? Number(value) : value));
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

interface Page {
  readonly data: readonly Json[];
  readonly page: { readonly next: string | null; readonly prev: string | null };
}

describe.each([...engines])('distinct values, on %s', (engine) => {
  const documents = new Map<string, JsonObject>();
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(things));
    const random = new Random(6);
    for (let index = 0; index < 60; index++) documents.set(`d${index}`, documentOf(random));
    for (const [id, document] of documents) await origin.put(things, id, document);
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  async function list(query: string, principal = staff): Promise<Page> {
    const answer = await origin.ask('list', things, { query, principal });
    expect([query, answer.outcome, answer.detail]).toEqual([query, 'found', undefined]);
    return JSON.parse(answer.text) as Page;
  }

  /** In place of a method of the store. */
  function asked<Name extends 'list' | 'tally'>(method: Name, instead: Store[Name]): Disposable {
    const { store } = origin.context;
    const bound = (name: string | symbol): unknown => {
      const member: unknown = Reflect.get(store, name);
      return typeof member === 'function' ? member.bind(store) : member;
    };
    origin.change({ store: new Proxy(store, { get: (_target, name) => (name === method ? instead : bound(name)) }) });
    return { [Symbol.dispose]: () => origin.change({ store }) };
  }

  async function pagesOf(query: string, principal: Principal): Promise<readonly (readonly Json[])[]> {
    const pages = [await list(query, principal)];
    for (let page = pages[0]; page !== undefined && page.page.next !== null; ) {
      page = await list(`${query}&after=${page.page.next}`, principal);
      pages.push(page);
    }
    const backwards = [await list(`${query}&page=last`, principal)];
    for (let page = backwards[0]; page !== undefined && page.page.prev !== null; ) {
      page = await list(`${query}&after=${page.page.prev}`, principal);
      backwards.unshift(page);
    }
    expect([query, backwards.flatMap(({ data }) => data)]).toEqual([query, pages.flatMap(({ data }) => data)]);
    return pages.map(({ data }) => data);
  }

  test('are those of the documents that the caller sees, in order, page by page and from the end', async () => {
    for (const field of fields) for (const descending of [false, true]) for (const principal of [staff, ann]) {
      const seen = [...documents.values()].filter((each) => principal === staff || each['open'] === true || each['author'] === 'ann');
      const values = [...new Set(seen.flatMap((each) => valuesIn(each, field)))].filter((value) => value !== null).toSorted(compare);
      const query = `?distinct=${field}&limit=2${descending ? `&sort=-${field}` : ''}`;
      const pages = await pagesOf(query, principal);
      expect([query, pages.flat()]).toEqual([query, descending ? values.toReversed() : values]);
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(2);
    }
  });

  test('stand beside filters that a shape has', async () => {
    const sizes = (of: (document: JsonObject) => boolean) => [...new Set([...documents.values()].filter(of).map(({ size }) => size))];
    const isSize = (value: Json | undefined): value is number => typeof value === 'number';
    const ofA = sizes(({ shelf }) => shelf === 'a').filter(isSize).toSorted((left, right) => left - right);
    expect((await list('?shelf=a&distinct=size')).data).toEqual(ofA);
    expect((await list('?distinct=size&size[gte]=0&size[lt]=5')).data).toEqual([0, 1]);
    expect((await list('?distinct=shelf&shelf[prefix]=a')).data).toEqual(['a', 'ab']);
    const tags = (of: (document: JsonObject) => boolean) =>
      [...new Set([...documents.values()].filter(of).flatMap((each) => valuesIn(each, 'tags')))].filter((value) => value !== null);
    const sized = tags(({ size }) => isSize(size) && size >= 0 && size < 5);
    expect((await list('?distinct=tags&size[gte]=0&size[lt]=5')).data).toEqual(sized.toSorted(compare));
    expect((await list('?distinct=tags&tags=y&sort=-tags')).data).toEqual(['y', 'x']);
  });

  test('cost by values and not by documents', async () => {
    const { store } = origin.context;
    let rows = 0;
    const counting: typeof store.list = async (...given) => {
      const read = await store.list(...given);
      rows += read.value.length;
      return read;
    };
    using _counted = asked('list', counting);
    expect((await list('?distinct=open&limit=1')).data).toEqual([false]);
    expect(rows).toBeLessThan(20);
  });

  test('of an array are of so many documents, and so many, as may be looked at', async () => {
    const { store } = origin.context;
    const tally = store.tally.bind(store);
    let limit = 100;
    const outcomeOf = async (found: Awaited<ReturnType<typeof store.tally>>['value']) => {
      using _found = asked('tally', async (...given) => ({ ...(await tally(...given)), value: found }));
      const { outcome, detail } = await origin.ask('list', things, { query: `?distinct=tags&limit=${++limit}`, principal: staff });
      return [outcome, detail];
    };
    const many = (length: number) => Array.from({ length }, (_, at) => ({ values: [{ rank: ranks.string, value: `t${at}` }], count: 1 }));
    expect((await outcomeOf(many(limits.distinctElementsMax)))[0]).toBe('found');
    expect(await outcomeOf(many(limits.distinctElementsMax + 1))).toEqual(
      ['aggregate_too_large', 'tags has more than 10000 different elements; a filter leaves fewer'],
    );
    expect(await outcomeOf(undefined)).toEqual(
      ['aggregate_too_large', 'more than 400000 elements of tags are found; a filter leaves fewer'],
    );
  });

  test('what means nothing beside them, or no index begins with, is refused', async () => {
    const outcome = async (query: string, principal = staff) =>
      (await origin.ask('list', things, { query: `?${query}`, principal })).outcome;
    for (const query of [
      'distinct=nope', 'distinct=id', 'distinct=cast', 'distinct=cast.name', 'distinct=size&fields=size', 'distinct=tags&sort=shelf',
      'distinct=size&count=exact', 'distinct=size&sort=shelf',
      'shelf=a&distinct=shelf', 'distinct=', 'shelf=a&price[ne]=1&distinct=size',
    ]) expect([query, await outcome(query)]).toEqual([query, 'query_invalid']);
    expect(await outcome('distinct=author')).toBe('query_not_served');
    for (const field of ['secret', 'hidden']) {
      expect([await outcome(`distinct=${field}`, ann), await outcome(`distinct=${field}`)]).toEqual(['forbidden', 'found']);
    }
    const { page: { next } } = await list('?distinct=size&limit=1');
    expect([await outcome(`distinct=shelf&limit=1&after=${next}`), await outcome(`sort=size&after=${next}`)]).toEqual(
      ['cursor_invalid', 'cursor_invalid'],
    );
  });
});

test('numbers that are shown alike are one, whichever way and however many at a time', async () => {
  const sizes = resource({
    name: 'sizes', id: { kind: 'string', format: z.string() }, rules: { read: anyone },
    schema: z.object({ size: z.number(), price: decimal() }), shapes: { all: { sort: ['size'] }, byPrice: { sort: ['price'] } },
  });
  const database = await openMongoDatabase();
  try {
    const stored = [0.1, Decimal128.fromString('0.10'), 5, Decimal128.fromString('5.0'), 0.3, Decimal128.fromString('7.70')];
    await database.foreign.collection('sizes').insertMany(stored.map((size, at) => ({ _id: `d${at}` as never, size, price: size })));
    await applyIn(database.foreign, [sizes]);
    await using origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(sizes));
    for (const [field, values] of [['size', [0.1, 0.3, 5, 7.7]], ['price', ['0.1', '0.3', '5', '7.7']]] as const) {
      for (const limit of [1, 2, 50]) for (const [sort, way] of [[field, 'next'], [`-${field}`, 'next'], [field, 'prev']] as const) {
        const all: Json[] = [];
        for (let more = way === 'prev' ? '&page=last' : ''; ; ) {
          const { json, pages } = await origin.ask('list', sizes, { query: `?distinct=${field}&sort=${sort}&limit=${limit}${more}` });
          const data = json['data'] as readonly Json[];
          all.push(...(way === 'prev' ? data.toReversed() : data));
          if (pages?.[way] === undefined) break;
          more = `&after=${pages[way]}`;
        }
        const isForward = sort === field && way === 'next';
        expect([sort, limit, way, all]).toEqual([sort, limit, way, isForward ? [...values] : values.toReversed()]);
      }
    }
  } finally {
    await database.remove();
  }
});

test('a change that alters the values touches what they depend on', () => {
  const query = parseListQuery(things, '?shelf=a&distinct=size');
  const [dependency] = dependenciesOfList(things, query);
  const buckets = (before: JsonObject, after: JsonObject) => new Set([...touched(things, 'd', before, after)].map(toBucket));
  expect(dependency?.buckets.some((bucket) => buckets({ shelf: 'b', size: 1 }, { shelf: 'a', size: 2 }).has(bucket))).toBe(true);
  expect(dependency?.buckets.some((bucket) => buckets({ shelf: 'b', size: 1 }, { shelf: 'b', size: 2 }).has(bucket))).toBe(false);
  const [ofTags] = dependenciesOfList(things, parseListQuery(things, '?distinct=tags'));
  expect(ofTags?.buckets.some((bucket) => buckets({ tags: ['x'] }, { tags: ['x', 'y'] }).has(bucket))).toBe(true);
});
