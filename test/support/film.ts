/** Films as tests write them. */
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, FilmDocument } from './answer.ts';
import type { World } from './whole-world.ts';

export interface FilmInput {
  readonly title?: string;
  readonly year?: number;
  readonly genres?: readonly string[];
}

export function toFilm({ title = 'The Third Man', year = 1949, genres = ['Noir'] }: FilmInput = {}): JsonObject {
  return { title, year, genres, cast: [] };
}

export function toPlace(): JsonObject {
  return { latitude: 1, longitude: 2, city: 'Nowhere', state: 'ZZ', county: 'None' };
}

/** Created through the edge, as a client does it; throws when that is refused. */
export async function createFilm(world: World, input: FilmInput = {}): Promise<{ film: FilmDocument; answer: Answer; path: string }> {
  const answer = await world.request('/v2/films', { token: await world.token(), json: toFilm(input) });
  if (answer.status !== 201) throw new Error(`creating a film is answered ${answer.status}: ${answer.text}`);
  return { film: answer.film, answer, path: `/v2/films/${answer.film.id}` };
}

export async function patchFilm(world: World, path: string, patch: Readonly<Record<string, unknown>>): Promise<Answer> {
  const answer = await world.request(path, {
    method: 'PATCH', token: await world.token(), headers: { 'content-type': 'application/merge-patch+json' }, body: JSON.stringify(patch),
  });
  if (answer.status !== 200) throw new Error(`changing ${path} is answered ${answer.status}: ${answer.text}`);
  return answer;
}

/** NDJSON through the edge; the summary line of the report, and the lines before it. */
export async function importRows(
  world: World,
  collection: string,
  body: Bun.BodyInit,
  query = '',
  version = 'v2',
): Promise<{ summary: ImportSummary; rejected: string[] }> {
  const answer = await world.request(`/${version}/${collection}/import${query}`, {
    token: await world.token(),
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  });
  const lines = answer.text.trimEnd().split('\n');
  const last = JSON.parse(lines.pop() ?? '{}') as { summary?: ImportSummary };
  if (answer.status !== 200 || last.summary === undefined) {
    throw new Error(`the import is answered ${answer.status}: ${answer.text.slice(0, 500)}`);
  }
  return { summary: last.summary, rejected: lines };
}

export interface ImportSummary {
  readonly imported: number;
  readonly replaced: number;
  readonly skipped: number;
  readonly rejected: number;
  readonly lastCommittedRow: number;
  readonly complete: boolean;
}
