/** Hostile inputs to the origin's parsers, behind a true signature: as if an edge passed on all that it was sent. */
import fc from 'fast-check';
import { served } from '../../../shared/resources/all.ts';

export interface HostileInput {
  readonly method: string;
  readonly path: string;
  /** The query with its question mark, or empty. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const names = ['films', 'places', 'reviews', 'orders', 'cinemas', 'screenings', 'film-ratings', 'usage-alerts'] as const;
const fields = [...new Set([...served.resources.values()].flatMap(({ fields: own }) => [...own.keys()]))];
const nasty = fc.constantFrom(
  '', '0', '-1', '1e400', 'NaN', 'null', 'true', '[]',
  '{}',
  '$gt', '__proto__', 'constructor', "'", '"', '%', '%00', '%ff', '\u0000', '\ud800',
  '\u{10ffff}',
  ',', ',,', '*', '..', '../..', "' OR 1=1 --",
  '"}]',
  '\\', 'x'.repeat(600), '9'.repeat(400), '2026-13-45', '2026-01-01T00:00:00Z', '000000000000000000000000',
  '0198c0de-0000-7000-8000-000000000000',
);
const text = fc.oneof(
  { weight: 3, arbitrary: nasty },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
);
const name = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...fields, 'sort', 'limit', 'after', 'fields', 'count', 'id', 'onDuplicate', 'q', 'near', 'distance', 'within', 'version', 'ticket',
    ),
  },
  { weight: 1, arbitrary: text },
);
const operator = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '', '[in]', '[gt]', '[gte]', '[lt]', '[lte]', '[prefix]') },
  { weight: 1, arbitrary: fc.constantFrom('[$gt]', '[]', '[', '[in][in]', '[ne]', '[__proto__]', '[constructor]', '.a') },
);
const sortText = fc
  .array(fc.tuple(fc.constantFrom('', '-', '--', '+'), name), { minLength: 1, maxLength: 4 })
  .map((keys) => keys.map((key) => key.join('')).join());

/** Half of the parameters make sense, so that what is wrong stands beside what is right. */
const parameter = fc.oneof(
  fc.tuple(fc.tuple(name, operator).map((pair) => pair.join('')), text),
  fc.tuple(fc.constantFrom('sort', 'fields'), sortText),
  fc.constantFrom<[string, string]>(
    ['limit', '3'], ['genres', 'Noir'], ['state', 'NY'], ['status', 'placed'], ['count', 'exact'], ['year[gte]', '1900'],
    ['film', '0198c0de-0000-7000-8000-000000000000'], ['sort', '-year,title'], ['near', '24.94,60.17'], ['distance', '5000'],
    ['within', '170,-20,-170,-10'], ['within', '{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]]]}'], ['kind', 'theatre'],
  ),
);
const query = fc.array(parameter, { maxLength: 5 }).chain((parameters) => fc.boolean().map((raw) => {
  if (parameters.length === 0) return '';
  // A raw query is one that no URL API writes, and that a socket carries all the same.
  return raw ? `?${parameters.map((pair) => pair.map(toRawPart).join('=')).join('&')}` : `?${new URLSearchParams(parameters)}`;
}));

function toRawPart(part: string): string {
  return part.replace(/[^\x21-\x7e]|#/gu, (character) => encodeURIComponent(character.isWellFormed() ? character : '\ufffd'));
}

const base64 = fc.string({ unit: 'binary', maxLength: 60 }).map((inner) => Buffer.from(inner).toString('base64url'));
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
/** Cursors and positions: the right form with a wrong MAC, parts swapped, cut or doubled. */
const token = fc.oneof(
  text,
  base64,
  fc
    .tuple(
      fc.oneof(
        base64,
        json.map((inner) => Buffer.from(inner).toString('base64url')),
      ),
      base64,
    )
    .map((parts) => parts.join('.')),
  fc.tuple(fc.stringMatching(/^[0-9a-f]{16}$/), fc.stringMatching(/^[0-9a-f]{8,64}$/), base64).map((parts) => parts.join('.')));
const cursorQuery = fc
  .tuple(token, query)
  .map(([after, rest]) => `${rest === '' ? '?' : `${rest}&`}after=${encodeURIComponent(after.toWellFormed())}`);

const segment = fc
  .oneof(
    text.map((id) => encodeURIComponent(id.toWellFormed())),
    fc.constantFrom(
      'import', 'export', 'changes', '%', '%zz', '%00', '%2f', 'constructor', '__proto__', '0198c0de-0000-7000-8000-000000000000',
      '12345', 'a'.repeat(200),
    ),
  )
  .map((id) => id.replace(/^\.+$/, '%2e'));
const path = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...names).map((resource) => `/v2/${resource}`) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...names), segment).map(([resource, id]) => `/v2/${resource}/${id}`) },
  { weight: 1, arbitrary: fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`) },
);

/** Documents with one thing wrong or more, and texts that are none. */
const documents: Readonly<Record<string, object>> = {
  film: { title: 'A', year: 1949, genres: ['Noir'], cast: [] },
  place: { id: '99999', latitude: 1, longitude: 1, city: 'A', state: 'NY', county: '' },
  review: { film: '0198c0de-0000-7000-8000-000000000000', author: 'eve', status: 'draft', rating: 1, text: 'a' },
  order: { tenant: 'acme', film: '0198c0de-0000-7000-8000-000000000000', seats: 1, buyer: 'eve' },
};
const wrongValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, '', '\ud800', 1e21, -0, [[]], [null], { $gt: '' }, 'x'.repeat(25_000)),
);
const member = fc.tuple(fc.oneof(name, fc.constantFrom('rev', 'createdAt', '$set', '__proto__')), wrongValue);
const spoilt = fc
  .tuple(fc.constantFrom(...Object.values(documents)), fc.array(member, { minLength: 1, maxLength: 3 }))
  .map(([document, members]) => JSON.stringify(Object.fromEntries([...Object.entries(document), ...members])));
const body = fc.oneof(
  { weight: 4, arbitrary: spoilt },
  { weight: 2, arbitrary: json },
  { weight: 1, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '[',
      '{"a":',
      '['.repeat(20_000),
      `{"title":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      '{"title":"a","title":1}',
      '\ufeff{}',
    ),
  },
);

const headerText = fc.oneof(
  fc.string({ maxLength: 40 }).map((value) => value.replace(/[^\x20-\x7e]/g, '').trim()),
  token.map((value) => value.replace(/[^\x21-\x7e]/gu, '')),
);
const header = fc.tuple(
  fc.constantFrom(
    'if-match', 'if-none-match', 'last-event-id', 'tombolo-after', 'idempotency-key', 'tombolo-deadline', 'accept', 'traceparent',
    'tombolo-request',
  ),
  headerText,
);

const collection = fc.constantFrom(...names).map((resource) => `/v2/${resource}`);
const document = fc.tuple(collection, segment).map((parts) => parts.join('/'));
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS');
/** Mostly a method where there is one, so that what lies behind the routes is reached. */
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      method: fc.constant('GET'),
      path: collection,
      query: fc.oneof({ weight: 3, arbitrary: query }, { weight: 1, arbitrary: cursorQuery }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ method: fc.constantFrom('GET', 'DELETE'), path: document, query }) },
  { weight: 4, arbitrary: fc.record({ method: fc.constant('POST'), path: collection, query: fc.constant('') }) },
  { weight: 4, arbitrary: fc.record({ method: fc.constantFrom('PUT', 'PATCH'), path: document, query: fc.constant('') }) },
  { weight: 1, arbitrary: fc.record({ method: fc.constant('POST'), path: collection.map((at) => `${at}/import`), query }) },
  { weight: 1, arbitrary: fc.record({ method, path, query }) },
);

export const hostileInput: fc.Arbitrary<HostileInput> = fc.record({
  target,
  headers: fc.array(header, { maxLength: 2 }).map((pairs) => Object.fromEntries(pairs.filter(([, value]) => value !== ''))),
  body: body.map((given) => given.toWellFormed()),
}).map((input) => ({ ...input.target, headers: input.headers, body: /^P/.test(input.target.method) ? input.body : undefined }));
