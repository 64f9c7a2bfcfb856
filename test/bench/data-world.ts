/**
 * A film library with reviews, for what is asked of a data API beside gets and lists: in `npm run serve` and in PocketBase, and, where
 * there is Java, in `npm run serve` and in RESTHeart on one MongoDB.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { OriginProcess } from '../support/origin-process.ts';
import { findReads, type Reads } from './bench-world.ts';
import { filmsNdjson, inventedReviews, rareWords, reviewsNdjson } from './data.ts';
import { importAtOrigin } from './imports.ts';
import { megabytesOfAll } from './cpu-time.ts';
import { type HeartRunner, startRestHeart, startTestMongod } from './mongo-servers.ts';
import type { Footprint } from './one-page.ts';
import { type PocketRunner, type Runner, startOne, startPocketBase } from './one-servers.ts';
import { type Disposals, opened } from './opened.ts';
import { fetchRestHeart } from './restheart.ts';

/** A Tombolo, and what there is to ask it for. */
export interface Library {
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
  /** `undefined` where there is no Java to run RESTHeart. */
  readonly onMongo: { readonly one: Library; readonly restHeart: HeartRunner } | undefined;
  close(): Promise<void>;
}

export function startDataWorld(): Promise<DataWorld> {
  return opened(open);
}

interface Provider {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
}

async function open(disposals: Disposals): Promise<Omit<DataWorld, 'close'>> {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-bench-data-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  const keys = await openDevelopmentKeys(dir);
  const { issuer, audience, mint } = await openIdentity(dir);
  const filled = await fill({ dir, keys, mongoUri: '' }, disposals);
  const provider = { issuer, audience, jwksUrl: `${filled.origin.url}/.well-known/jwks.json` };
  const one = await toLibrary(filled, await startOne({ dir, keys, ...provider }, filled, disposals));
  const pocketBase = await startPocketBase(dir, disposals, (ids) =>
    inventedReviews(ids).map((review, row) => ({ ...review, id: toPocketId(row) })));
  const jars = fetchRestHeart();
  return {
    one, pocketBase, words: rareWords(inventedReviews(one.films)),
    onMongo: jars === undefined ? undefined : await startOnMongo({ dir, keys, provider, jars }, disposals),
    token: await mint({ subject: 'bench', roles: ['editor'], plan: 'bench' }),
  };
}

async function startOnMongo(
  { dir, keys, provider, jars }: { readonly dir: string; readonly keys: string; readonly provider: Provider; readonly jars: string },
  disposals: Disposals,
) {
  const uriOf = await startTestMongod(disposals);
  const filling = { dir: join(dir, 'filling'), keys, mongoUri: uriOf('tombolo') };
  mkdirSync(filling.dir);
  const filled = await fill(filling, disposals);
  await filled.origin.stop();
  const runner = await startOne({ dir, keys, ...provider, mongoUri: filling.mongoUri }, filled, disposals);
  return { one: await toLibrary(filled, runner), restHeart: await startRestHeart({ jars, dir, uri: uriOf('bench') }, disposals) };
}

/** An origin of development that has taken films and reviews in. */
async function fill(
  { dir, keys, mongoUri }: { readonly dir: string; readonly keys: string; readonly mongoUri: string }, disposals: Disposals,
) {
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dir, MONGODB_URI: mongoUri, TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', TOMBOLO_ENV: 'development',
  });
  disposals.push(() => origin.kill9());
  await origin.start();
  await importAtOrigin(origin.url, keys, filmsNdjson());
  const reads = await findReads(origin.url, keys);
  const ids = [...reads.films.keys()].map((target) => target.slice('/v2/films/'.length));
  await importAtOrigin(origin.url, keys, reviewsNdjson(inventedReviews(ids)));
  return { origin, ids, ...reads };
}

async function toLibrary({ ids, lists }: { readonly ids: readonly string[]; readonly lists: Reads }, runner: Runner): Promise<Library> {
  return { runner, lists, films: ids, reviews: await someReviews(runner, ids) };
}

export function toPocketId(row: number): string {
  return `r${String(row).padStart(14, '0')}`;
}

/** By the names of `data-contenders.ts`, in the order of the record. */
export function toDataFootprints({ one, pocketBase, onMongo }: DataWorld): readonly Footprint[] {
  return ([
    ['one process', one.runner], ['PocketBase', pocketBase],
    ['one process, MongoDB', onMongo?.one.runner], ['RESTHeart', onMongo?.restHeart],
  ] as const).flatMap(([who, runner]) =>
    (runner === undefined ? [] : [{ who, megabytes: megabytesOfAll(runner), readyMs: runner.readyMs }]));
}

async function someReviews({ port }: Runner, films: readonly string[]): Promise<readonly string[]> {
  const pages = await Promise.all(films.slice(0, 16).map(async (film) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/reviews?film=${film}&limit=100&fields=id`);
    return ((await answer.json()) as { readonly data: readonly { readonly id: string }[] }).data;
  }));
  return pages.flat().map(({ id }) => id);
}
