/** Searches through the edge: cached, expired by what comes to be found, and the same in an older version (SEMANTICS §1, §7, §19). */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { versions } from '../../../shared/resources/versions.ts';
import { moved } from '../../../shared/versions/changes.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const films = resource({
  name: 'films', schema: z.object({ title: z.string(), extract: z.string(), image: z.object({ url: z.string().optional() }).optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { byTitle: { equal: ['title'], folded: ['title'] }, byText: { text: ['title', 'extract'] } },
  versions: { v1: [moved({ thumbnail: 'image.url' })] },
});
const film = (title: string, extract: string) => ({
  title, extract, image: { url: 'https://images.test/a.jpg' },
  rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z',
});
const id = crypto.randomUUID();

test.each([...engines])('a search on %s is answered from the cache until another film is found by it', async (engine) => {
  await using world = await ContractWorld.on(engine, contract(films, versions));
  const path = `/v2/films?q=${encodeURIComponent('third MÁN')}&fields=title`;
  const dataOf = async (asked: string) => (await world.request(asked)).json['data'];
  await eventually('it is cached', async () => (await world.request(path)).headers.get('cache-status')?.includes('hit'));
  expect(await dataOf(path)).toEqual([]);
  await world.origin.put(films, id, film('The Third Man', 'Vienna'));
  await eventually('it is found', async () => Bun.deepEquals(await dataOf(path), [{ id, title: 'The Third Man' }]));
  // Raw letters in a target are those of its UTF-8, as a shell's curl sends them.
  expect(await dataOf('/v1/films?q=viénn+third&fields=thumbnail')).toEqual([{ id, thumbnail: 'https://images.test/a.jpg' }]);
  expect(await dataOf('/v2/films?title=the%20third%20m%C3%A1n&fields=title')).toEqual([{ id, title: 'The Third Man' }]);
}, 30_000);

test('what is no search is refused at the edge, in words of the parameter', async () => {
  await using world = await ContractWorld.on('sqlite', contract(films, versions));
  for (const version of ['v1', 'v2']) {
    const { status, json } = await world.request(`/${version}/films?q=%22*%22`);
    expect([status, json['code'], json['errors']]).toEqual([400, 'query_invalid', [
      { at: 'q', in: 'query', detail: 'holds no word: letters or digits' },
    ]]);
  }
});
