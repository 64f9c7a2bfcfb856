/** What a version is refused by is told in its own words, and names none of the next one's (SEMANTICS §19). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { toVersioned } from '../../support/versioned-contract.ts';

let world: ContractWorld;
beforeAll(async () => void (world = await ContractWorld.on('sqlite', toVersioned())));
afterAll(() => world[Symbol.asyncDispose]());

const unserved = ['minutes[in]=1,2', 'lines.cost=1', 'thumbnail=u', 'minutes[gte]=1&sort=-title', 'minutes[gte]=1&sort=-minutes,width'];

test.each(unserved)('a list by %s that is not served', async (query) => {
  const { status, json } = await world.request(`/v1/plays?${query}`);
  expect([status, json['code']]).toEqual([400, 'query_not_served']);
  expect(json['detail']).toContain('byLength (minutes[gt|gte|lt|lte]=…&sort=minutes)');
  expect(JSON.stringify([json['detail'], json['errors']])).not.toMatch(/seconds|image|amount/);
});

test('what only the old version has is no field of a query, and is one of \'fields\'', async () => {
  for (const name of ['rating', 'meta', 'meta.alt', 'lines.vat']) {
    const refused = await world.request(`/v1/plays?${name}=1`);
    const errors = refused.json['errors'] as readonly JsonObject[];
    expect([refused.status, refused.json['code'], errors[0]?.['at']]).toEqual([400, 'query_invalid', name]);
    expect((await world.request(`/v1/plays?fields=${name}`)).status).toBe(200);
  }
});

test.each([
  ['v1 in the path, v2 in the header', '/v1/plays', { 'api-version': 'v2' }],
  ['v1 in the header, v2 in the media type', '/plays', { 'api-version': 'v1', accept: 'application/vnd.tombolo.v2+json' }],
  ['v1 in the media type, v2 in the query', '/plays?version=v2', { accept: 'application/vnd.tombolo.v1+json' }],
  ['v1 in the header, v2 in the query', '/plays?version=v2', { 'api-version': 'v1' }],
  ['v1 in the path, v2 in the query', '/v1/plays?version=v2', {}],
  ['v1 in the path, v2 in the media type', '/v1/plays', { accept: 'application/vnd.tombolo.v2+json' }],
  ['two media types', '/plays', { accept: 'application/vnd.tombolo.v1+json, application/vnd.tombolo.v2+json' }],
])('two names that disagree: %s', async (_what, path, headers) => {
  const { status, json } = await world.request(path, { headers });
  expect([status, json['code']]).toEqual([400, 'version_conflict']);
});
