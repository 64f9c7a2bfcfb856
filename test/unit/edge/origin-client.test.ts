/** The one way to the origin, asked without the pipeline around it. */
import { afterAll, afterEach, beforeAll, expect, setSystemTime, test } from 'bun:test';
import { Macs } from '../../../edge/origin-client/macs.ts';
import { OriginClient, type Question } from '../../../edge/origin-client/origin-client.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { toHasher } from '../../support/hasher.ts';
import { ScriptedOrigin, testKeys } from '../../support/scripted-origin.ts';

let origin: ScriptedOrigin;
beforeAll(() => {
  origin = new ScriptedOrigin();
});
afterAll(() => origin.stop());
afterEach(() => {
  setSystemTime();
  origin.keys = mustKeyRing(testKeys);
});

const hasher = toHasher();
const macs = () => new Macs(mustKeyRing(testKeys), hasher);
const only = (url: string) => [{ url: new URL(url), weight: 1, canaryPercent: undefined }];
const clientOf = () => new OriginClient({ origins: only(origin.url), macs: macs(), hasher });
const question = (given: Partial<Question> = {}): Question => ({
  method: 'GET', target: { path: '/v2/films', query: '?limit=1' }, safe: true, principal: anonymous, headers: {},
  deadlineAt: Date.now() + 5_000, requestId: 'req_1', traceparent: '00-1-1-00',
  refusedAt: 4, waitUntil: (work) => void work, ...given,
});
const upload = (text: string) => question({ method: 'POST', safe: false, body: () => new Blob([text]).stream() });

test('asks with what the question says, and gives what the origin signed', async () => {
  origin.script = () => ({ body: '{}', headers: { 'content-type': 'application/json' }, read: `${'a'.repeat(16)}.00000001;digest;public` });
  const {
    status,
    headers: given,
    body,
    facts,
  } = await clientOf().ask(question({ headers: { 'if-none-match': '"x"' }, atLeast: { epoch: 'a'.repeat(16), order: '00000001' } }));
  expect([status, await new Response(body).text(), facts]).toEqual([
    200,
    '{}',
    { position: { epoch: 'a'.repeat(16), order: '00000001' }, resourceDigest: 'digest', scopeDigest: 'public', others: [] },
  ]);
  expect(given).toEqual({ 'content-type': 'application/json' });
  const { headers, path, query } = origin.seen.at(-1) ?? { headers: new Headers(), path: '', query: '' };
  expect([path, query, headers.get('if-none-match'), headers.get('tombolo-after'), headers.get('tombolo-request')]).toEqual([
    '/v2/films',
    '?limit=1',
    '"x"',
    `${'a'.repeat(16)}.00000001`,
    'req_1',
  ]);
});

test('finds the key that the origin has before it sends a stream, also when the first key has its turn again', async () => {
  const [, old] = origin.keys;
  origin.keys = [old ?? origin.keys[0]];
  origin.script = ({ method }) => ({ status: method === 'POST' ? 200 : 404 });
  const client = clientOf();
  for (const laterMs of [0, 11_000, 25_000]) {
    setSystemTime(Date.now() + laterMs);
    expect((await client.ask(upload('a'))).status).toBe(200);
    setSystemTime();
  }
  expect(origin.seen.filter(({ method }) => method === 'POST')).toHaveLength(3);
});
