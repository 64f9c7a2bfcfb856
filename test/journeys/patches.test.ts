/** JSON Patches and operators over the wire, in the current version and in an older one (RFC 5789, RFC 6902, SEMANTICS §17, §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { JsonObject } from '../../shared/wire/values.ts';
import { engines, startWorld, type World } from '../support/whole-world.ts';

const jsonPatch = 'application/json-patch+json';
const changes = 'application/vnd.tombolo.changes+json';
const accepted = `application/merge-patch+json, ${jsonPatch}, ${changes}`;

describe.each([...engines])('on %s', (engine) => {
  let world: World;
  let token: string;
  beforeAll(async () => {
    world = await startWorld({ engine });
    token = await world.token();
  });
  afterAll(() => world.close());

  async function made(): Promise<string> {
    const film = { title: 'A', year: 1949, genres: ['Noir'], cast: ['Orson Welles'], image: { url: 'https://example.com/a' } };
    return (await world.request('/v2/films', { token, json: film })).film.id;
  }
  const patch = async (path: string, type: string, body: unknown) => {
    const answer = await world.request(path, { method: 'PATCH', token, headers: { 'content-type': type }, body: JSON.stringify(body) });
    return { status: answer.status, json: answer.json<JsonObject>(), errors: answer.json<JsonObject>()['errors'] };
  };

  test('a patch of each kind changes a film, and a test holds it', async () => {
    const path = `/v2/films/${await made()}`;
    const first = await patch(path, jsonPatch, [
      { op: 'test', path: '/year', value: 1949 }, { op: 'add', path: '/cast/0', value: 'Joseph Cotten' },
      { op: 'remove', path: '/image/url' },
    ]);
    const cast = ['Joseph Cotten', 'Orson Welles'];
    expect([first.status, first.json]).toEqual([200, expect.objectContaining({ cast, image: {}, rev: 2 })]);
    const second = await patch(path, `${changes}; charset=utf-8`, { addToSet: { genres: ['Noir', 'Drama'] }, increment: { year: 1 } });
    expect([second.status, second.json]).toEqual([200, expect.objectContaining({ genres: ['Noir', 'Drama'], year: 1950, rev: 3 })]);
    expect((await world.request(path, { headers: { 'cache-control': 'no-cache' } })).json<JsonObject>()).toEqual(second.json);
    const failed = await patch(path, jsonPatch, [{ op: 'test', path: '/year', value: 1949 }, { op: 'remove', path: '/cast' }]);
    expect([failed.status, failed.json]).toEqual([409, expect.objectContaining({
      code: 'document_conflict', errors: [{ at: '/0/path', in: 'body', detail: 'is not what the test says' }],
    })]);
    const refused = await patch(path, changes, { increment: { year: 500 } });
    expect([refused.status, refused.errors]).toEqual([422, [expect.objectContaining({ at: '/increment/year', in: 'body' })]]);
  });

  test('an older version names its own places', async () => {
    const id = await made();
    const changed = await patch(`/v1/films/${id}`, jsonPatch, [{ op: 'replace', path: '/thumbnail', value: 'https://example.com/b' }]);
    expect([changed.status, changed.json]).toEqual([200, expect.objectContaining({ thumbnail: 'https://example.com/b' })]);
    const counted = await patch(`/v1/films/${id}`, changes, { increment: { thumbnail_width: 3 }, append: { cast: ['B'] } });
    expect([counted.status, counted.json]).toEqual([200, expect.objectContaining({ thumbnail_width: 3, cast: ['Orson Welles', 'B'] })]);
    const now = await world.request(`/v2/films/${id}`);
    expect(now.json<JsonObject>()).toMatchObject({ image: { url: 'https://example.com/b', width: 3 } });
    const strange = await patch(`/v1/films/${id}`, jsonPatch, [{ op: 'remove', path: '/image/url' }]);
    expect([strange.status, strange.errors]).toEqual([422, [{ at: '/0/path', in: 'body', detail: 'unknown field' }]]);
    const wrong = await patch(`/v1/films/${id}`, changes, { set: { thumbnail: 'javascript:alert(1)' } });
    expect([wrong.status, wrong.errors]).toEqual([422, [expect.objectContaining({ at: '/set/thumbnail' })]]);
  });

  test('what is taken is said wherever a patch could have been (RFC 5789 §3.1)', async () => {
    const path = `/v2/films/${await made()}`;
    for (const asking of [
      { method: 'OPTIONS' }, { method: 'POST', token }, { method: 'PATCH', token, headers: { 'content-type': 'text/plain' }, body: 'x' },
    ]) {
      const { status, headers } = await world.request(path, asking);
      expect([asking.method, status, headers.get('accept-patch')]).toEqual([
        asking.method, { OPTIONS: 204, POST: 405, PATCH: 415 }[asking.method] ?? 0, accepted,
      ]);
    }
  });
});
