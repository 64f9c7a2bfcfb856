/**
 * PocketBase as whoever tunes it runs it: its log off, rules open, an index for the list, which asks for no total. A list by
 * genre is by the first one, a column of its own, since a filter on a list of values reads every row. It commits with
 * `synchronous=NORMAL`, which it sets itself: a commit is not waited for on the disk.
 *
 * `go install` builds it once, into a folder of the project that git ignores.
 */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';

const pocketBaseVersion = '0.39.11';

const buildDir = join(import.meta.dir, '../../node_modules/.cache/pocketbase', pocketBaseVersion);
const binary = join(buildDir, 'base');
const goPlaces = ['/usr/local/go/bin/go'];

/** The program's path; `undefined` where there is no Go to build it. */
export async function buildPocketBase(): Promise<string | undefined> {
  if (existsSync(binary)) return binary;
  const go = Bun.which('go') ?? goPlaces.find(existsSync);
  if (go === undefined) return undefined;
  const child = Bun.spawn([go, 'install', `github.com/pocketbase/pocketbase/examples/base@v${pocketBaseVersion}`], {
    env: { ...process.env, GOBIN: buildDir }, stdout: 'ignore', stderr: 'pipe',
  });
  if ((await child.exited) !== 0) throw new Error(`PocketBase was not built: ${await new Response(child.stderr).text()}`);
  return binary;
}

export interface PocketFilm {
  readonly id: string;
  readonly title: string;
  readonly year: number;
  readonly genres: readonly string[];
  readonly [field: string]: unknown;
}

export interface PocketReview {
  readonly id: string;
  readonly film: string;
  readonly rating: number;
  readonly text: string;
}

const account = ['bench@example.com', 'not-a-secret'] as const;

const text = (name: string) => ({ name, type: 'text', max: 20_000 });
const json = (name: string) => ({ name, type: 'json' });
const stamps = [
  { name: 'created', type: 'autodate', onCreate: true }, { name: 'updated', type: 'autodate', onCreate: true, onUpdate: true },
];
const collection = {
  name: 'films', type: 'base', listRule: '', viewRule: '', createRule: '',
  fields: [
    text('title'), { name: 'year', type: 'number' }, text('genre'), json('genres'),
    json('cast'), text('href'), text('extract'), json('image'), ...stamps,
  ],
  indexes: ['CREATE INDEX films_by_genre ON films (genre, year DESC, title)'],
};

const toReviews = (films: string) => ({
  name: 'reviews', type: 'base', listRule: '', viewRule: '', updateRule: '',
  fields: [
    { name: 'film', type: 'relation', collectionId: films, maxSelect: 1 }, { name: 'rating', type: 'number' }, text('text'), ...stamps,
  ],
  indexes: ['CREATE INDEX reviews_by_film ON reviews (film, created DESC)', 'CREATE INDEX reviews_by_time ON reviews (created DESC)'],
});

/** PocketBase's way to an aggregate: a collection that is a query, which is run for each question. */
const byYear = {
  name: 'films_by_year', type: 'view', listRule: '',
  viewQuery: 'SELECT CAST(year AS TEXT) AS id, COUNT(*) AS films FROM films GROUP BY year',
};

export class PocketBase {
  readonly #binary: string;
  readonly #dir: string;
  readonly port = freePort();
  #program: Program | undefined;

  constructor(path: string, dir: string) {
    this.#binary = path;
    this.#dir = dir;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#program === undefined) throw new Error('PocketBase was not started');
    return this.#program.pid;
  }

  async start(): Promise<void> {
    this.#program = this.#run('serve', `--http=127.0.0.1:${this.port}`);
    await this.#program.says(/Server started/);
  }

  async stop(): Promise<void> {
    this.#program?.signal('SIGTERM');
    await this.#program?.ended();
  }

  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  /** Makes the collections and puts the documents in, each under a short id of its own; stops afterwards. */
  async fill(films: readonly PocketFilm[], reviews: readonly PocketReview[]): Promise<void> {
    await this.#run('superuser', 'upsert', ...account).ended();
    await this.start();
    const [identity, password] = account;
    const { token } = (await this.#send('POST', '/api/collections/_superusers/auth-with-password', { identity, password })) as AuthAnswer;
    await this.#send('PATCH', '/api/settings', {
      logs: { maxDays: 0 }, rateLimits: { enabled: false }, batch: { enabled: true, maxRequests: 50, timeout: 10 },
    }, token);
    const { id } = (await this.#send('POST', '/api/collections', collection, token)) as { readonly id: string };
    for (const each of [toReviews(id), byYear]) await this.#send('POST', '/api/collections', each, token);
    await this.stop();
    insert(join(this.#dir, 'data.db'), films, reviews);
  }

  async #send(method: string, path: string, body: object, token = ''): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', authorization: token },
    });
    if (!answer.ok) throw new Error(`${method} ${path} is answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  #run(...command: readonly string[]): Program {
    return new Program([this.#binary, ...command, `--dir=${this.#dir}`], { cwd: this.#dir, env: process.env });
  }
}

interface AuthAnswer {
  readonly token: string;
}

/** In PocketBase's own table, while it does not run: 11 216 requests less. */
function insert(file: string, films: readonly PocketFilm[], reviews: readonly PocketReview[]): void {
  const database = new Database(file);
  try {
    const put = database.prepare(`
      INSERT INTO films (id, title, year, genre, genres, "cast", href, extract, image, created, updated)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
    `);
    const putReview = database.prepare('INSERT INTO reviews (id, film, rating, text, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?5)');
    const now = new Date().toISOString().replace('T', ' ');
    database.transaction(() => {
      for (const { id, title, year, genres, cast, href, extract, image } of films) {
        put.run(
          id, title, year, genres[0] ?? '', JSON.stringify(genres), JSON.stringify(cast ?? []), String(href ?? ''), String(extract ?? ''),
          JSON.stringify(image ?? null), now,
        );
      }
      for (const { id, film, rating, text: said } of reviews) putReview.run(id, film, rating, said, now);
    })();
  } finally {
    database.close();
  }
}

/** The first or the second page of a genre, by its first one. */
export function toPocketList(target: string): string {
  const query = new URLSearchParams(target.slice(target.indexOf('?')));
  const filter = encodeURIComponent(`genre='${query.get('genres')}'`);
  return `/api/collections/films/records?filter=${filter}&sort=-year,title&perPage=20&skipTotal=1&page=${query.has('after') ? 2 : 1}`;
}
