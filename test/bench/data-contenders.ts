/** What `npm run bench -- data` compares: lists, words, aggregates, related documents and changes of many, beside PocketBase's. */
import type { Contender } from './contenders.ts';
import { type DataWorld, toPocketId } from './data-world.ts';
import { toRequestBytes } from './load.ts';
import { toName } from './one-contenders.ts';
import { toPocketList } from './pocketbase.ts';

export const dataReadings = {
  'list of 20': 'Two pages of each of eight genres, newest first, with `Cache-Control: no-store`, as all that is not asked again: ' +
    'past the cache to the store, which keeps answers in memory while nothing that they are made of changes.',
  'words': 'Reviews with a word that a few in a thousand have, the newest 20. PocketBase has no index of words: `text ~ word` reads on.',
  'words, asked again': 'The same eight words, which the cache may answer.',
  'aggregate': 'Films counted by year, the ten greatest counts. PocketBase: a view collection, sorted.',
  'aggregate, asked again': 'The same, which the cache may answer.',
  'related': 'Twenty reviews of a film, each with the film: `expand=film` of both.',
  'related, asked again': 'The same 64 films, which the cache may answer.',
  'change of 20': 'The ratings of twenty reviews in one transaction: `PATCH /v2/reviews?atomic=true`, `POST /api/batch`. ' +
    'Tombolo waits for the disk, PocketBase does not.',
} as const;

type Ask = keyof typeof dataReadings;

const accept = { accept: '*/*' };
const fresh = { ...accept, 'cache-control': 'no-store' };
const json = { ...accept, 'content-type': 'application/json' };
const documentsChanged = 20;

export function dataContenders(world: DataWorld): readonly Contender[] {
  const { one, pocketBase, token, films, words, reviews } = world;
  const lists = [...world.lists.keys()];
  const gets = (targets: readonly string[], headers: Readonly<Record<string, string>>) => () =>
    targets.map((target) => toRequestBytes({ method: 'GET', target, headers }));
  const asked = {
    'words': words.map((word) => `/v2/reviews?q=${word}&sort=-createdAt&limit=20`),
    'aggregate': ['/v2/films/aggregate?group=year&count&sort=-count&limit=10'],
    'related': films.map((film) => `/v2/reviews?film=${film}&limit=20&expand=film`),
  } as const;
  const of = (ask: Ask, beside = ask): Pick<Contender, 'name' | 'goal' | 'server' | 'status'> => ({
    name: toName('one process', ask), server: one, status: 200,
    ...(pocketBase === undefined ? {} : { goal: { beside: toName('PocketBase', beside) } }),
  });
  const ours: readonly Contender[] = [
    { ...of('list of 20'), mark: 'fwd=bypass', requests: gets(lists, fresh) },
    ...(['words', 'aggregate', 'related'] as const).flatMap((ask): Contender[] => [
      { ...of(ask), mark: 'fwd=bypass', requests: gets(asked[ask], fresh) },
      { ...of(`${ask}, asked again`, ask), mark: 'tombolo; hit', requests: gets(asked[ask], accept) },
    ]),
    {
      ...of('change of 20'),
      requests: changes(reviews, (ids, rating) => ({
        method: 'PATCH', target: '/v2/reviews?atomic=true', headers: { ...json, authorization: `Bearer ${token}` },
        body: JSON.stringify(ids.map((id) => ({ id, merge: { rating } }))),
      })),
    },
  ];
  if (pocketBase === undefined) return ours;
  const { ids } = pocketBase;
  const records = (name: string, query: string) => `/api/collections/${name}/records?${query}`;
  const theirs = (ask: Ask, targets: readonly string[]): Contender =>
    ({ name: toName('PocketBase', ask), server: pocketBase, status: 200, requests: gets(targets, accept) });
  const page = 'sort=-created&perPage=20&skipTotal=1';
  return [
    ...ours,
    theirs('list of 20', lists.map(toPocketList)),
    theirs('words', words.map((word) => records('reviews', `filter=${encodeURIComponent(`text~'${word}'`)}&${page}`))),
    theirs('aggregate', [records('films_by_year', 'sort=-films&perPage=10&skipTotal=1')]),
    theirs('related', ids.map((film) => records('reviews', `filter=${encodeURIComponent(`film='${film}'`)}&${page}&expand=film`))),
    {
      name: toName('PocketBase', 'change of 20'), server: pocketBase, status: 200,
      requests: changes(reviews.map((_, row) => toPocketId(row)), (each, rating) => ({
        method: 'POST', target: '/api/batch', headers: json,
        body: JSON.stringify({
          requests: each.map((id) => ({ method: 'PATCH', url: `/api/collections/reviews/records/${id}`, body: { rating } })),
        }),
      })),
    },
  ];
}

/** Each set of documents gets one rating and, a whole turn later, another: every request changes what it names. */
function changes(ids: readonly string[], toRequest: (ids: readonly string[], rating: number) => Parameters<typeof toRequestBytes>[0]) {
  const sets = Array.from({ length: Math.floor(ids.length / documentsChanged) }, (_, set) =>
    ids.slice(set * documentsChanged, (set + 1) * documentsChanged));
  return () => [1, 2].flatMap((rating) => sets.map((set) => toRequestBytes(toRequest(set, rating))));
}
