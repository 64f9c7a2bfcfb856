/** Bulk changes as a client sends them: counted by what they hold, and in an older version in its words (SEMANTICS §17, §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { unitsLeft } from '../../support/units-left.ts';
import { engines } from '../../support/whole-world.ts';

describe.each(engines)('on %s', (engine) => {
  let world: ContractWorld;
  let authorization: string;
  beforeAll(async () => {
    world = await ContractWorld.on(engine, served);
    authorization = `Bearer ${await world.issuer.token('ed', { payload: { sub: 'ed', roles: ['editor'] } })}`;
  }, 60_000);
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (method: string, path: string, body?: unknown, type = 'application/json', headers = {}) => world.request(path, {
    // What is read is what was written, and not what the cache may show yet.
    method, headers: { authorization, 'cache-control': 'no-cache', ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const film = async (title: string) => {
    const { json, headers } = await ask('POST', '/v2/films', { title, year: 1949, image: { url: 'https://example.com/a.jpg' } });
    return { id: String(json['id']), etag: headers.get('etag') ?? '' };
  };

  test('in the version that is asked', async () => {
    const [one, two] = [await film('One'), await film('Two')];
    const { headers } = await ask('GET', `/v1/films/${one.id}`);
    const items = [
      { id: one.id, ifMatch: headers.get('etag'), merge: { thumbnail: 'https://example.com/b.jpg' } },
      { id: two.id, ifMatch: two.etag, merge: { thumbnail: 'https://example.com/b.jpg' } },
      { id: two.id, changes: { set: { thumbnail_width: 7 } } },
      { id: two.id, patch: [{ op: 'test', path: '/thumbnail', value: 'other' }] },
    ];
    const { status, json, headers: said } = await ask('PATCH', '/v1/films', items);
    const results = resultsOf(json);
    expect([status, results.map((each) => each['status'])]).toEqual([200, [200, 412, 200, 409]]);
    expect(results.map(({ problem }) => problem?.errors[0]?.at)).toEqual([undefined, '/1/ifMatch', undefined, '/3/patch/0/path']);
    expect(said.get('tombolo-position')).toBeString();
    expect((await ask('GET', `/v1/films/${one.id}`)).headers.get('etag')).toBe(results[0]?.['etag'] as string);
    expect((await ask('GET', `/v2/films/${one.id}`)).json['image']).toEqual({ url: 'https://example.com/b.jpg' });
    expect((await ask('GET', `/v2/films/${two.id}`)).json['image']).toEqual({ url: 'https://example.com/a.jpg', width: 7 });
    const lines = `${JSON.stringify({ id: two.id, merge: { thumbnail_height: 8 } })}\n`;
    expect((await ask('PATCH', '/v1/films', lines, 'application/x-ndjson')).json).toMatchObject({ done: 1 });
    expect((await ask('GET', `/v1/films/${two.id}`)).json).toMatchObject({ thumbnail_width: 7, thumbnail_height: 8 });
  });

  test('what an older version does not have is refused by its names', async () => {
    const { id } = await film('One');
    const at = async (item: JsonObject) => {
      const { status, json } = await ask('PATCH', '/v1/films', [{ id, merge: {} }, { id, ...item }]);
      return [status, ...(json['errors'] as readonly { at: string }[]).map((error) => error.at)];
    };
    expect(await at({ merge: { image: { url: 'https://example.com/' } } })).toEqual([422, '/1/merge/image']);
    expect(await at({ merge: { title: 7 } })).toEqual([422, '/1/merge/title']);
    const { json } = await ask('PATCH', '/v1/films', [{ id, merge: { thumbnail: 'nothing' } }]);
    expect(resultsOf(json)).toMatchObject([{ status: 422, problem: { errors: [{ at: '/0/merge/thumbnail' }] } }]);
    expect(await at({ changes: { set: { 'image.url': 'https://example.com/' } } })).toEqual([422, '/1/changes/set/image.url']);
    const atomic = await ask('PATCH', '/v1/films?atomic=true', [{ id, changes: { increment: { thumbnail_width: -1 } } }]);
    expect(atomic).toMatchObject({ status: 422, json: { errors: [{ at: '/0/changes/increment/thumbnail_width' }] } });
  });

  test('each document is counted, and what would be over is refused with nothing changed', async () => {
    const { id } = await film('One');
    const before = unitsLeft((await ask('GET', `/v2/films/${id}`)).headers);
    const times = (count: number, year: number) => Array.from({ length: count }, () => ({ id, merge: { year } }));
    const { status, headers } = await ask('PATCH', '/v2/films', times(20, 1899));
    expect([status, before - unitsLeft(headers)]).toEqual([200, 20]);
    const { headers: afterwards } = await ask('DELETE', '/v2/films?id[in]=a,b,c&dryRun=true');
    expect(unitsLeft(headers) - unitsLeft(afterwards)).toBe(3);
    const { headers: last } = await ask('DELETE', '/v2/films?title=None&limit=7');
    expect(unitsLeft(afterwards) - unitsLeft(last)).toBe(7);
    const { headers: changed } = await ask('PATCH', '/v2/films?title=None&limit=9', { merge: { year: 1950 } });
    expect(unitsLeft(last) - unitsLeft(changed)).toBe(9);
    const caller = `Bearer ${await world.issuer.token('ed', { payload: { sub: 'greedy', roles: ['editor'] } })}`;
    // Of 600 units in 10 s some are leased ahead.
    const statuses: number[] = [];
    for (let year = 1900; statuses.at(-1) !== 429; year++) {
      statuses.push((await ask('PATCH', '/v2/films', times(200, year), undefined, { authorization: caller })).status);
    }
    expect([statuses.length < 5, statuses.slice(0, 2)]).toEqual([true, [200, 200]]);
    expect((await ask('GET', `/v2/films/${id}`)).json['year']).toBe(1900 + statuses.length - 2);
  });

  test('documents are changed by a filter in the words of a version', async () => {
    const { id } = await film('Old');
    const changed = await ask('PATCH', '/v1/films?title=Old&limit=9', { changes: { set: { thumbnail_width: 7 } } });
    expect(changed).toMatchObject({ status: 200, json: { results: [{ id, status: 200 }], done: 1, refused: 0, more: false } });
    expect((await ask('GET', `/v2/films/${id}`)).json['image']).toMatchObject({ width: 7 });
    const wrong = await ask('PATCH', '/v1/films?title=Old', { changes: { set: { 'image.width': 8 } } });
    expect(wrong).toMatchObject({ status: 422, json: { errors: [{ at: '/changes/set/image.width' }] } });
    expect(await ask('PATCH', '/v2/films', { merge: { year: 1950 } })).toMatchObject({ status: 422, json: { code: 'document_invalid' } });
  });

  test('documents are removed by a filter in the words of a version', async () => {
    const { id } = await film('Gone');
    expect(await ask('DELETE', '/v1/films?title=Gone&dryRun=true')).toMatchObject({
      status: 200, json: { results: [{ id, status: 204 }], done: 1, refused: 0, dryRun: true, more: false },
    });
    const { json } = await ask('DELETE', '/v2/films?title=Gone');
    expect(json).toEqual({ results: [{ id, status: 204 }], done: 1, refused: 0, more: false });
    expect((await ask('GET', `/v2/films/${id}`)).status).toBe(404);
  });
});

interface Result extends JsonObject {
  readonly problem: { readonly errors: readonly { readonly at: string; readonly in: string; readonly detail: string }[] } & JsonObject;
}

function resultsOf({ results }: JsonObject): readonly Partial<Result>[] {
  return results as readonly Partial<Result>[];
}
