/** What is offered below `/auth` is what is described, and what is described is answered so; nothing else is there. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { compileErrors, validate } from '@readme/openapi-parser';
import { Ajv2020 } from 'ajv/dist/2020';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { descriptionFiles } from '../../../origin/dev/edge-assets.ts';
import { openAuth } from '../../../origin/people/auth.ts';
import { offeredToPeople } from '../../../origin/people/offered.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { descriptionFile } from '../../../shared/wire/edge-paths.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';
import type { Person } from '../../support/person.ts';
import { peopleHome, PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const password = 'correct horse battery';
const files = await descriptionFiles(served, offered);
const descriptionOf = (version: string) => JSON.parse(files.get(descriptionFile(version, true)) ?? '') as JsonObject;
const description = descriptionOf(served.versions.current.name);

function at(holder: JsonObject, ...names: readonly string[]): JsonObject {
  return names.reduce((value, name) => {
    const member = value[name];
    if (member === undefined || !isJsonObject(member)) throw new Error(`nothing is described at ${names.join(' ')}`);
    return member;
  }, holder);
}

/** Every path of better-auth with its plugins, those too that are not offered. */
async function pathsOfBetterAuth(): Promise<readonly (readonly [method: string, path: string])[]> {
  const { api } = await openAuth({
    settings: { url: peopleHome, issuer: peopleHome, audience: 'x', secret: 's'.repeat(43), pages: [], oidc: [], smtp: undefined },
    database: { adapter: memoryAdapter({}), install: async () => undefined, close: async () => undefined },
    signToken: undefined, mail: async () => undefined, logError: () => undefined, now: Date.now, departs: async () => undefined,
  });
  const endpoints = Object.values<{ readonly path?: string; readonly options: { readonly method: unknown } }>(api);
  return endpoints.flatMap(({ path, options: { method } }) =>
    path === undefined ? [] : [method].flat().map((each) => [String(each), `/auth${path}`] as const));
}

describe('the description of people', () => {
  test('is valid OpenAPI 3.1 in every version, and its names are those of nothing else', async () => {
    for (const { name } of served.versions.all) {
      const result = await validate(descriptionOf(name) as unknown as Parameters<typeof validate>[0]);
      expect([name, result.valid ? '' : compileErrors(result)]).toEqual([name, '']);
      const without = JSON.parse(files.get(descriptionFile(name, false)) ?? '') as JsonObject;
      expect(Object.keys(at(without, 'paths')).filter((path) => path.startsWith('/auth'))).toEqual([]);
      const added = ['schemas', 'responses', 'securitySchemes'].map((part) => {
        const [more = 0, less = 0] = [descriptionOf(name), without].map((each) => Object.keys(at(each, 'components', part)).length);
        return more - less;
      });
      expect(added).toEqual([1, new Set(offeredToPeople.map(({ gives }) => gives)).size + 1, 1]);
    }
  });

  test('has every path that is offered, and no other', () => {
    const described = Object.entries(at(description, 'paths')).filter(([path]) => path.startsWith('/auth/')).flatMap(([path, item]) =>
      Object.keys(item as JsonObject).filter((name) => name !== 'parameters').map((method) => `${method.toUpperCase()} ${path}`));
    const written = offeredToPeople.map(({ method, path }) => `${method} /auth${path.replace(/:(\w+)/, '{$1}')}`);
    expect(described.toSorted()).toEqual(written.toSorted());
    expect(new Set(written).size).toBe(written.length);
  });
});

test('what better-auth has beside is refused before it is opened', async () => {
  await using world = await PeopleWorld.open('sqlite');
  const there = new Map(offeredToPeople.map(({ method, path }) => [`/auth${path}`, method]));
  const beside = (await pathsOfBetterAuth()).filter(([method, path]) => there.get(path) !== method);
  expect(beside.map(([, path]) => path)).toContain('/auth/change-email');
  expect(beside.length).toBeGreaterThan(15);
  const asked = async (method: string, path: string) => {
    const answer = method === 'POST' ? await world.person().post(path) : await world.person().get(path);
    return [path, answer.status, answer.json['type'], answer.headers['allow']];
  };
  for (const [method, path] of beside) {
    const allow = there.get(path);
    const refused = allow === undefined ? [404, none, undefined] : [405, 'urn:tombolo:problem:method_not_allowed', `${allow}, OPTIONS`];
    expect(await asked(method, path.replace(':id', 'x'))).toEqual([path.replace(':id', 'x'), ...refused]);
  }
  for (const path of ['/auth/callback/a/b', '/auth/callback/', '/auth/token/', '/auth//token', '/auth/Token', '/auth/sign-in/x']) {
    expect(await asked('GET', path)).toEqual([path, 404, none, undefined]);
  }
});

const none = 'urn:tombolo:problem:route_not_found';

describe.each(engines)('on %s', (engine) => {
  let world: PeopleWorld;
  let ada: Person;
  beforeAll(async () => {
    world = await PeopleWorld.open(engine);
    ada = await world.member('ada@example.com');
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ $id: 'http://api/', ...description });

  /** Asks, and holds body and answer against what is described of them. */
  async function ask(person: Person, method: 'GET' | 'POST', path: string, body?: Json): Promise<JsonObject> {
    const [route = ''] = path.split('?');
    const operation = at(description, 'paths', `/auth${route}`, method.toLowerCase());
    if (operation['requestBody'] !== undefined) {
      const isTaken = ajv.compile(at(operation, 'requestBody', 'content', 'application/json', 'schema'));
      expect([path, isTaken(body), isTaken.errors]).toEqual([path, true, null]);
    }
    const answer = method === 'POST' ? await person.post(`/auth${path}`, body) : await person.get(`/auth${path}`);
    expect([path, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([path, 200, '']);
    const [, , , name = ''] = String(at(operation, 'responses', '200')['$ref']).split('/');
    const isDescribed = ajv.compile(at(description, 'components', 'responses', name, 'content', 'application/json', 'schema'));
    const value = JSON.parse(answer.text) as Json;
    expect([path, isDescribed(value), isDescribed.errors, value]).toEqual([path, true, null, value]);
    return answer.json as JsonObject;
  }

  test('sessions and tokens are answered as it says', async () => {
    await ask(world.person(), 'POST', '/sign-up/email', { name: 'Bo', email: 'bo@example.com', password });
    const { token } = await ask(ada, 'POST', '/sign-in/email', { email: 'ada@example.com', password });
    await ask(world.person(), 'GET', '/get-session');
    for (const path of ['/get-session', '/token', '/jwks', '/list-sessions', '/list-accounts']) await ask(ada, 'GET', path);
    const { refreshToken } = await ask(ada, 'POST', '/refresh/begin', { token: token ?? '' });
    const next = await ask(ada, 'POST', '/refresh', { refreshToken: refreshToken ?? '' });
    await ask(ada, 'POST', '/refresh/end', { refreshToken: next['refreshToken'] ?? '' });
    await ask(ada, 'POST', '/sign-in/email', { email: 'ada@example.com', password });
    await ask(ada, 'POST', '/update-user', { name: 'Ada L.' });
    await ask(ada, 'POST', '/request-password-reset', { email: 'ada@example.com' });
    await ask(ada, 'POST', '/email-otp/send-verification-otp', { email: 'ada@example.com', type: 'sign-in' });
    const [code = ''] = /^\d{8}$/m.exec(await world.mailTo('ada@example.com', 3)) ?? [];
    await ask(world.person(), 'POST', '/sign-in/email-otp', { email: 'ada@example.com', otp: code });
    await ask(ada, 'POST', '/revoke-other-sessions');
    await ask(ada, 'POST', '/delete-user', {});
    await ask(ada, 'POST', '/sign-out', {});
  });

  test('organisations, second factors and passkeys are answered as it says', async () => {
    const eve = await world.member('eve@example.com');
    const { id } = await ask(eve, 'POST', '/organization/create', { name: 'Odeon', slug: 'odeon' });
    await ask(eve, 'POST', '/organization/set-active', { organizationId: id ?? '' });
    await ask(eve, 'POST', '/organization/update', { organizationId: id ?? '', data: { name: 'Ritz' } });
    const { id: invitationId } = await ask(eve, 'POST', '/organization/invite-member', { email: 'kim@example.com', role: 'member' });
    const reads = [
      'list', 'get-organization', 'get-full-organization', 'list-members', 'get-active-member', 'get-active-member-role',
      'list-invitations', 'list-user-invitations',
    ];
    for (const path of reads) await ask(eve, 'GET', `/organization/${path}`);
    await ask(eve, 'POST', '/organization/has-permission', { permissions: { member: ['create'] } });
    await ask(eve, 'POST', '/organization/check-slug', { slug: 'free' });
    await ask(eve, 'POST', '/organization/cancel-invitation', { invitationId: invitationId ?? '' });
    await ask(eve, 'POST', '/organization/delete', { organizationId: id ?? '' });
    await ask(eve, 'GET', '/passkey/generate-register-options');
    await ask(eve, 'GET', '/passkey/generate-authenticate-options');
    await ask(eve, 'GET', '/passkey/list-user-passkeys');
    await ask(eve, 'POST', '/two-factor/enable', { password });
  });

  test('a refusal is the problem that it says', async () => {
    const isProblem = ajv.compile({ $ref: 'http://api/#/components/schemas/PeopleProblem' });
    const refused = [
      await ada.post('/auth/refresh', { refreshToken: 'x' }), await ada.post('/auth/sign-up/email', { name: 'x', email: 'x', password }),
      await world.person().get('/auth/list-sessions'), await world.person().get('/auth/change-email'),
    ];
    for (const { status, json } of refused) {
      expect([status >= 400, isProblem(json), isProblem.errors, json]).toEqual([true, true, null, json]);
    }
  });
});
