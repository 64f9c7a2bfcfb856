/** What a signature must cover for the origin to act on it, and what the absence of the rest means. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { handle } from '../../../origin/pipeline.ts';
import { served } from '../../../shared/resources/all.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { toFilm, toPlace } from '../../support/film.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { type HopInput, principalHeader, signHop } from '../../support/signed-hop.ts';

let origin: Pipeline;
beforeAll(async () => {
  origin = await Pipeline.on('sqlite', served);
});
afterAll(() => origin[Symbol.asyncDispose]());

async function send(path: string, given: Omit<HopInput, 'url'>): Promise<{ status: number; code: string; text: string }> {
  const { url, init } = signHop(testKeys, { url: `http://origin.test${path}`, ...given });
  const response = await handle(origin.context, new Request(url, init), () => undefined);
  const text = await response.text();
  return { status: response.status, text, code: /"code":"([a-z_]+)"/.exec(text)?.[1] ?? '' };
}

const everything = {
  'content-type': 'application/json', 'tombolo-principal': principalHeader('ada', ['editor']),
  'tombolo-request': 'req_1', 'tombolo-deadline': '5000',
} as const;
const creation = { method: 'POST', body: JSON.stringify(toFilm()), headers: everything } as const;
const upload = {
  method: 'POST', body: JSON.stringify({ id: '12345', ...toPlace() }), headers: { ...everything, 'content-type': 'application/x-ndjson' },
} as const;

test('a body in memory is not read unless its digest is covered', async () => {
  expect(await send('/v2/films', { ...creation, uncovered: ['content-digest'] })).toMatchObject({ status: 401, code: 'hop_invalid' });
  expect((await send('/v2/films', creation)).status).toBe(201);
});

test.each(['tombolo-upload', 'content-type'])('an upload is not read unless %s is covered', async (name) => {
  expect(await send('/v2/places/import', { ...upload, uncovered: [name] })).toMatchObject({ status: 401, code: 'hop_invalid' });
  expect((await send('/v2/places/12345', { headers: everything })).status).toBe(404);
});

test('an upload whose edge covers what is demanded is read', async () => {
  expect((await send('/v2/places/import', upload)).text).toContain('"complete":true');
});

test.each(['tombolo-request', 'tombolo-deadline', 'traceparent'])(
  'without %s a request is answered by what its absence means',
  async (name) => {
    expect((await send('/v2/films', { ...creation, uncovered: [name] })).status).toBe(201);
  },
);

test('a deadline or a principal beside the signature is not there', async () => {
  const late = { ...creation, headers: { ...everything, 'tombolo-deadline': '0' } };
  expect((await send('/v2/films', late)).status).toBe(504);
  expect((await send('/v2/films', { ...late, uncovered: ['tombolo-deadline'] })).status).toBe(201);
  expect(await send('/v2/films', { ...creation, uncovered: ['tombolo-principal'] })).toMatchObject({ status: 401, code: 'token_missing' });
});
