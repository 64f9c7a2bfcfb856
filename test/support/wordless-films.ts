/**
 * These sources with films that no word finds, in a folder of their own. Words of an extract make a film several times dearer to
 * write (test/bench/ORIGIN.md, "Words in an import"): benchmarks compare what others have too, and they index none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRelease, type Release } from './release.ts';

const root = join(import.meta.dir, '../..');
const shape = `    byText: { text: ['title', 'extract'], range: 'year', sort: ['-year,title'] },\n`;
const benchWorker = readFileSync(join(root, 'test/workerd/workers/bench.worker.ts'), 'utf8');

/** As programs and edges are started: an origin by `releaseDir`, the edge of benchmarks by `workerModule`. */
export interface WordlessFilms extends Pick<Release, 'remove'> {
  readonly releaseDir: string;
  readonly workerModule: string;
}

export function makeWordlessFilms(added: Readonly<Record<string, string>> = {}): WordlessFilms {
  const worker = 'edge/bench.worker.ts';
  const { dir, remove } = makeRelease([['shared/resources/films.ts', shape, '']], {
    ...added, [worker]: benchWorker.replaceAll(`'../../../edge/`, `'./`).replaceAll(`'../../../shared/`, `'../shared/`),
  });
  return { releaseDir: dir, workerModule: join(dir, worker), remove };
}
