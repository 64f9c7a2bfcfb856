/** Lists in an order that begins a declared one: the same pages and cursors as in the declared order, spelt whole. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { contract } from '../../../shared/contract/contract.ts';
import { films } from '../../../shared/resources/films.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';
import { versions } from '../../../shared/resources/versions.ts';

interface Page {
  readonly data: readonly { readonly title: string; readonly year: number }[];
  readonly page: { readonly next: string | null; readonly prev: string | null };
}

describe.each([...engines])('an order that begins a declared one, on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(versions, films, reviews));
    const rows = Array.from({ length: 30 }, (_, index) =>
      JSON.stringify({ title: `T${String((index * 7) % 30).padStart(2, '0')}`, year: 1990 + (index % 3), genres: ['Noir'] }),
    );
    expect((await origin.ask('import', films, { body: rows.join('\n') })).text).toContain('"imported":30');
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const list = async (search: string): Promise<Page> => {
    const answer = await origin.ask('list', films, { query: `?genres=Noir&limit=7&${search}` });
    expect([search, answer.outcome]).toEqual([search, 'found']);
    return JSON.parse(answer.text) as Page;
  };

  test.each([['-year', '-year,title'], ['year', 'year,-title']])('walks with sort=%s what it walks with sort=%s', async (begun, whole) => {
    const seen: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const rest: string = after === '' ? '' : `&after=${after}`;
      const page = await list(`sort=${begun}${rest}`);
      expect(page.data).toEqual((await list(`sort=${whole}${rest}`)).data);
      seen.push(...page.data.map(({ title, year }) => `${year} ${title}`));
      after = page.page.next;
    }
    const inOrder = [...seen].sort((left, right) => Number(right.slice(0, 4)) - Number(left.slice(0, 4)) || (left < right ? -1 : 1));
    expect(seen).toEqual(begun === '-year' ? inOrder : inOrder.reverse());
    expect(new Set(seen).size).toBe(30);
  });

  test('goes on from a cursor of either spelling, and back', async () => {
    const first = await list('sort=-year');
    const second = await list(`sort=-year,title&after=${first.page.next}`);
    expect((await list(`sort=-year&after=${second.page.prev}`)).data).toEqual(first.data);
    expect((await origin.ask('list', films, { query: `?genres=Noir&limit=7&sort=year&after=${first.page.next}` })).outcome).toBe(
      'cursor_invalid',
    );
  });
});
