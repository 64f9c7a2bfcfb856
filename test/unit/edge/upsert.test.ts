/** Documents that a client puts by a unique key, in the names of its version (SEMANTICS §17, §19). */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { toDescription } from '../../../shared/openapi/document.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { moved } from '../../../shared/versions/changes.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { engines } from '../../support/whole-world.ts';

const users = resource({
  name: 'users', rules: { read: anyone, write: anyone }, shapes: { all: {} },
  schema: z.object({
    contact: z.object({ email: z.string(), phone: z.string().optional() }), version: z.int().optional(), note: z.string().optional(),
  }),
  unique: { byEmail: { fields: ['contact.email'], ignoringCase: true }, byVersion: { fields: ['version'] } },
  versions: { v1: [moved({ mail: 'contact.email' })] },
});
const plain = resource({ name: 'plain', schema: z.object({ n: z.int() }), rules: { read: anyone, write: anyone }, shapes: { all: {} } });

test.each([...engines])('on %s', async (engine) => {
  await using world = await ContractWorld.on(engine, contract(users, plain, versions({ name: 'v1' }, { name: 'v2' })));
  const put = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const init = { method: 'PUT', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
    const answer = await world.request(path, init);
    const errors = (answer.json['errors'] ?? []) as readonly { readonly at: string; readonly detail: string }[];
    return { ...answer, said: [answer.status, answer.json['code'], ...errors.map(({ at }) => at)] };
  };
  const made = await put('/v1/users?mail=Ada@x', { mail: 'ada@x' });
  const id = String(made.json['id']);
  expect([made.status, made.headers.get('location'), made.json['mail']]).toEqual([201, `/v1/users/${id}`, 'ada@x']);
  const again = await put('/v2/users?contact.email=ada@X', { contact: { email: 'ada@x', phone: '1' } });
  expect([again.status, again.json['id'], again.json['contact']]).toEqual([200, id, { email: 'ada@x', phone: '1' }]);
  // What the older version has no name for stays.
  const older = await put('/v1/users?mail=ada@x', { mail: 'ada@x', note: 'n' });
  expect([older.status, (await world.request(`/v2/users/${id}`, { headers: { 'cache-control': 'no-cache' } })).json])
    .toMatchObject([200, { contact: { email: 'ada@x' }, note: 'n' }]);
  expect((await put('/v1/users?contact.email=ada@x', { mail: 'ada@x' })).said).toEqual([400, 'query_invalid', 'contact.email']);
  expect((await put('/v1/users?mail=eve@x', { mail: 'ada@x' })).said).toEqual([422, 'document_invalid', '/mail']);
  await put('/v2/users?version[in]=7', { contact: { email: 'eve@x' }, version: 7 });
  const taken = await put('/v1/users?mail=ada@x', { mail: 'ada@x', version: 7 });
  expect(taken.said).toEqual([409, 'document_conflict', '/version']);
  const other = await put('/v1/users?version[in]=7', { mail: 'ada@x', version: 7 });
  expect([other.said, other.json['detail']]).toEqual([[409, 'document_conflict', '/mail'], 'another document has this mail']);
  expect((await put('/v2/users', { contact: { email: 'x' } })).said).toEqual([400, 'query_invalid', 'contact.email', 'version[in]']);
  const tag = again.headers.get('etag') ?? '';
  expect((await put('/v2/users?contact.email=ada@x', { contact: { email: 'ada@x' } }, { 'if-match': tag })).status).toBe(412);
  const none = await put('/v2/plain?n=1', { n: 1 });
  expect([none.status, none.headers.get('allow')?.includes('PUT')]).toEqual([405, false]);
}, 30_000);

test('each version is described by its own names', () => {
  const served = contract(users, plain, versions({ name: 'v1' }, { name: 'v2' }));
  const described = served.versions.all.map((version) => {
    const { paths } = toDescription({ contract: served, plans: offered, paths: {} }, version);
    const { put } = (paths as Paths)[`/${version.name}/users`] ?? {};
    return (put?.parameters ?? []).flatMap(({ name, in: place, description }) => (place === 'query' ? [[name, description]] : []));
  });
  const one = (mail: string) => `One unique key is named: \`${mail}\`, or \`version[in]\`.`;
  expect(described).toEqual([
    [['mail', one('mail')], ['version[in]', one('mail')]],
    [['contact.email', one('contact.email')], ['version[in]', one('contact.email')]],
  ]);
});

type Paths = Readonly<Record<string, {
  readonly put?: { readonly parameters: readonly { readonly name?: string; readonly in?: string; readonly description?: string }[] };
}>>;
