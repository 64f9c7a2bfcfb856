/** What `npm run bench -- one` compares: each way to serve, asked for the same four things. */
import type { Contender } from './contenders.ts';
import { filmBody } from './forward-contenders.ts';
import { toRequestBytes } from './load.ts';
import type { OneWorld } from './one-world.ts';
import { toPocketList } from './pocketbase.ts';

export const oneReadings = {
  'cached get': 'A film of 64, again and again. PocketBase and bare Hono keep no answers: their get is this one.',
  'cached list of 20': 'Two pages of each of eight genres, newest first. PocketBase finds them by an index on genre, year and title.',
  'uncached get': 'With `Cache-Control: no-store`, which goes to the store; beside PocketBase\'s get.',
  'durable create': 'A film of 300 bytes. Tombolo waits for the disk (`synchronous=FULL`); PocketBase does not (`NORMAL`, its own).',
} as const;

/** Requests per CPU second of one process, as multiples of PocketBase's. */
const goals = { 'cached get': 8, 'cached list of 20': 30, 'uncached get': 2.5, 'durable create': 2 } as const;

type Ask = keyof typeof oneReadings;

/** A contender's name: who is asked, and for what. */
export const toName = (who: string, ask: string): string => `${who}, ${ask}`;

const json = { accept: '*/*', 'content-type': 'application/json' };

export function oneContenders(world: OneWorld): readonly Contender[] {
  const { one, pocketBase, bare, stack, passing, token } = world;
  const [films, lists] = [[...world.films.keys()], [...world.lists.keys()]];
  const gets = (targets: readonly string[], headers: Readonly<Record<string, string>> = {}) => () =>
    targets.map((target) => toRequestBytes({ method: 'GET', target, headers: { accept: '*/*', ...headers } }));
  const create = (target: string, headers: Readonly<Record<string, string>> = {}) => () =>
    [toRequestBytes({ method: 'POST', target, headers: { ...json, ...headers }, body: filmBody })];
  const fresh = { 'cache-control': 'no-store' };
  const ours = [
    { who: 'one process', server: one, from: {} },
    // The address limit is asked for the address that Cloudflare names.
    { who: 'workerd and origin', server: stack, from: { 'cf-connecting-ip': '192.0.2.1' } },
  ].flatMap(({ who, server, from }): Contender[] => [
    { ...of(who, 'cached get', pocketBase), server, status: 200, mark: 'tombolo; hit', requests: gets(films, from) },
    { ...of(who, 'cached list of 20', pocketBase), server, status: 200, mark: 'tombolo; hit', requests: gets(lists, from) },
    {
      ...of(who, 'uncached get', pocketBase), server, status: 200, mark: 'fwd=bypass',
      requests: gets(films, { ...from, ...fresh }),
    },
    {
      ...of(who, 'durable create', pocketBase), server, status: 201, mark: 'fwd=method',
      requests: create('/v2/films', { ...from, authorization: `Bearer ${token}` }),
    },
  ]);
  const records = '/api/collections/films/records';
  const peers = pocketBase === undefined ? [] : [
    { name: pocketBaseName('cached get'), server: pocketBase, status: 200, requests: gets(pocketBase.ids.map((id) => `${records}/${id}`)) },
    { name: pocketBaseName('cached list of 20'), server: pocketBase, status: 200, requests: gets(lists.map(toPocketList)) },
    { name: pocketBaseName('durable create'), server: pocketBase, status: 200, requests: create(records) },
  ];
  const floors = [
    { who: 'bare Hono on Bun', server: bare, prefix: '' },
    { who: 'bare Worker before it', server: passing, prefix: '/bare' },
  ].flatMap(({ who, server, prefix }): Contender[] => [
    {
      ...of(who, 'cached get', pocketBase), server, status: 200, requests: gets(films.map((target) => prefix + target)),
    },
    {
      ...of(who, 'cached list of 20', pocketBase), server, status: 200, requests: gets(lists.map((target) => prefix + target)),
    },
  ]);
  return [...ours, ...peers, ...floors];
}

/** PocketBase keeps no answers: a get of its is the one to compare with, cached or not. */
function pocketBaseName(ask: Ask): string {
  return toName('PocketBase', ask === 'uncached get' ? 'cached get' : ask);
}

function of(who: string, ask: Ask, pocketBase: unknown): Pick<Contender, 'name' | 'goal'> {
  const name = toName(who, ask);
  if (pocketBase === undefined) return { name };
  return { name, goal: { beside: pocketBaseName(ask), ...(who === 'one process' ? { share: goals[ask] } : {}) } };
}
