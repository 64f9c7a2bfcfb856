/** What `npm run bench -- data` and `-- mongo` compare: lists, words, aggregates, related documents, changes of many. */
import type { Contender } from './contenders.ts';
import { type DataWorld, toPocketId } from './data-world.ts';
import { toRequestBytes } from './load.ts';
import type { HeartRunner } from './mongo-servers.ts';
import { toName } from './one-contenders.ts';
import type { PocketRunner } from './one-servers.ts';
import { toPocketList } from './pocketbase.ts';
import { toHeartChange, toHeartFind, toHeartList, toHeartPipeline } from './restheart.ts';

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

export const onMongo = {
  peer: { name: 'RESTHeart', needs: 'Java to run it' },
  notes: [
    'Both ask one test server, a process whose CPU is not counted and which does a few thousand small things a second: requests per ' +
      'second and times are mostly its own. Two aggregates at once are asked of it.',
    'RESTHeart is 3.2.2, of 2018, with the last driver of its kind: the newest whose every part is in Maven Central.',
  ],
  readings: {
    ...dataReadings,
    'words': 'Reviews with a word that a few in a thousand have, the newest 20. RESTHeart finds them by an index on an array of their ' +
      'words, which its documents have for it: the test server has no `$text`.',
    'aggregate': 'Films counted by year, the ten greatest counts. RESTHeart: a pipeline.',
    'related': 'Twenty reviews of a film, each with the film: `expand=film`. RESTHeart: a pipeline with `$lookup`.',
    'change of 20': 'The ratings of twenty reviews: `PATCH /v2/reviews?atomic=true`, all in one transaction that a majority has. ' +
      'RESTHeart: one `updateMany` of their ids, without a transaction.',
  },
} as const;

type Ask = keyof typeof dataReadings;

const accept = { accept: '*/*' };
const fresh = { ...accept, 'cache-control': 'no-store' };
const json = { ...accept, 'content-type': 'application/json' };
const documentsChanged = 20;

export function dataContenders(world: DataWorld): readonly Contender[] {
  const { pocketBase, restHeart } = world;
  if (restHeart !== undefined) return [...toOurs(world, 'RESTHeart'), ...toRestHeart(restHeart, world)].map(withFewer);
  return pocketBase === undefined ? toOurs(world) : [...toOurs(world, 'PocketBase'), ...toPocketBase(pocketBase, world)];
}

/** What the test server groups takes it long: more at once would wait past their time. */
function withFewer(contender: Contender): Contender {
  return contender.name.includes(', aggregate') ? { ...contender, connections: 2 } : contender;
}

const gets = (targets: readonly string[], headers: Readonly<Record<string, string>>) => () =>
  targets.map((target) => toRequestBytes({ method: 'GET', target, headers }));

/** `beside`: who is asked for the same. */
function toOurs({ one: { runner, lists, films, reviews }, words, token }: DataWorld, beside?: string): readonly Contender[] {
  const asked = {
    'words': words.map((word) => `/v2/reviews?q=${word}&sort=-createdAt&limit=20`),
    'aggregate': ['/v2/films/aggregate?group=year&count&sort=-count&limit=10'],
    'related': films.map((film) => `/v2/reviews?film=${film}&limit=20&expand=film`),
  } as const;
  const of = (ask: Ask, besideOf = ask): Pick<Contender, 'name' | 'goal' | 'server' | 'status'> => ({
    name: toName('one process', ask), server: runner, status: 200,
    ...(beside === undefined ? {} : { goal: { beside: toName(beside, besideOf) } }),
  });
  return [
    { ...of('list of 20'), mark: 'fwd=bypass', requests: gets([...lists.keys()], fresh) },
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
}

function toPocketBase(pocketBase: NonNullable<PocketRunner>, { one, words }: DataWorld): readonly Contender[] {
  const records = (name: string, query: string) => `/api/collections/${name}/records?${query}`;
  const theirs = (ask: Ask, targets: readonly string[]): Contender =>
    ({ name: toName('PocketBase', ask), server: pocketBase, status: 200, requests: gets(targets, accept) });
  const page = 'sort=-created&perPage=20&skipTotal=1';
  const ofFilm = (film: string) => records('reviews', `filter=${encodeURIComponent(`film='${film}'`)}&${page}&expand=film`);
  return [
    theirs('list of 20', [...one.lists.keys()].map(toPocketList)),
    theirs('words', words.map((word) => records('reviews', `filter=${encodeURIComponent(`text~'${word}'`)}&${page}`))),
    theirs('aggregate', [records('films_by_year', 'sort=-films&perPage=10&skipTotal=1')]),
    theirs('related', pocketBase.ids.map(ofFilm)),
    {
      name: toName('PocketBase', 'change of 20'), server: pocketBase, status: 200,
      requests: changes(one.reviews.map((_, row) => toPocketId(row)), (each, rating) => ({
        method: 'POST', target: '/api/batch', headers: json,
        body: JSON.stringify({
          requests: each.map((id) => ({ method: 'PATCH', url: `/api/collections/reviews/records/${id}`, body: { rating } })),
        }),
      })),
    },
  ];
}

function toRestHeart(restHeart: HeartRunner, { one, words }: DataWorld): readonly Contender[] {
  const of = (ask: Ask): Pick<Contender, 'name' | 'server' | 'status'> =>
    ({ name: toName('RESTHeart', ask), server: restHeart, status: 200 });
  const newest = { createdAt: -1 };
  return [
    { ...of('list of 20'), requests: gets([...one.lists.keys()].map(toHeartList), accept) },
    { ...of('words'), requests: gets(words.map((word) => toHeartFind('reviews', { words: word }, newest)), accept) },
    { ...of('aggregate'), requests: gets([toHeartPipeline('films', {})], accept) },
    { ...of('related'), requests: gets(restHeart.films.map((film) => toHeartPipeline('reviews', { film })), accept) },
    {
      ...of('change of 20'),
      requests: changes(restHeart.reviews.slice(0, one.reviews.length), (ids, rating) => ({
        method: 'PATCH', target: toHeartChange('reviews', ids), headers: json, body: JSON.stringify({ rating }),
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
