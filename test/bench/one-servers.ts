/** The two programs that serve from one machine by themselves, with the same documents: `npm run serve` in production, and PocketBase. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import { withDatabase } from '../support/store-file.ts';
import type { Reads, Server } from './bench-world.ts';
import { filmsNdjson } from './data.ts';
import type { Disposals } from './opened.ts';
import { buildPocketBase, PocketBase, type PocketFilm, type PocketReview } from './pocketbase.ts';
import { toProduction, type Trusted } from './production.ts';

/** A program that answers: its server, and how long after its start it first did; no time where a test tool starts it. */
export interface Runner extends Server {
  readonly readyMs?: number;
}

/** `undefined` where there is no Go to build it. */
export type PocketRunner = (Runner & { readonly ids: readonly string[] }) | undefined;

export interface OneOptions extends Omit<Trusted, 'dataDir'> {
  readonly dir: string;
  /** The sources that it runs. */
  readonly releaseDir: string;
  /** The database on MongoDB that it serves, in place of a copy of the origin's. */
  readonly mongoUri?: string;
}

/** As in production, on a copy of the origin's database. */
export async function startOne(
  { dir, keys, releaseDir, issuer, audience, jwksUrl, mongoUri = '' }: OneOptions,
  { films }: { readonly films: Reads },
  disposals: Disposals,
): Promise<Runner> {
  const ownDir = join(dir, mongoUri === '' ? 'one' : 'one-on-mongodb');
  mkdirSync(ownDir);
  if (mongoUri === '') {
    withDatabase(join(dir, databaseName), (database) => database.prepare('VACUUM INTO ?').run(join(ownDir, databaseName)));
  }
  const settings = toProduction({ dataDir: ownDir, keys, issuer, audience, jwksUrl });
  const child = new OriginProcess({ ...settings, MONGODB_URI: mongoUri }, oneProcess);
  disposals.push(() => child.kill9());
  // The first start makes what later ones find.
  await child.start({ releaseDir });
  await child.stop();
  const readyMs = await untilAnswered(child.url + [...films.keys()][0], () => child.start({ releaseDir }));
  return { port: child.port, pid: child.pid, readyMs };
}

/** `toReviews` gives reviews of the films that are read, whose ids it is given. */
export async function startPocketBase(
  dir: string,
  disposals: Disposals,
  toReviews: (films: readonly string[]) => readonly PocketReview[] = () => [],
): Promise<PocketRunner> {
  const binary = await buildPocketBase();
  if (binary === undefined) return undefined;
  const ownDir = join(dir, 'pocketbase');
  mkdirSync(ownDir);
  const pocketBase = new PocketBase(binary, ownDir);
  disposals.push(() => pocketBase.kill());
  const lines = new TextDecoder().decode(filmsNdjson().bytes).trimEnd().split('\n');
  const films = lines.map((line, row) => ({ ...(JSON.parse(line) as Omit<PocketFilm, 'id'>), id: `f${String(row).padStart(14, '0')}` }));
  const ids = films.slice(0, 64).map(({ id }) => id);
  await pocketBase.fill(films as PocketFilm[], toReviews(ids));
  const readyMs = await untilAnswered(`${pocketBase.url}/api/collections/films/records/${ids[0]}`, () => pocketBase.start());
  return { port: pocketBase.port, pid: pocketBase.pid, readyMs, ids };
}

/** Milliseconds from a start to the first good answer. */
export async function untilAnswered(url: string, start: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  const started = start();
  while (!(await fetch(url).then(({ ok }) => ok, () => false))) await Bun.sleep(5);
  const ms = performance.now() - startedAt;
  await started;
  return ms;
}
