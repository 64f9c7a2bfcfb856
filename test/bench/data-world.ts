/** A film library with reviews, in `npm run serve` and in PocketBase, for what is asked of a data API beside gets and lists. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { OriginProcess } from '../support/origin-process.ts';
import { findReads, type Reads } from './bench-world.ts';
import { filmsNdjson, inventedReviews, rareWords, reviewsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { megabytesOfAll } from './cpu-time.ts';
import type { Footprint } from './one-page.ts';
import { type PocketRunner, type Runner, startOne, startPocketBase } from './one-servers.ts';
import { type Disposals, opened } from './opened.ts';

export interface DataWorld {
  /** Of the author of all reviews. */
  readonly token: string;
  readonly lists: Reads;
  /** The ids of the films that have reviews. */
  readonly films: readonly string[];
  /** The ids of some reviews. */
  readonly reviews: readonly string[];
  /** Words that a few reviews in a thousand have. */
  readonly words: readonly string[];
  readonly one: Runner;
  readonly pocketBase: PocketRunner;
  close(): Promise<void>;
}

export function startDataWorld(): Promise<DataWorld> {
  return opened(open);
}

async function open(disposals: Disposals): Promise<Omit<DataWorld, 'close'>> {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-data-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  const keys = await openDevelopmentKeys(dir);
  const { issuer, audience, mint } = await openIdentity(dir);
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', TOMBOLO_ENV: 'development',
  });
  disposals.push(() => origin.kill9());
  await origin.start();
  await importAtOrigin(origin.url, keys, filmsNdjson());
  const reads = await findReads(origin.url, keys);
  const films = [...reads.films.keys()].map((target) => target.slice('/v2/films/'.length));
  const said = inventedReviews(films);
  await importAtOrigin(origin.url, keys, reviewsNdjson(said));
  const one = await startOne({ dir, keys, issuer, audience, jwksUrl: `${origin.url}/.well-known/jwks.json` }, reads, disposals);
  const pocketBase = await startPocketBase(dir, disposals, (ids) =>
    inventedReviews(ids).map((review, row) => ({ ...review, id: toPocketId(row) })));
  return {
    one, pocketBase, films, lists: reads.lists, words: rareWords(said), reviews: await someReviews(one, films),
    token: await mint({ subject: 'bench', roles: ['editor'], plan: 'bench' }),
  };
}

export function toPocketId(row: number): string {
  return `r${String(row).padStart(14, '0')}`;
}

export function toDataFootprints({ one, pocketBase }: DataWorld): readonly Footprint[] {
  return [['one process', one] as const, ['PocketBase', pocketBase] as const].flatMap(([who, runner]) =>
    (runner === undefined ? [] : [{ who, megabytes: megabytesOfAll(runner), readyMs: runner.readyMs }]));
}

async function someReviews({ port }: Runner, films: readonly string[]): Promise<readonly string[]> {
  const pages = await Promise.all(films.slice(0, 16).map(async (film) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/reviews?film=${film}&limit=100&fields=id`);
    return ((await answer.json()) as { readonly data: readonly { readonly id: string }[] }).data;
  }));
  return pages.flat().map(({ id }) => id);
}
