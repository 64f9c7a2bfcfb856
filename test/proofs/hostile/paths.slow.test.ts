/** Paths that say one thing to the edge and would say another to whoever decodes them once more. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createFilm } from '../../support/film.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';
import { sendRaw } from './raw-http.ts';

describe.each([...stacks])('targets, in %s', (stack) => {
  let world: World;
  let id: string;
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack });
    ({ film: { id } } = await createFilm(world, { title: 'Here' }));
  });
  afterAll(() => world.close());

  const statusOf = async (target: string): Promise<readonly [target: string, status: number, code: string]> => {
    const { status, body } = await sendRaw(world.edge.url, { target });
    return [target, status, /"code":"([a-z_]+)"/.exec(body)?.[1] ?? ''];
  };

  test('slashes and dots stand for themselves however they are encoded', async () => {
    const tricks = [
      `/v2/films%2f${id}`,
      `/v2%2ffilms/${id}`,
      `//v2/films/${id}`,
      `/v2//films/${id}`,
      `/v2/films//${id}`,
      `/v2/films/${id}/`,
      `/v2/films/${id}//`,
      `/v2/films/${id}%2f`,
      `/v2/films/${id}%5c`,
      `/v2/films/.%2f${id}`,
      `/v2/films/..%2ffilms%2f${id}`,
      `/v2/films/%252e%252e/films/${id}`,
      `/v2/%66ilms/${id}`,
      `/V1/films/${id}`,
      `/v2/Films/${id}`,
      `/v2/films/${id};a=b`,
      `/v2/films/${id}%00`,
      `/v2/films/%00${id}`,
      `/v2/films/${id}%20`,
      `/v2/films/%20${id}`,
      `/v2/films/${id}.json`,
      `/v2/films/${id}%0d%0aset-cookie:a=b`,
      `/v2/films/%EF%BC%8F${id}`,
      '/v2/films/%c0%ae%c0%ae',
      '/v2/films/%ed%a0%80',
      '/v2/films/%',
      '/v2/films/%zz',
      `/v2/films/${'a'.repeat(8_000)}`,
      `/v2/films/${'%61'.repeat(129)}`,
    ];
    for (const target of tricks) {
      const [, status, code] = await statusOf(target);
      expect([target, status === 400 || status === 404 || status === 414, code !== '']).toEqual([target, true, true]);
    }
  });

  test('what a URL resolves leads where it leads, and nowhere past who asks', async () => {
    for (const target of [
      `/v2/films/../films/${id}`,
      `/v2/films/%2e%2e/films/${id}`,
      `/v2/./films/${id}`,
      `/v2/%2e/films/${id}`,
      `/v2\\films\\${id}`,
    ]) {
      expect((await statusOf(target))[1]).toBe(200);
    }
    for (const target of ['/v2/films/../orders', '/v2/films/%2e%2e/orders', '/v2/films/%2E./orders', '/v2/films/..\\orders']) {
      expect((await statusOf(target)).slice(1)).toEqual([401, 'token_missing']);
    }
    for (const target of ['/v2/films/../../.tombolo/changes', '/../../etc/passwd', '/v2/../health/../.tombolo/changes']) {
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
      expect(await statusOf(`/v2/films/${name}`)).toEqual([`/v2/films/${name}`, 404, 'document_not_found']);
      expect((await statusOf(`/v2/${name}`))[1]).toBe(404);
    }
  });

  test('a target of no form at all is refused', async () => {
    for (const target of [
      // In absolute form (RFC 9112 §3.2.2) it leads where its path does, in one process as at any server of HTTP.
      ...(stack === 'workerd' ? [`http://evil.test/v2/films/${id}`] : []),
      '*', 'v1/films', '', '?', '#',
      `/v2/films?${'a=1&'.repeat(2_000)}`,
      '/v2/films?genres[]=a', '/v2/films?__proto__=1', '/v2/films?constructor=1', '/v2/films?genres=%00%ff&sort=__proto__',
      '/v2/films?limit=1&limit=2', '/v2/films?limit=1e2', '/v2/films?year[gte]=NaN', '/v2/films?fields=__proto__',
      '/v2/films?after=..', '/v2/films?after=%00',
    ]) {
      const { status, isOurs } = await sendRaw(world.edge.url, { target });
      expect([target.slice(0, 60), status >= 400 && (status < 500 || !isOurs)]).toEqual([target.slice(0, 60), true]);
    }
  });
});
