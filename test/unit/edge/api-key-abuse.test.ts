/** Ways to get more out of an API key than it is for, or out of none: each is refused, and leaves everything as it was. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import { toKeyText } from '../../../shared/api-keys/key-text.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { engines } from '../../support/whole-world.ts';

type Headers = Readonly<Record<string, string>>;

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Headers;
  readonly json?: unknown;
}

/** What the forms are made of. */
interface Keys {
  /** Of a member of the tenant odeon who is an editor, for reading films; and another of theirs. */
  readonly key: string;
  readonly other: string;
  readonly id: string;
  readonly revoked: string;
  readonly expired: string;
  readonly rotatedOut: string;
  readonly elsewhere: string;
  readonly ofPage: string;
  readonly film: string;
  readonly member: Headers;
  readonly stranger: Headers;
  readonly admin: Headers;
}

interface Form {
  readonly what: string;
  readonly sent: (keys: Keys) => Sent;
  readonly refused: readonly [status: number, code: string];
}

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
const bearer = (text: string): Headers => ({ authorization: `Bearer ${text}` });
const hashOf = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex');
const restricted = [403, 'key_restricted'] as const;
const form = (what: string, sent: Form['sent'], ...refused: Form['refused']): Form => ({ what, sent, refused });

/** Texts that are no key. */
const texts: Readonly<Record<string, (keys: Keys) => string>> = {
  'the prefix alone': () => 'tbk_',
  'a key without its last character': ({ key }) => key.slice(0, -1),
  'a key with one character more': ({ key }) => `${key}0`,
  'a key without its checksum': ({ key }) => key.slice(0, -6),
  'a key without its secret': ({ key }) => key.slice(0, 28),
  'a key twice': ({ key }) => key + key,
  'two keys with a dot between': ({ key, other }) => `${key}.${other}`,
  'a key with an equals sign behind': ({ key }) => `${key}=`,
  'a key with a hyphen in it': ({ key }) => `${key.slice(0, 40)}-${key.slice(41)}`,
  'a key with a tilde in front of its secret': ({ key }) => `${key.slice(0, 28)}~${key.slice(28)}`,
  'a key whose id is in upper case': () => toKeyText('ABCDEFABCDEFABCDEFABCDEF', randomBytes),
  'a key whose id has no hex digit': () => toKeyText('z'.repeat(24), randomBytes),
  'a key in upper case': ({ key }) => `tbk_${key.slice(4).toUpperCase()}`,
  'a key in lower case': ({ key }) => key.toLowerCase(),
  'a key backwards': ({ key }) => `tbk_${[...key.slice(4)].reverse().join('')}`,
  'eight thousand characters': () => `tbk_${'0'.repeat(8_000)}`,
  'a key with its first digit changed': ({ key }) => `tbk_${key[4] === '0' ? '1' : '0'}${key.slice(5)}`,
  'a key with a letter of its secret changed': ({ key }) => `${key.slice(0, 35)}${key[35] === 'a' ? 'b' : 'a'}${key.slice(36)}`,
  'a key with its checksum of another': ({ key, other }) => key.slice(0, -6) + other.slice(-6),
  'a key with the checksum zero': ({ key }) => `${key.slice(0, -6)}000000`,
  'the id of one and the secret of another, whole': ({ key, other }) => rewhole(key.slice(0, 28) + other.slice(28, -6)),
  'the id of the other and the secret of the one': ({ key, other }) => rewhole(other.slice(0, 28) + key.slice(28, -6)),
  'a known id and a guessed secret': ({ id }) => toKeyText(id, randomBytes),
  'an id of nobody': () => toKeyText('0'.repeat(24), randomBytes),
  'its own hash for a secret': ({ id, key }) => rewhole(`tbk_${id}${hashOf(key).slice(0, 43)}`),
  'a revoked key': ({ revoked }) => revoked,
  'an expired key': ({ expired }) => expired,
  'the text before a rotation without overlap': ({ rotatedOut }) => rotatedOut,
};

/** With a checksum that holds: `toKeyText` makes one of what it is given. */
function rewhole(text: string): string {
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let sent = false;
  return toKeyText(text.slice(4, 28), () => {
    if (sent) throw new Error('one look is enough');
    sent = true;
    return Uint8Array.from(text.slice(28), (letter) => letters.indexOf(letter));
  });
}

/** Fields of `Authorization` that hold a good key, and are no bearer token. */
const fields: Readonly<Record<string, (key: string) => string>> = {
  'no scheme': (key) => key,
  'another scheme': (key) => `ApiKey ${key}`,
  'Basic': (key) => `Basic ${btoa(`${key}:`)}`,
  'a scheme that begins alike': (key) => `Bearertoken ${key}`,
  'quotes': (key) => `Bearer "${key}"`,
  'two keys': (key) => `Bearer ${key}, Bearer ${key}`,
  'a parameter': (key) => `Bearer ${key};a=b`,
  'a space in it': (key) => `Bearer ${key.slice(0, 40)} ${key.slice(40)}`,
};

const orderOf = { tenant: 'odeon', film: '01890a5d-ac96-774b-bcce-b302099a8057', seats: 1, buyer: 'ed' };
const merging = { 'content-type': 'application/merge-patch+json' };
const filmOf = { title: 'M', year: 1931 };
const step = (operation: object) => ({ path: '/v2/transaction', method: 'POST', json: { operations: [operation] } });

/** What a key for reading films is not for. */
const outOfScope: Readonly<Record<string, (keys: Keys) => Sent>> = {
  'makes a film': () => ({ path: '/v2/films', method: 'POST', json: filmOf }),
  'makes a film in the older version': () => ({ path: '/v1/films', method: 'POST', json: filmOf }),
  'makes a film in the version of a header': () => ({ path: '/films', method: 'POST', headers: { 'api-version': 'v1' }, json: filmOf }),
  'replaces a film': ({ film }) => ({ path: `/v2/films/${film}`, method: 'PUT', json: filmOf }),
  'patches a film': ({ film }) => ({ path: `/v2/films/${film}`, method: 'PATCH', headers: merging, json: { year: 1950 } }),
  'removes a film': ({ film }) => ({ path: `/v2/films/${film}`, method: 'DELETE' }),
  'removes films by a filter': () => ({ path: '/v2/films?title=M', method: 'DELETE' }),
  'patches several films': ({ film }) => ({ path: '/v2/films', method: 'PATCH', json: [{ id: film, merge: { year: 1931 } }] }),
  'imports films': () => ({ path: '/v2/films/import', method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, json: filmOf }),
  'lists orders': () => ({ path: '/v2/orders' }),
  'lists orders by HEAD': () => ({ path: '/v2/orders', method: 'HEAD' }),
  'lists places': () => ({ path: '/v2/places?state=MA' }),
  'follows reviews': () => ({ path: '/v2/reviews/changes' }),
  'makes a review': () => ({ path: '/v2/reviews', method: 'POST', json: { film: orderOf.film, rating: 4, text: 'Yes.' } }),
  'makes an order': () => ({ path: '/v2/orders', method: 'POST', json: orderOf }),
  'pays an order': () => ({ path: `/v2/orders/${orderOf.film}/pay`, method: 'POST', json: { card: 'tok_a' } }),
  'makes a film in a transaction': () => step({ op: 'create', resource: 'films', body: filmOf }),
  'removes a film in a transaction': ({ film }) => step({ op: 'remove', resource: 'films', id: film }),
  'patches a film in a transaction': ({ film }) => step({ op: 'patch', resource: 'films', id: film, merge: { year: 1950 } }),
  'makes an order in a transaction': () => step({ op: 'create', resource: 'orders', body: orderOf }),
  'makes a key': () => ({ path: '/v2/keys', method: 'POST', json: { name: 'b', scopes: ['films:read'] } }),
  'makes a key in the older version': () => ({ path: '/v1/keys', method: 'POST', json: { name: 'b', scopes: ['films:read'] } }),
  'lists keys': () => ({ path: '/v2/keys' }),
  'lists keys by HEAD': () => ({ path: '/v2/keys', method: 'HEAD' }),
  'gets itself': ({ id }) => ({ path: `/v2/keys/${id}` }),
  'rotates itself': ({ id }) => ({ path: `/v2/keys/${id}/rotate`, method: 'POST', json: {} }),
  'revokes itself': ({ id }) => ({ path: `/v2/keys/${id}`, method: 'DELETE' }),
};

const make = (body: object) => ({ path: '/v2/keys', method: 'POST', json: { name: 'b', scopes: ['films:read'], ...body } });

/** What no token is given. */
const tooMuch: Readonly<Record<string, (keys: Keys) => Sent>> = {
  'a role that is not the maker’s': ({ member }) => ({ ...make({ roles: ['admin'] }), headers: member }),
  'a role among those that are': ({ member }) => ({ ...make({ roles: ['editor', 'moderator'] }), headers: member }),
  'another tenant': ({ member }) => ({ ...make({ tenant: 'ritz' }), headers: member }),
  'a tenant without having one': ({ stranger }) => ({ ...make({ tenant: 'odeon' }), headers: stranger }),
  'a plan': ({ member }) => ({ ...make({ plan: 'partner' }), headers: member }),
  'an operation that no rule allows the maker': ({ stranger }) => ({ ...make({ scopes: ['films:create'] }), headers: stranger }),
  'keys': ({ admin }) => ({ ...make({ scopes: ['keys:*'] }), headers: admin }),
  'an empty list of scopes': ({ member }) => ({ ...make({ scopes: [] }), headers: member }),
  'scopes that are a text': ({ member }) => ({ ...make({ scopes: '*:*' }), headers: member }),
  'a pattern for a scope': ({ member }) => ({ ...make({ scopes: ['film*:*'] }), headers: member }),
  'a scope of three parts': ({ member }) => ({ ...make({ scopes: ['films:read:write'] }), headers: member }),
  'a resource of Tombolo’s own': ({ member }) => ({ ...make({ scopes: ['tombolo_api_keys:read'] }), headers: member }),
  'what a prototype has': ({ member }) => ({ ...make({ scopes: ['constructor:read'] }), headers: member }),
  'an end in the past': ({ member }) => ({ ...make({ expiresAt: '2000-01-01T00:00:00Z' }), headers: member }),
  'an address with a zero in front': ({ member }) => ({ ...make({ addresses: ['010.0.0.1'] }), headers: member }),
  'a network that is too long': ({ member }) => ({ ...make({ addresses: ['10.0.0.0/64'] }), headers: member }),
  'an origin that is a pattern': ({ member }) => ({ ...make({ origins: ['https://*.example'] }), headers: member }),
  'an owner': ({ admin }) => ({ ...make({ owner: 'ed' }), headers: admin }),
  'an id': ({ member }) => ({ ...make({ id: '0'.repeat(24) }), headers: member }),
  'a hash': ({ member }) => ({ ...make({ hash: '0'.repeat(64) }), headers: member }),
  'claims': ({ member }) => ({ ...make({ claims: { tenant: 'ritz' } }), headers: member }),
};

const spellings = [
  '/v2/.keys/ID', '/v1/.keys/ID', '/.keys/ID', '/v2/%2Ekeys/ID', '/v2//.keys/ID', '/v2/.keys', '/v2/.keys/ID/rotate',
  '/v2/films/../.keys/ID',
];

const rotating = ({ id }: Keys, headers: Headers, json: object = {}) => ({ path: `/v2/keys/${id}/rotate`, method: 'POST', json, headers });
const changing = ({ id }: Keys, method: string, headers: Headers, json?: object) => ({ path: `/v2/keys/${id}`, method, headers, json });
const repeated = { 'idempotency-key': 'a' };
const wider = { scopes: ['*:*'] };

const managed: Readonly<Record<string, Omit<Form, 'what'>>> = {
  'is made to be shown again': {
    sent: ({ member }) => ({ ...make({}), headers: { ...member, ...repeated } }), refused: [400, 'idempotency_refused'],
  },
  'is rotated to be shown again': {
    sent: (keys) => rotating(keys, { ...keys.member, ...repeated }), refused: [400, 'idempotency_refused'],
  },
  'is rotated for longer than a month': {
    sent: (keys) => rotating(keys, keys.member, { overlapSeconds: 2_678_401 }), refused: [422, 'document_invalid'],
  },
  'is rotated by an admin': { sent: (keys) => rotating(keys, keys.admin), refused: [403, 'forbidden'] },
  'is rotated by a stranger': { sent: (keys) => rotating(keys, keys.stranger), refused: [404, 'document_not_found'] },
  'is looked at by a stranger': { sent: (keys) => changing(keys, 'GET', keys.stranger), refused: [404, 'document_not_found'] },
  'is revoked by a stranger': { sent: (keys) => changing(keys, 'DELETE', keys.stranger), refused: [404, 'document_not_found'] },
  'is patched': { sent: (keys) => changing(keys, 'PATCH', keys.member, wider), refused: [405, 'method_not_allowed'] },
  'is replaced': { sent: (keys) => changing(keys, 'PUT', keys.member, wider), refused: [405, 'method_not_allowed'] },
  'is imported': {
    sent: ({ member }) => ({ path: '/v2/keys/import', method: 'POST', json: {}, headers: member }), refused: [405, 'method_not_allowed'],
  },
  'is reached in a transaction': {
    sent: ({ id, admin }) => ({ ...step({ op: 'remove', resource: 'keys', id }), headers: admin }), refused: [422, 'document_invalid'],
  },
};

const forms: readonly Form[] = [
  ...Object.entries(texts).map(([what, text]) =>
    form(`is ${what}`, (keys) => ({ headers: bearer(text(keys)) }), 401, 'key_invalid')),
  ...Object.entries(fields).map(([what, field]) =>
    form(`comes with ${what}`, ({ key }) => ({ headers: { authorization: field(key) } }), 401, 'token_invalid')),
  form('comes in a field of its own', ({ key }) => ({ path: '/v2/keys', headers: { 'x-api-key': key } }), 401, 'token_missing'),
  form('comes in a cookie', ({ key }) => ({ path: '/v2/keys', headers: { cookie: `key=${key}` } }), 401, 'token_missing'),
  form('comes in the query', ({ key }) => ({ path: `/v2/films?access_token=${key}` }), 400, 'query_invalid'),
  form('comes as a ticket', ({ key }) => ({ path: `/v2/reviews/changes?ticket=${key}` }), 401, 'token_invalid'),
  form('comes as a cursor', ({ key, member }) => ({ path: `/v2/keys?after=${key}`, headers: member }), 400, 'query_invalid'),
  ...Object.entries({
    'nothing more': {}, 'an address that was forwarded': { 'x-forwarded-for': '192.0.2.7' },
    'the address of a CDN': { 'cf-connecting-ip': '192.0.2.7' },
    'a forwarded field': { forwarded: 'for=192.0.2.7' }, 'a real address': { 'x-real-ip': '192.0.2.7' },
  }).map(([what, headers]) =>
    form(`is of another network, with ${what}`, ({ elsewhere }) => ({ headers: { ...bearer(elsewhere), ...headers } }), ...restricted)),
  ...Object.entries({
    'none': {}, 'a longer one': { origin: 'https://app.example.evil' }, 'a part of it': { origin: 'https://app' },
    'http': { origin: 'http://app.example' }, 'a port': { origin: 'https://app.example:8443' },
    'upper case': { origin: 'HTTPS://APP.EXAMPLE' }, 'a slash': { origin: 'https://app.example/' }, 'the opaque one': { origin: 'null' },
    'two': { origin: 'https://app.example https://evil.example' }, 'a referrer': { referer: 'https://app.example/' },
    'a subdomain': { origin: 'https://a.app.example' },
  }).map(([what, headers]) =>
    form(`is of another origin, with ${what}`, ({ ofPage }) => ({ headers: { ...bearer(ofPage), ...headers } }), ...restricted)),
  ...Object.entries(outOfScope).map(([what, sent]) => form(`is for reading films, and ${what}`, (keys) => {
    const { headers, ...rest } = sent(keys);
    return { ...rest, headers: { ...bearer(keys.key), ...headers } };
  }, ...restricted)),
  ...Object.entries(tooMuch).map(([what, sent]) => form(`is to be made with ${what}`, sent, 422, 'document_invalid')),
  ...spellings.flatMap((path) => [
    form(`is asked for at ${path}`, ({ id, admin }) => ({ path: path.replace('ID', id), headers: admin }), 404, 'route_not_found'),
  ]),
  form('is made by nobody', () => make({}), 401, 'token_missing'),
  ...Object.entries(managed).map(([what, { sent, refused }]) => form(what, sent, ...refused)),
];

test('there are more than a hundred forms, each its own', () => {
  expect(forms.length).toBeGreaterThan(100);
  expect(new Set(forms.map(({ what }) => what)).size).toBe(forms.length);
});

describe.each(engines)('on %s, a key', (engine) => {
  let world: ContractWorld;
  let keys: Keys;
  let silent: readonly { mockRestore(): void }[] = [];
  const list = async () => (await world.request('/v2/keys?limit=200', { headers: keys.admin })).json['data'] as readonly object[];
  const withoutUse = (all: readonly object[]) => all.map((each) => ({ ...each, lastUsedAt: undefined }));
  const total = async () => (await world.request('/v2/films?count=exact', { headers: keys.member })).json['page'];

  beforeAll(async () => {
    silent = (['info', 'warn', 'error'] as const).map((level) => spyOn(console, level).mockImplementation(() => undefined));
    world = await ContractWorld.on(engine, served);
    const token = async (sub: string, claims: object) =>
      bearer(await world.issuer.token('ed', { payload: { sub, plan: 'bench', ...claims } }));
    const member = await token('ed', { roles: ['editor'], tenant: 'odeon' });
    const made = async (body: object = {}) => {
      const { status, json } = await world.request('/v2/keys', { json: { name: 'a', scopes: ['films:read'], ...body }, headers: member });
      expect(status).toBe(201);
      return { id: String(json['id']), key: String(json['key']) };
    };
    const [one, other, revoked, rotated] = [await made(), await made(), await made(), await made()];
    // A busy machine takes a while to make it.
    const expiresAt = Date.now() + 1_000;
    const expired = await made({ expiresAt: new Date(expiresAt).toISOString() });
    const film = await world.request('/v2/films', { json: filmOf, headers: member });
    keys = {
      key: one.key, id: one.id, other: other.key, revoked: revoked.key, rotatedOut: rotated.key, film: String(film.json['id']), member,
      expired: expired.key,
      elsewhere: (await made({ addresses: ['192.0.2.0/24'] })).key,
      ofPage: (await made({ origins: ['https://app.example'] })).key,
      stranger: await token('eve', {}), admin: await token('root', { roles: ['admin'] }),
    };
    await world.request(`/v2/keys/${revoked.id}`, { method: 'DELETE', headers: member });
    await world.request(`/v2/keys/${rotated.id}/rotate`, { json: { overlapSeconds: 0 }, headers: member });
    // The memo and a report: what is revoked stops by then.
    await Bun.sleep(Math.max(400, expiresAt - Date.now()));
  }, 60_000);
  afterAll(async () => {
    silent.forEach((spy) => spy.mockRestore());
    await world[Symbol.asyncDispose]();
  });

  test('is taken where it is good', async () => {
    expect((await world.request('/v2/films', { headers: bearer(keys.key) })).status).toBe(200);
    expect((await world.request('/v2/films', { headers: { ...bearer(keys.ofPage), origin: 'https://app.example' } })).status).toBe(200);
  });

  test.each(forms.map((each) => [each.what, each] as const))('%s', async (_what, { sent, refused }) => {
    const before = [withoutUse(await list()), await total()];
    const { path = '/v2/films', ...rest } = sent(keys);
    const { status, json } = await world.request(path, rest);
    expect([status, rest.method === 'HEAD' ? refused[1] : json['code']]).toEqual([...refused]);
    expect([withoutUse(await list()), await total()]).toEqual(before);
  });
});
