/**
 * A film library with reviews, for what is asked of a data API beside gets and lists: in `npm run serve` and in PocketBase, or in
 * `npm run serve` and in RESTHeart on one MongoDB.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { OriginProcess } from '../support/origin-process.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import { findReads, type Reads } from './bench-world.ts';
import { filmsNdjson, inventedReviews, rareWords, reviewsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { megabytesOfAll } from './cpu-time.ts';
import { type HeartRunner, startRestHeart, startTestMongod } from './mongo-servers.ts';
import type { Footprint } from './one-page.ts';
import { type OneOptions, type PocketRunner, type Runner, startOne, startPocketBase } from './one-servers.ts';
import { type Disposals, opened } from './opened.ts';
import { fetchRestHeart } from './restheart.ts';

/** A Tombolo, and what there is to ask it for. */
interface Library {
  readonly runner: Runner;
  readonly lists: Reads;
  /** The ids of the films that have reviews. */
  readonly films: readonly string[];
  /** The ids of some reviews. */
  readonly reviews: readonly string[];
}

export interface DataWorld {
  /** Of the author of all reviews. */
  readonly token: string;
  /** Words that a few reviews in a thousand have. */
  readonly words: readonly string[];
  readonly one: Library;
  readonly pocketBase: PocketRunner;
  /** Beside a Tombolo on MongoDB; `undefined` where there is no Java to run it. */
  readonly restHeart: HeartRunner | undefined;
  close(): Promise<void>;
}

type Opened = Omit<DataWorld, 'close'>;

export function startDataWorld(): Promise<DataWorld> {
  return opened(async (disposals): Promise<Opened> => {
    const dir = toDir(disposals);
    const pocketBase = () => startPocketBase(dir, disposals, (ids) =>
      inventedReviews(ids).map((review, row) => ({ ...review, id: toPocketId(row) })));
    return { ...(await open({ dir, mongoUri: '' }, disposals)), pocketBase: await pocketBase(), restHeart: undefined };
  });
}

export function startMongoWorld(): Promise<DataWorld> {
  return opened(async (disposals): Promise<Opened> => {
    const [dir, uriOf, jars] = [toDir(disposals), await startTestMongod(disposals), fetchRestHeart()];
    const world = await open({ dir, mongoUri: uriOf('tombolo') }, disposals);
    const restHeart = jars === undefined ? undefined : await startRestHeart({ jars, dir, uri: uriOf('bench') }, disposals);
    return { ...world, pocketBase: undefined, restHeart };
  });
}

function toDir(disposals: Disposals): string {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-data-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

interface Place {
  readonly dir: string;
  /** Empty where it is on SQLite. */
  readonly mongoUri: string;
}

async function open({ dir, mongoUri }: Place, disposals: Disposals): Promise<Pick<DataWorld, 'token' | 'words' | 'one'>> {
  const keys = await openDevelopmentKeys(dir);
  const { issuer, audience, mint } = await openIdentity(dir);
  const wordless = makeWordlessFilms();
  disposals.push(wordless.remove);
  const { releaseDir } = wordless;
  const { origin, ids, ...reads } = await fill({ dir, keys, mongoUri, releaseDir }, disposals);
  const jwksUrl = `${origin.url}/.well-known/jwks.json`;
  const runner = await startOne({ dir, keys, releaseDir, issuer, audience, jwksUrl, mongoUri }, reads, disposals);
  return {
    one: { runner, lists: reads.lists, films: ids, reviews: await someReviews(runner, ids) },
    words: rareWords(inventedReviews(ids)),
    token: await mint({ subject: 'bench', roles: ['editor'], plan: 'bench' }),
  };
}

/** An origin of development that has taken films and reviews in. */
async function fill({ dir, keys, mongoUri, releaseDir }: Place & Pick<OneOptions, 'keys' | 'releaseDir'>, disposals: Disposals) {
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dir, MONGODB_URI: mongoUri, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', TOMBOLO_ENV: 'development',
  });
  disposals.push(() => origin.kill9());
  await origin.start({ releaseDir });
  await importAtOrigin(origin.url, keys, filmsNdjson());
  const reads = await findReads(origin.url, keys);
  const ids = [...reads.films.keys()].map((target) => target.slice('/v2/films/'.length));
  await importAtOrigin(origin.url, keys, reviewsNdjson(inventedReviews(ids)));
  return { origin, ids, ...reads };
}

export function toPocketId(row: number): string {
  return `r${String(row).padStart(14, '0')}`;
}

/** By the names of `data-contenders.ts`, in the order of the record. */
export function toDataFootprints({ one: { runner: one }, pocketBase, restHeart }: DataWorld): readonly Footprint[] {
  return ([['one process', one], ['PocketBase', pocketBase], ['RESTHeart', restHeart]] as const).flatMap(([who, runner]) =>
    (runner === undefined ? [] : [{ who, megabytes: megabytesOfAll(runner), readyMs: runner.readyMs }]));
}

async function someReviews({ port }: Runner, films: readonly string[]): Promise<readonly string[]> {
  const pages = await Promise.all(films.slice(0, 16).map(async (film) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/reviews?film=${film}&limit=100&fields=id`);
    return ((await answer.json()) as { readonly data: readonly { readonly id: string }[] }).data;
  }));
  return pages.flat().map(({ id }) => id);
}
