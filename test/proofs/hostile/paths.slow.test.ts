/** Paths that say one thing to the edge and would say another to whoever decodes them once more. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createFilm } from '../../support/film.ts';
import { startWorld, type World } from '../../support/whole-world.ts';
import { sendRaw } from './raw-http.ts';

let world: World;
let id: string;
beforeAll(async () => {
  world = await startWorld({ engine: 'sqlite' });
  ({ film: { id } } = await createFilm(world, { title: 'Here' }));
});
afterAll(() => world.close());

const statusOf = async (target: string): Promise<readonly [target: string, status: number, code: string]> => {
  const { status, body } = await sendRaw(world.edge.url, { target });
  return [target, status, /"code":"([a-z_]+)"/.exec(body)?.[1] ?? ''];
};

test('slashes and dots stand for themselves however they are encoded', async () => {
  const tricks = [
    `/v1/films%2f${id}`,
    `/v1%2ffilms/${id}`,
    `//v1/films/${id}`,
    `/v1//films/${id}`,
    `/v1/films//${id}`,
    `/v1/films/${id}/`,
    `/v1/films/${id}//`,
    `/v1/films/${id}%2f`,
    `/v1/films/${id}%5c`,
    `/v1/films/.%2f${id}`,
    `/v1/films/..%2ffilms%2f${id}`,
    `/v1/films/%252e%252e/films/${id}`,
    `/v1/%66ilms/${id}`,
    `/V1/films/${id}`,
    `/v1/Films/${id}`,
    `/v1/films/${id};a=b`,
    `/v1/films/${id}%00`,
    `/v1/films/%00${id}`,
    `/v1/films/${id}%20`,
    `/v1/films/%20${id}`,
    `/v1/films/${id}.json`,
    `/v1/films/${id}%0d%0aset-cookie:a=b`,
    `/v1/films/%EF%BC%8F${id}`,
    '/v1/films/%c0%ae%c0%ae',
    '/v1/films/%ed%a0%80',
    '/v1/films/%',
    '/v1/films/%zz',
    `/v1/films/${'a'.repeat(8_000)}`,
    `/v1/films/${'%61'.repeat(129)}`,
  ];
  for (const target of tricks) {
    const [, status, code] = await statusOf(target);
    expect([target, status === 400 || status === 404 || status === 414, code !== '']).toEqual([target, true, true]);
  }
});

test('what a URL resolves leads where it leads, and nowhere past who asks', async () => {
  for (const target of [
    `/v1/films/../films/${id}`,
    `/v1/films/%2e%2e/films/${id}`,
    `/v1/./films/${id}`,
    `/v1/%2e/films/${id}`,
    `/v1\\films\\${id}`,
  ]) {
    expect((await statusOf(target))[1]).toBe(200);
  }
  for (const target of ['/v1/films/../orders', '/v1/films/%2e%2e/orders', '/v1/films/%2E./orders', '/v1/films/..\\orders']) {
    expect((await statusOf(target)).slice(1)).toEqual([401, 'token_missing']);
  }
  for (const target of ['/v1/films/../../.tombolo/changes', '/../../etc/passwd', '/v1/../health/../.tombolo/changes']) {
    expect([405, 404]).toContain((await statusOf(target))[1]);
  }
});

test('names of every object are ids like others, and no routes', async () => {
  for (const name of [
    'constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', 'prototype', 'null', 'undefined', '0', '-1', "'", '"',
    '$where', '*', '%3f',
    '{}',
    '%7b%22$gt%22:%22%22%7d',
  ]) {
    expect(await statusOf(`/v1/films/${name}`)).toEqual([`/v1/films/${name}`, 404, 'document_not_found']);
    expect((await statusOf(`/v1/${name}`))[1]).toBe(404);
  }
});

test('a target of no form at all is refused', async () => {
  for (const target of [
    `http://evil.test/v1/films/${id}`,
    '*', 'v1/films', '', '?', '#',
    `/v1/films?${'a=1&'.repeat(2_000)}`,
    '/v1/films?genres[]=a', '/v1/films?__proto__=1', '/v1/films?constructor=1', '/v1/films?genres=%00%ff&sort=__proto__',
    '/v1/films?limit=1&limit=2', '/v1/films?limit=1e2', '/v1/films?year[gte]=NaN', '/v1/films?fields=__proto__',
    '/v1/films?after=..', '/v1/films?after=%00',
  ]) {
    const { status, isOurs } = await sendRaw(world.edge.url, { target });
    expect([target.slice(0, 60), status >= 400 && (status < 500 || !isOurs)]).toEqual([target.slice(0, 60), true]);
  }
});
