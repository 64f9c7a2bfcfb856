/** What `npm run bench -- data` compares, beside PocketBase and RESTHeart: lists, words, aggregates, related documents, changes of many. */
import type { Contender } from './contenders.ts';
import { type DataWorld, type Library, toPocketId } from './data-world.ts';
import { toRequestBytes } from './load.ts';
import type { HeartRunner } from './mongo-servers.ts';
import { toName } from './one-contenders.ts';
import type { PocketRunner } from './one-servers.ts';
import { toPocketList } from './pocketbase.ts';
import { toHeartChange, toHeartFind, toHeartList, toHeartPipeline } from './restheart.ts';

export const dataReadings = {
  'list of 20': 'Two pages of each of eight genres, newest first, with `Cache-Control: no-store`, as all that is not asked again: ' +
    'past the cache to the store, which keeps answers in memory while nothing that they are made of changes.',
  'words': 'Reviews with a word that a few in a thousand have, the newest 20. PocketBase has no index of words: `text ~ word` reads on. ' +
    'RESTHeart finds them by an index on an array of their words, which its documents have for it: the test server has no `$text`.',
  'words, asked again': 'The same eight words, which the cache may answer.',
  'aggregate': 'Films counted by year, the ten greatest counts. PocketBase: a view collection, sorted. RESTHeart: a pipeline.',
  'aggregate, asked again': 'The same, which the cache may answer.',
  'related': 'Twenty reviews of a film, each with the film: `expand=film` of both. RESTHeart: a pipeline with `$lookup`.',
  'related, asked again': 'The same 64 films, which the cache may answer.',
  'change of 20': 'The ratings of twenty reviews in one transaction: `PATCH /v2/reviews?atomic=true`, `POST /api/batch`. ' +
    'Tombolo waits for the disk, PocketBase does not. RESTHeart: one `updateMany` of twenty ids, without a transaction.',
} as const;

/** What each needs to be measured. */
export const dataPeers = { PocketBase: 'Go to build it', RESTHeart: 'Java to run it' } as const;

export const dataNotes = [
  'What is on MongoDB is on its test server, one process more, whose CPU is not counted: neither for Tombolo nor for RESTHeart. ' +
    'Requests per second and times are mostly that server\'s, of which two aggregates and sixteen changes are asked at once.',
  'RESTHeart is 3.2.2, of 2018, with the last driver of its kind: the newest whose every part is in Maven Central.',
] as const;

type Ask = keyof typeof dataReadings;

const accept = { accept: '*/*' };
const fresh = { ...accept, 'cache-control': 'no-store' };
const json = { ...accept, 'content-type': 'application/json' };
const documentsChanged = 20;

export function dataContenders(world: DataWorld): readonly Contender[] {
  const { one, pocketBase, onMongo } = world;
  return [
    ...toOurs('one process', one, world, pocketBase === undefined ? undefined : 'PocketBase'),
    ...(pocketBase === undefined ? [] : toPocketBase(pocketBase, world)),
    ...(onMongo === undefined ? [] : [
      ...toOurs('one process, MongoDB', onMongo.one, world, 'RESTHeart'), ...toRestHeart(onMongo.restHeart, world),
    ].map(withFewer)),
  ];
}

/** What the test server groups or changes takes it long: more at once would wait past their time. */
function withFewer(contender: Contender): Contender {
  const most = [['aggregate', 2], ['change of 20', 16]] as const;
  const [, connections] = most.find(([ask]) => contender.name.includes(`, ${ask}`)) ?? [];
  return connections === undefined ? contender : { ...contender, connections };
}

const gets = (targets: readonly string[], headers: Readonly<Record<string, string>>) => () =>
  targets.map((target) => toRequestBytes({ method: 'GET', target, headers }));

/** `beside`: who is asked for the same. */
function toOurs(
  who: string, { runner, lists, films, reviews }: Library, { words, token }: DataWorld, beside: string | undefined,
): readonly Contender[] {
  const asked = {
    'words': words.map((word) => `/v2/reviews?q=${word}&sort=-createdAt&limit=20`),
    'aggregate': ['/v2/films/aggregate?group=year&count&sort=-count&limit=10'],
    'related': films.map((film) => `/v2/reviews?film=${film}&limit=20&expand=film`),
  } as const;
  const of = (ask: Ask, besideOf = ask): Pick<Contender, 'name' | 'goal' | 'server' | 'status'> => ({
    name: toName(who, ask), server: runner, status: 200, ...(beside === undefined ? {} : { goal: { beside: toName(beside, besideOf) } }),
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

/** A JVM compiles for seconds what it runs. */
const heartWarmMs = 4_000;

function toRestHeart(restHeart: HeartRunner, { one, words }: DataWorld): readonly Contender[] {
  const of = (ask: Ask): Pick<Contender, 'name' | 'server' | 'status' | 'warmMs'> =>
    ({ name: toName('RESTHeart', ask), server: restHeart, status: 200, warmMs: heartWarmMs });
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
