/** The first and the last page of a list, the way back from each, their links (RFC 8288), and totals that cost little. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals } from '../../../shared/contract/rules.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

const shapes = {
  all: {}, bySize: { range: 'size', sort: ['-size'], beside: ['size'], examined: 5 }, ofShelf: { equal: ['shelf'] },
} as const;
const id = { kind: 'string', format: z.string() } as const;
const schema = z.object({ shelf: z.string(), size: z.int() });
const books = resource({
  name: 'books', id, schema, rules: { read: anyone, write: anyone }, shapes,
});
const papers = resource({
  name: 'papers', id, schema, rules: { read: equals('shelf', 'open'), write: anyone }, shapes,
});

describe.each([...engines])('on %s', (engine) => {
  let origin: Pipeline;
  const ids = Array.from({ length: 23 }, (_, index) => `b${String(index).padStart(2, '0')}`);
  beforeAll(async () => {
    origin = await Pipeline.on(engine, contract(books, papers));
    for (const [index, id] of ids.entries()) {
      await origin.put(books, id, { shelf: 'a', size: index });
      await origin.put(papers, id, { shelf: index % 2 === 0 ? 'open' : 'kept', size: index });
    }
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  interface Page {
    readonly data: readonly { readonly id: string }[];
    readonly page: { readonly next: string | null; readonly prev: string | null; readonly total?: number };
  }

  async function list(target: string) {
    const answer = await origin.ask(target);
    expect([target, answer.status]).toEqual([target, 200]);
    const { data, page } = answer.json as unknown as Page;
    const links = [...(answer.headers.get('link') ?? '').matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, to = '', rel = '']) => [rel, to]);
    return { ids: data.map(({ id }) => id), page, links: Object.fromEntries(links) as Readonly<Record<string, string>> };
  }

  test('the last page is the end of the list, and all pages are reached from it backwards', async () => {
    for (const query of ['', '&sort=-size', '&sort=size', '&size[gte]=3', '&size[ne]=4&sort=-size', '&shelf=a']) {
      const forwards: string[] = [];
      let page = await list(`/v1/books?limit=5${query}`);
      expect([query, page.links['first'], page.links['prev']]).toEqual([query, undefined, undefined]);
      for (forwards.push(...page.ids); page.links['next'] !== undefined; forwards.push(...page.ids)) page = await list(page.links['next']);
      expect([query, page.links['last']]).toEqual([query, undefined]);
      page = await list(`/v1/books?page=last&limit=5${query}`);
      expect([query, page.page.next]).toEqual([query, null]);
      const backwards = [...page.ids];
      for (; page.links['prev'] !== undefined; backwards.unshift(...page.ids)) page = await list(page.links['prev']);
      expect([query, backwards]).toEqual([query, forwards]);
    }
  });

  test('links lead to the first and the last page from between', async () => {
    const first = await list('/v1/books?limit=10');
    const second = await list(first.links['next'] ?? '');
    expect(Object.keys(second.links).toSorted()).toEqual(['first', 'last', 'next', 'prev']);
    expect((await list(second.links['first'] ?? '')).ids).toEqual(first.ids);
    expect((await list(second.links['last'] ?? '')).ids).toEqual(ids.slice(-10));
    expect(Object.keys((await list('/v1/books?limit=30')).links)).toEqual([]);
  });

  test('a page after which nothing is left leads back', async () => {
    await origin.put(books, 'z1', { shelf: 'z', size: 1 });
    await origin.put(books, 'z2', { shelf: 'z', size: 1 });
    const { links } = await list('/v1/books?shelf=z&limit=1');
    const gone = { method: 'DELETE' } as const;
    expect((await origin.ask('/v1/books/z2', gone)).status).toBe(204);
    const empty = await list(links['next'] ?? '');
    expect([empty.ids, empty.page.next]).toEqual([[], null]);
    expect((await list(empty.links['prev'] ?? '')).ids).toEqual(['z1']);
    await origin.ask('/v1/books/z1', gone);
  });

  test('a page is the last or after a cursor, and no other has a name', async () => {
    const { page: { next } } = await list('/v1/books?limit=1');
    for (const query of ['page=first', 'page=', `page=last&after=${next}`]) {
      expect([query, (await origin.ask(`/v1/books?limit=1&${query}`)).json['code']]).toEqual([query, 'query_invalid']);
    }
  });

  test('an estimate says that it is one, and counts what the caller sees', async () => {
    const estimated = async (target: string) => (await list(`${target}count=estimated`)).page as object;
    const cursors = { next: null, prev: null };
    expect(await estimated('/v1/books?limit=50&')).toEqual({ limit: 50, ...cursors, total: 23, totalIsEstimate: true });
    expect(await estimated('/v1/books?limit=50&shelf=none&')).toEqual({ limit: 50, ...cursors, total: 0, totalIsEstimate: true });
    expect(await estimated('/v1/papers?limit=50&')).toEqual({ limit: 50, ...cursors, total: 12, totalIsEstimate: true });
    expect(await estimated('/v1/books?limit=2&size[ne]=0&')).toMatchObject({ total: 5, totalIsMinimum: true, totalIsEstimate: true });
    expect((await origin.ask('/v1/books?count=about')).json['code']).toBe('query_invalid');
  });

  test('an estimate counts no further than its bound where the database has no figure', async () => {
    const { store } = origin.context;
    const counted: number[] = [];
    const count: typeof store.count = (resource, request, max, options) => {
      counted.push(max);
      return store.count(resource, request, max, options);
    };
    const bound = (name: string | symbol): unknown => {
      const member: unknown = Reflect.get(store, name);
      return typeof member === 'function' ? member.bind(store) : member;
    };
    origin.change({ store: new Proxy(store, { get: (_target, name) => (name === 'count' ? count : bound(name)) }) });
    await list('/v1/books?count=estimated');
    expect(counted).toEqual(engine === 'sqlite' ? [limits.estimatedCountMax + 1] : []);
    await list('/v1/papers?count=estimated');
    expect(counted.at(-1)).toBe(limits.estimatedCountMax + 1);
    origin.change({ store });
  });
});
