/** Requests that go through the Worker: the edge, the bare one that passes them on, and that one with each step of ours. */
import type { BenchWorld } from './bench-world.ts';
import type { Contender } from './contenders.ts';
import { toRequestBytes } from './load.ts';

/** What the bare Worker does more with each, of a request without a body and of one with. */
const steps = [
  { path: 'timed', get: 'a time limit', create: 'a time limit' },
  { path: 'uncached', get: 'no redirect, and kept from the platform\'s cache', create: undefined },
  { path: 'fields', get: 'reads the fields', create: 'reads the fields, no redirect' },
  { path: 'shielded', get: 'asks the limit of the address', create: 'asks the limit of the address' },
  { path: 'read', get: undefined, create: 'reads the body' },
  { path: 'validated', get: 'finds the route', create: 'checks the body' },
  { path: 'signed', get: 'signs', create: 'signs, with the digest of the body' },
  { path: 'verified', get: 'verifies the answer', create: 'verifies the answer' },
  { path: 'asked', get: 'as the origin client asks', create: 'as the origin client asks' },
] as const;

/** CPU that the edge may use for each second of the bare Worker's: 1.6. */
const share = 1 / 1.6;

export function forwardContenders(
  { forward: { edge, passing }, films }: BenchWorld,
  headers: Readonly<Record<string, string>>,
  token: string,
): readonly Contender[] {
  const get = (prefix: string) => () =>
    [...films.keys()].map((target) =>
      toRequestBytes({ method: 'GET', target: prefix + target, headers: { ...headers, 'cache-control': 'no-store' } }),
    );
  const create = (prefix: string) => () => [
    toRequestBytes({
      method: 'POST',
      target: `${prefix}/v2/films`,
      headers: { ...headers, 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: filmBody,
    }),
  ];
  const bareGet = 'bare Worker, forward of a get';
  const bareCreate = 'bare Worker, forward of a create';
  return [
    { name: bareGet, server: passing, status: 200, requests: get('/bare') },
    ...steps.flatMap(({ path, get: step }) =>
      step === undefined
        ? []
        : [{ name: `forward of a get: ${step}`, step: bareGet, server: passing, status: 200, requests: get(`/${path}`) }],
    ),
    {
      name: 'edge, forward of a get',
      step: bareGet,
      goal: { beside: bareGet, share },
      server: edge,
      status: 200,
      mark: 'tombolo; fwd=bypass',
      requests: get(''),
    },
    { name: bareCreate, server: passing, status: 201, requests: create('/bare') },
    ...steps.flatMap(({ path, create: step }) =>
      step === undefined
        ? []
        : [{ name: `forward of a create: ${step}`, step: bareCreate, server: passing, status: 201, requests: create(`/${path}`) }],
    ),
    {
      name: 'edge, forward of a create',
      step: bareCreate,
      goal: { beside: bareCreate, share },
      server: edge,
      status: 201,
      mark: 'tombolo; fwd=method',
      requests: create(''),
    },
  ];
}

/** A body of 300 bytes. */
export const filmBody = JSON.stringify({
  title: 'The Third Man',
  year: 1949,
  cast: ['Joseph Cotten', 'Alida Valli', 'Orson Welles', 'Trevor Howard', 'Bernard Lee'],
  genres: ['Noir', 'Thriller'],
  href: 'The_Third_Man', extract: 'The Third Man is a 1949 film noir directed by Carol Reed, written by Graham Greene and set in Vienna.',
});
