/** An origin in this process with one film, which is read from its store each time, and gets of it, signed and carried out. */
import type { OriginContext } from '../../origin/origin-context.ts';
import { handle } from '../../origin/pipeline.ts';
import { served } from '../../shared/resources/all.ts';
import { OpenedOrigin } from '../support/opened-origin.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { principalHeader, signHop } from '../support/signed-hop.ts';

const getsPerRound = 1_000;
const id = '01a22632-0000-7000-8000-000000000000';
const filmsServed = served.resources.get('films');
if (filmsServed === undefined) throw new Error('there are no films');
export const films = filmsServed;

export async function openWithFilm(): Promise<OpenedOrigin> {
  const origin = await OpenedOrigin.on('sqlite', served, {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
  const now = new Date().toISOString();
  await origin.put(films, id, { title: 'A film', year: 2000, genres: ['Drama'], cast: [], rev: 1, createdAt: now, updatedAt: now });
  return origin;
}

/** As the edge names a request. */
export function newRequestId(): string {
  return `req_${crypto.randomUUID().replaceAll('-', '')}`;
}

function signed(): Request {
  const headers = { 'tombolo-principal': principalHeader('ada', ['editor']), 'tombolo-request': newRequestId() };
  const { url, init } = signHop(testKeys, { url: `http://origin.test/v2/films/${id}`, method: 'GET', headers });
  return new Request(url, init);
}

/** Microseconds of a get. */
export async function roundOfGets(context: OriginContext): Promise<number> {
  const asked = Array.from({ length: getsPerRound }, signed);
  const beganAtMs = performance.now();
  for (const request of asked) {
    const { status } = await handle(context, request, () => undefined);
    if (status !== 200) throw new Error(`a get answered ${status}`);
  }
  return ((performance.now() - beganAtMs) * 1_000) / getsPerRound;
}
