/**
 * Tokens and keys at random, each asking for anything: a key with a scope for what it asks is answered as its maker's token is,
 * and one without is refused, whatever the rules say.
 */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import fc from 'fast-check';
import { isSafe } from '../../../shared/operations/operation.ts';
import { mustRoute } from '../../../shared/operations/route.ts';
import { served } from '../../../shared/resources/all.ts';
import { ContractWorld, type WorldAnswer } from '../../support/contract-world.ts';
import { engines } from '../../support/whole-world.ts';

type Headers = Readonly<Record<string, string>>;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
}

interface Person {
  readonly sub: string;
  readonly roles: readonly string[];
  readonly tenant?: string;
}

interface Key {
  readonly headers: Headers;
  readonly scopes: readonly string[];
}

const people: readonly Person[] = [
  { sub: 'ada', roles: ['editor', 'staff'], tenant: 'odeon' },
  { sub: 'bob', roles: [] },
  { sub: 'carol', roles: ['moderator', 'editor'] },
  { sub: 'dan', roles: ['staff'], tenant: 'ritz' },
];

const someId = '01890a5d-ac96-774b-bcce-b302099a8057';
const merging = 'application/merge-patch+json';

const boston = { id: '02108', latitude: 42, longitude: -71, city: 'Boston', state: 'MA', county: 'Suffolk' };

/** What changes nothing also where it is allowed: the same is asked twice. */
function questionsOf(ids: Readonly<Record<string, string>>): readonly Asked[] {
  const one = (resource: string) => `/v2/${resource}/${ids[resource] ?? someId}`;
  return [
    ...['films', 'reviews', 'orders', 'places'].flatMap((resource): Asked[] => [
      { method: 'GET', path: one(resource) },
      { method: 'HEAD', path: one(resource) },
      { method: 'DELETE', path: `/v2/${resource}/${resource === 'places' ? '99999' : someId}` },
      { method: 'PATCH', path: one(resource), json: {} },
    ]),
    { method: 'GET', path: '/v2/films?limit=2' },
    { method: 'GET', path: '/v2/films/top?genre=Drama' },
    { method: 'GET', path: '/v2/films?sort=-year,title&fields=title' },
    { method: 'GET', path: `/v2/reviews?film=${someId}` },
    { method: 'GET', path: '/v2/reviews?author=ada' },
    { method: 'GET', path: '/v2/orders?sort=-createdAt' },
    { method: 'GET', path: '/v2/orders?status=placed' },
    { method: 'POST', path: '/v2/places', json: boston },
    { method: 'POST', path: '/v2/films', json: { title: 'M' } },
    { method: 'POST', path: '/v2/orders', json: { tenant: 'nowhere', film: someId, seats: 1, buyer: 'x' } },
    { method: 'POST', path: `/v2/orders/${ids['orders'] ?? someId}/pay`, json: { card: 'no card' } },
    { method: 'DELETE', path: '/v2/films?title=nothing&dryRun=true' },
    { method: 'PATCH', path: '/v2/reviews?dryRun=true', json: [{ id: someId, merge: { rating: 3 } }] },
  ];
}

interface Meant {
  readonly name: string;
  readonly resource: string;
  readonly safe: boolean;
}

/** By the words of the documentation: what a scope is for. */
function isFor(scope: string, { name, resource, safe }: Meant): boolean {
  const [of, what] = scope.split(':');
  if (of !== '*' && of !== resource) return false;
  return what === '*' || what === name || (what === 'read' && safe) || (what === 'write' && !safe);
}

describe.each(engines)('on %s', (engine) => {
  let world: ContractWorld;
  let questions: readonly Asked[];
  const tokens = new Map<string, Headers>();
  let silent: readonly { mockRestore(): void }[] = [];

  beforeAll(async () => {
    silent = (['info', 'warn', 'error'] as const).map((level) => spyOn(console, level).mockImplementation(() => undefined));
    world = await ContractWorld.on(engine, served);
    for (const { sub, roles, tenant } of people) {
      const payload = { sub, roles: [...roles], plan: 'bench', ...(tenant === undefined ? {} : { tenant }) };
      tokens.set(sub, { authorization: `Bearer ${await world.issuer.token('ed', { payload })}` });
    }
    const headers = tokens.get('ada') ?? {};
    const make = async (resource: string, json: object) =>
      [resource, String((await world.request(`/v2/${resource}`, { json, headers })).json['id'])] as const;
    questions = questionsOf(Object.fromEntries([
      await make('films', { title: 'The Third Man', year: 1949 }),
      await make('orders', { tenant: 'odeon', film: someId, seats: 2, buyer: 'ada' }),
      await make('reviews', { film: someId, rating: 4, text: 'Yes.' }),
      await make('places', boston),
    ]));
  }, 60_000);
  afterAll(async () => {
    silent.forEach((spy) => spy.mockRestore());
    await world[Symbol.asyncDispose]();
  });

  const ask = ({ method, path, json }: Asked, headers: Headers): Promise<WorldAnswer> => {
    const type = method === 'PATCH' && !Array.isArray(json) ? merging : 'application/json';
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    return world.request(path, { method, headers: { ...headers, ...(json === undefined ? {} : { 'content-type': type }) }, ...body });
  };
  const told = ({ status, json }: WorldAnswer) => [status, json['code'], json['data'] ?? json['id'] ?? null];

  /** A key with such scopes, or as many of them as its maker is given. */
  async function keyOf(sub: string, scopes: readonly string[]): Promise<Key | undefined> {
    const answer = await world.request('/v2/keys', { json: { name: 'a', scopes }, headers: tokens.get(sub) ?? {} });
    if (answer.status === 201) return { headers: { authorization: `Bearer ${String(answer.json['key'])}` }, scopes };
    const refused = new Set((answer.json['errors'] as { at: string }[]).map(({ at }) => Number(at.split('/')[2])));
    const left = scopes.filter((_scope, index) => !refused.has(index));
    return left.length === 0 || left.length === scopes.length ? undefined : keyOf(sub, left);
  }

  test('a key is answered as its maker’s token where it has the scope, and refused where it has not', async () => {
    const names = ['list', 'get', 'create', 'patch', 'remove', 'removeMany', 'patchMany', 'films-top', 'orders-pay', 'read', 'write', '*'];
    const scope = fc.tuple(fc.constantFrom('*', 'films', 'reviews', 'orders', 'places'), fc.constantFrom(...names))
      .map((parts) => parts.join(':'));
    const given = { in: 0, out: 0 };
    await fc.assert(fc.asyncProperty(
      fc.constantFrom(...people), fc.array(scope, { minLength: 1, maxLength: 4 }),
      fc.shuffledSubarray([...questions], { minLength: 8, maxLength: 8 }),
      async ({ sub }, scopes, asked) => {
        const key = await keyOf(sub, scopes);
        if (key === undefined) return;
        for (const question of asked) {
          const operation = operationOf(question);
          const isIn = key.scopes.some((each) => isFor(each, operation));
          given[isIn ? 'in' : 'out']++;
          const byToken = told(await ask(question, tokens.get(sub) ?? {}));
          const byKey = told(await ask(question, key.headers));
          const what = [question.method, question.path, key.scopes.join(' ')];
          const expected = isIn ? byToken : [403, question.method === 'HEAD' ? undefined : 'key_restricted', null];
          expect([...what, ...byKey]).toEqual([...what, ...expected]);
        }
        await revokeAll(sub);
      },
    ), { numRuns: 60 });
    expect(Math.min(given.in, given.out)).toBeGreaterThan(50);
  }, 120_000);

  async function revokeAll(sub: string): Promise<void> {
    const headers = tokens.get(sub) ?? {};
    const { json } = await world.request('/v2/keys?limit=200', { headers });
    for (const { id } of json['data'] as { id: string }[]) await world.request(`/v2/keys/${id}`, { method: 'DELETE', headers });
  }
});

function operationOf({ method, path }: Asked): Meant {
  const { operation, resource } = mustRoute(served, method, path.split('?')[0] ?? '');
  return { name: operation.name, resource: resource.name, safe: isSafe(operation) };
}
