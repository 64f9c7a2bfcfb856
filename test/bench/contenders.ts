/** What is compared: each a server, the requests that it gets, and the bare one beside it. */
import { mustKeyRing } from '../../shared/hop/keys.ts';
import { toFilm } from '../support/film.ts';
import { signHop } from '../support/signed-hop.ts';
import type { BenchWorld, Reads, Server } from './bench-world.ts';
import { forwardContenders } from './forward-contenders.ts';
import { editor } from './imports.ts';
import { toRequestBytes } from './load.ts';
import { refusedContenders } from './refused-contenders.ts';

export interface Contender {
  readonly name: string;
  /** The share of a bare server's requests that it should reach (the design's numbers); none: it is compared, no more. */
  readonly goal?: { readonly beside: string; readonly share?: number };
  /** It does more than this one, and than those between the two: a row of the table of steps. */
  readonly step?: string;
  readonly server: Server;
  readonly status: number;
  /** Text in the head of the answers that are meant. */
  readonly mark?: string;
  readonly once?: boolean;
  /** Fewer than the others, where what answers can do little at once. */
  readonly connections?: number;
  /** The requests, made anew for each round: a signature is good for half a minute. */
  requests(): readonly Uint8Array[];
}

const accept = { accept: '*/*' };
/** The headers of a request through Cloudflare, whose address the address limit is asked for. */
const fromCloudflare = { ...accept, 'cf-connecting-ip': '192.0.2.1' };

type Headers = Readonly<Record<string, string>>;

export async function contendersOf(world: BenchWorld, createsPerRound: number): Promise<readonly Contender[]> {
  const { keys, films, lists, edge, bareEdge, bareOrigin, unkeptOrigin } = world;
  const token = await world.identity.mint({ subject: 'bench', roles: ['editor'] });
  const apiKey = await makeKey(edge, token);
  const origin = world.origin();
  const key = mustKeyRing(keys)[0];
  const principal = { 'tombolo-principal': editor };
  const plain =
    (reads: Reads, headers: Headers = accept) =>
    () =>
      [...reads.keys()].map((target) => toRequestBytes({ method: 'GET', target, headers }));
  const signed = (reads: Reads, headers: Headers) => () =>
    [...reads.keys()].map((target) =>
      toRequestBytes({ method: 'GET', target, headers: signHop(keys, { key, url: `http://127.0.0.1${target}`, headers }).init.headers }),
    );
  return [
    { name: 'bare Hono on Bun, a film', server: bareOrigin, status: 200, requests: plain(films) },
    {
      name: 'origin, get by id', goal: { beside: 'bare Hono on Bun, a film', share: 0.5 }, server: origin, status: 200,
      requests: signed(films, {}),
    },
    {
      name: 'origin, get by id, none kept', goal: { beside: 'bare Hono on Bun, a film' }, server: unkeptOrigin, status: 200,
      requests: signed(films, {}),
    },
    { name: 'bare Hono on Bun, 20 films', server: bareOrigin, status: 200, requests: plain(lists) },
    {
      name: 'origin, list of 20, signed in', goal: { beside: 'bare Hono on Bun, 20 films', share: 0.3 }, server: origin,
      status: 200, requests: signed(lists, principal),
    },
    {
      name: 'origin, list of 20, signed in, none kept', goal: { beside: 'bare Hono on Bun, 20 films', share: 0.2 }, server: unkeptOrigin,
      status: 200, requests: signed(lists, principal),
    },
    { name: 'bare Hono Worker, a film', server: bareEdge, status: 200, requests: plain(films, fromCloudflare) },
    {
      name: 'bare Hono Worker, a film, with the fields of the edge', goal: { beside: 'bare Hono Worker, a film' }, server: bareEdge,
      status: 200,
      requests: plain(new Map([...films].map(([target, body]) => [`/fields${target}`, body])), fromCloudflare),
    },
    {
      name: 'edge, cached hit', goal: { beside: 'bare Hono Worker, a film', share: 0.6 }, server: edge, status: 200,
      mark: 'tombolo; hit',
      requests: plain(films, fromCloudflare),
    },
    {
      name: 'edge, cached hit, bearer token', goal: { beside: 'bare Hono Worker, a film', share: 0.6 }, server: edge, status: 200,
      mark: 'tombolo; hit',
      requests: plain(films, { ...fromCloudflare, authorization: `Bearer ${token}` }),
    },
    { ...hitWithKey, server: edge, requests: plain(films, { ...fromCloudflare, authorization: `Bearer ${apiKey}` }) },
    ...(await refusedContenders(world, (credential) => plain(films, { ...fromCloudflare, authorization: `Bearer ${credential}` }))),
    {
      name: 'origin, durable create', server: origin, status: 201, once: true,
      requests: () => Array.from({ length: createsPerRound }, () => toCreate(keys, key)),
    },
    ...forwardContenders(world, fromCloudflare, token),
  ];
}

/** Those whose name contains one of the words, and what they stand beside. Steps are measured where they are named. */
export function chosen(contenders: readonly Contender[], words: readonly string[]): readonly Contender[] {
  const named = contenders.filter(({ name, step, goal }) =>
    words.length === 0 ? step === undefined || goal !== undefined : words.some((word) => name.includes(word)),
  );
  return contenders.filter((contender) => named.includes(contender) || named.some(({ goal }) => goal?.beside === contender.name));
}

/** A share of 1 / 1.2: a key costs at most a fifth more than a token. */
const hitWithKey = {
  name: 'edge, cached hit, API key', goal: { beside: 'edge, cached hit, bearer token', share: 0.83 }, status: 200, mark: 'tombolo; hit',
} as const;

async function makeKey({ port }: Server, token: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v2/keys`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['films:read'] }),
  });
  if (answer.status !== 201) throw new Error(`an API key is answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { key: string }).key;
}

function toCreate(keys: string, key: ReturnType<typeof mustKeyRing>[0]): Uint8Array {
  const target = '/v2/films';
  const body = JSON.stringify(toFilm());
  const { init } = signHop(keys, {
    key,
    url: `http://127.0.0.1${target}`,
    method: 'POST', body, headers: { 'content-type': 'application/json', 'tombolo-principal': editor },
  });
  return toRequestBytes({ method: 'POST', target, headers: init.headers, body });
}
