/** What is measured on MongoDB: its test server, a process that nobody counts, and RESTHeart with the documents of PocketBase. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { filmsNdjson, inventedReviews } from './data.ts';
import { type Runner, untilAnswered } from './one-servers.ts';
import type { Disposals } from './opened.ts';
import { type HeartFilm, RestHeart } from './restheart.ts';

export interface HeartRunner extends Runner {
  /** The ids of the films that have reviews, and those of all reviews. */
  readonly films: readonly string[];
  readonly reviews: readonly string[];
}

/** A connection string of the test server for each name of a database. */
export async function startTestMongod(disposals: Disposals): Promise<(database: string) => string> {
  const project = join(import.meta.dir, '../..');
  const program = new Program([process.execPath, join(project, 'test/mongod/main.ts'), '--port', String(freePort())], {
    cwd: project, env: process.env,
  });
  disposals.push(() => program.kill());
  const [uri] = await program.says(/^mongodb:\S+$/m);
  return (database) => uri.replace('/?', `/${database}?`);
}

const filmsReviewed = 64;

/** `jars`: as `fetchRestHeart` found them. */
export async function startRestHeart(
  { jars, dir, uri }: { readonly jars: string; readonly dir: string; readonly uri: string }, disposals: Disposals,
): Promise<HeartRunner> {
  const ownDir = join(dir, 'restheart');
  mkdirSync(ownDir);
  const restHeart = new RestHeart(jars, ownDir, uri);
  disposals.push(() => restHeart.stop());
  await restHeart.start();
  const films = new TextDecoder().decode(filmsNdjson().bytes).trimEnd().split('\n').map((line, row): HeartFilm =>
    ({ _id: `f${row}`, ...(JSON.parse(line) as object) }));
  const ids = films.slice(0, filmsReviewed).map(({ _id }) => _id);
  const now = Date.now();
  const reviews = inventedReviews(ids).map((review, row) =>
    ({ _id: `r${row}`, ...review, createdAt: new Date(now + row), words: [...new Set(review.text.split(' '))] }));
  await restHeart.fill(films, reviews);
  await restHeart.stop();
  const readyMs = await untilAnswered(`http://127.0.0.1:${restHeart.port}/bench/films/${ids[0]}`, () => restHeart.start());
  return { port: restHeart.port, pid: restHeart.pid, readyMs, films: ids, reviews: reviews.map(({ _id }) => _id) };
}
