/** Related documents beside everything else that is asked of lists, and of documents that stay when they are removed. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { toBucket, touched } from '../../../shared/contract/dependencies.ts';
import { many, to } from '../../../shared/contract/relations.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { removals } from '../../../shared/operations/removals.ts';
import type { Operation } from '../../../shared/operations/operation.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const named = { kind: 'string', format: z.string() } as const;
const rules = { read: anyone, write: anyone, restore: role('clerk') } as const;
const plain = { id: named, rev: false, createdAt: false, updatedAt: false, rules } as const;
const removal = { at: 'gone' } as const;
const served = contract(
  resource({
    ...plain, name: 'films', schema: z.object({ title: z.string(), year: z.int(), tag: z.string().optional() }), removal,
    shapes: { all: { range: 'year', sort: ['year'], beside: ['tag'] }, byText: { text: ['title'], sort: ['year'] } },
    aggregates: { byYear: { group: ['year'] } },
    relations: { reviews: many('reviews', 'film', { limit: 2 }) },
  }),
  resource({
    ...plain, name: 'reviews', schema: z.object({ film: z.string(), stars: z.int() }), removal,
    shapes: { byFolded: { equal: ['film'], folded: ['film'], sort: ['stars'] }, byFilm: { equal: ['film'], sort: ['-stars'] } },
    relations: { film: to('films', 'film'), about: to('films', 'film') },
  }),
  resource({
    ...plain, name: 'lists', schema: z.object({ ids: z.array(z.string()) }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
    relations: { films: to('films', 'ids', { limit: 2 }) },
  }),
);
const films = mustServed('films');
const reviews = mustServed('reviews');
const listsOfFilms = mustServed('lists');
const clerk: Principal = { subject: 'cid', roles: ['clerk'], claims: {} };

function mustServed(name: string): Resource {
  const found = served.resources.get(name);
  if (found === undefined) throw new Error(`${name} is not served`);
  return found;
}

describe.each([...engines])('expand on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, served);
    for (let at = 0; at < 6; at++) {
      await origin.put(films, `f${at}`, { title: `Film ${at}`, year: 2000 + at, ...(at % 2 === 0 ? { tag: 'even' } : {}) });
      for (const stars of [1, 2, 3]) await origin.put(reviews, `r${at}${stars}`, { film: `f${at}`, stars });
    }
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const dataOf = ({ json }: DirectAnswer) => json['data'] as readonly JsonObject[];
  const idsOf = (value: Json | undefined) => (value as readonly JsonObject[]).map(({ id }) => id);
  const list = async (query: string) => {
    const answer = await origin.ask('list', films, { query });
    expect([answer.outcome, answer.detail]).toEqual(['found', undefined]);
    return answer;
  };
  const shown = (answer: DirectAnswer) => dataOf(answer).map(({ id, reviews: listed }) => [id, idsOf(listed)]);
  const best = (...films: readonly number[]) => films.map((at) => [`f${at}`, [`r${at}3`, `r${at}2`]]);

  test('a removed document is as one that never was, until it is restored', async () => {
    const ask = (principal: Principal = clerk) =>
      origin.ask('get', reviews, { id: 'r13', query: '?expand=film,about.reviews', principal });
    const film = () => origin.ask('get', films, { id: 'f1', query: '?expand=reviews&fields=title', principal: clerk });
    const before = await ask();
    expect(before.json).toMatchObject({ film: { id: 'f1', title: 'Film 1' }, about: { id: 'f1' } });
    const kept = await origin.stored(films, 'f1');

    expect((await origin.ask('remove', films, { id: 'f1' })).outcome).toBe('removed');
    const removed = await ask();
    expect(removed.json).toEqual({ id: 'r13', film: null, about: null, stars: 3 });
    expect(isTouched(before, films, 'f1', kept, await origin.stored(films, 'f1'))).toBe(true);
    await origin.put(reviews, 'r13', { film: 'f-never', stars: 3 });
    expect((await ask()).text).toBe(removed.text);
    await origin.put(reviews, 'r13', { film: 'f1', stars: 3 });

    const gone = await origin.stored(films, 'f1');
    expect((await origin.askBy(removals.restore, execute, films, { id: 'f1', principal: clerk })).outcome).toBe('written');
    expect(isTouched(removed, films, 'f1', gone, await origin.stored(films, 'f1'))).toBe(true);
    expect((await ask()).text).toBe(before.text);

    const listed = await film();
    expect(idsOf(listed.json['reviews'])).toEqual(['r13', 'r12']);
    const review = await origin.stored(reviews, 'r13');
    expect((await origin.ask('remove', reviews, { id: 'r13' })).outcome).toBe('removed');
    // The next one takes its place: what is removed takes no part of the limit.
    expect(idsOf((await film()).json['reviews'])).toEqual(['r12', 'r11']);
    expect(isTouched(listed, reviews, 'r13', review, await origin.stored(reviews, 'r13'))).toBe(true);
    await origin.askBy(removals.restore, execute, reviews, { id: 'r13', principal: clerk });
    expect((await film()).text).toBe(listed.text);
  });

  test('of ids what is not there, is removed or stands there again takes no place of the limit, in two reads at most', async () => {
    const reads = spyOn(origin.context.store, 'many');
    const ask = async (...ids: readonly string[]) => {
      await origin.put(listsOfFilms, 'l', { ids });
      reads.mockClear();
      const { json } = await origin.ask('get', listsOfFilms, { id: 'l', query: '?expand=films' });
      return [idsOf(json['films']), reads.mock.calls.map(([, read]) => read)];
    };
    try {
      await origin.ask('remove', films, { id: 'f2' });
      expect(await ask('f4', 'f4', 'f0', 'f1')).toEqual([['f4', 'f0'], [['f4', 'f0']]]);
      expect(await ask('f2', 'f-never', 'f1', 'f1', 'f0')).toEqual([['f1', 'f0'], [['f2', 'f-never'], ['f1', 'f0']]]);
      expect(await ask('f2', 'f3', 'f4', 'f5', 'f1')).toEqual([['f3', 'f4'], [['f2', 'f3'], ['f4', 'f5']]]);
      // What stands behind twice as many ids as may be shown is not looked up.
      expect(await ask('f2', 'n1', 'n2', 'n3', 'f1')).toEqual([[], [['f2', 'n1'], ['n2', 'n3']]]);
      // One that is seen for another list is in its own place.
      await origin.put(listsOfFilms, 'm', { ids: ['f3'] });
      await ask('f2', 'f1', 'f0', 'f3');
      const page = await origin.ask('list', listsOfFilms, { query: '?expand=films' });
      expect(dataOf(page).map(({ films: listed }) => idsOf(listed))).toEqual([['f1', 'f0'], ['f3']]);
    } finally {
      reads.mockRestore();
      await origin.askBy(removals.restore, execute, films, { id: 'f2', principal: clerk });
    }
  });

  test('stands on the last page, beside conditions that no index answers, totals and cursors', async () => {
    expect(shown(await list('?expand=reviews&page=last&limit=2'))).toEqual(best(4, 5));
    expect(shown(await list('?tag[exists]=false&expand=reviews'))).toEqual(best(1, 3, 5));
    const first = await list('?tag[ne]=odd&sort=year&expand=reviews&limit=2');
    expect(shown(first)).toEqual(best(0, 1));
    const { next } = first.json['page'] as JsonObject;
    // How a page is shown is no part of its cursor.
    expect(shown(await list(`?tag[ne]=odd&sort=year&expand=reviews&limit=3&after=${String(next)}`))).toEqual(best(2, 3, 4));
    expect((await list('?year[gte]=2004&expand=reviews&count=exact')).json['page']).toMatchObject({ total: 2 });
  });

  test('stands in what is found by words', async () => {
    const found = await eventually('it is served', async () => {
      const answer = await origin.ask('list', films, { query: '?q=film&expand=reviews&limit=2' });
      return answer.outcome === 'found' && answer;
    });
    expect(shown(found)).toEqual(best(0, 1));
  });

  test('lists by the index of its relation, each level by one read, and no more than is shown', async () => {
    const { store } = origin.context;
    const [lists, reads, one] = [spyOn(store, 'lists'), spyOn(store, 'many'), spyOn(store, 'list')];
    try {
      await list('?expand=reviews.about');
      expect([lists.mock.calls.length, reads.mock.calls.length, one.mock.calls.length]).toEqual([1, 1, 1]);
      expect(lists.mock.calls[0]?.[1].map(({ limit, sort }) => [limit, sort[0]])).toEqual(
        Array.from({ length: 6 }, () => [2, { field: 'stars', descending: true }]),
      );
    } finally {
      for (const spy of [lists, reads, one]) spy.mockRestore();
    }
  });

  test('is refused by name where no document is shown by itself', async () => {
    const refusals: readonly (readonly [Operation, string, string, string?])[] = [
      [removals.removed, '?expand=reviews', 'films has none to show here'],
      [removals.removedOne, '?expand=reviews', 'films has none to show here', 'f1'],
      [bulk.patchMany, '?expand=reviews', 'is for lists'],
      [bulk.removeMany, '?year[gt]=2000&expand=reviews', 'is for lists'],
      [bulk.removeMany, '?id=f1&expand=reviews', 'unknown parameter'],
    ];
    for (const [row, query, detail, id = ''] of refusals) {
      const { outcome, errors } = await origin.askBy(row, execute, films, { id, query, principal: clerk, body: '[]' });
      expect([row.name, outcome, errors[0]?.at, errors[0]?.detail.includes(detail)]).toEqual([row.name, 'query_invalid', 'expand', true]);
    }
    for (const [name, query] of [['aggregate', '?expand=reviews'], ['list', '?distinct=year&expand=reviews']] as const) {
      const { outcome, errors } = await origin.ask(name, films, { query });
      expect([outcome, errors[0]?.at]).toEqual(['query_invalid', 'expand']);
    }
    for (const name of ['create', 'replace', 'patch', 'remove'] as const) {
      expect((await origin.ask(name, films, { id: 'f1', query: '?expand=reviews', body: {} })).errors[0]?.at).toBe('expand');
    }
  });
});

/** Whether a change of one document of `resource` touches what the answer says that it depends on. */
function isTouched({ stated }: DirectAnswer, own: Resource, id: string, ...[before, after]: readonly (JsonObject | undefined)[]): boolean {
  const buckets = new Set(stated?.dependencies?.find((each) => each.resource === own.name)?.buckets);
  return [...touched(own, id, before && { id, ...before }, after && { id, ...after })].some((key) => buckets.has(toBucket(key)));
}
