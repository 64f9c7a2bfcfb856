/** What is measured beside others lacks words of films, and nothing else. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Resource } from '../../shared/contract/resource.ts';
import { films } from '../../shared/resources/films.ts';
import { makeWordlessFilms } from './wordless-films.ts';

test('films without words have all other shapes, and the sample has one more', async () => {
  const { releaseDir, workerModule, remove } = makeWordlessFilms();
  try {
    const { films: wordless } = (await import(join(releaseDir, 'shared/resources/films.ts'))) as { readonly films: Resource };
    expect(wordless.shapes).toEqual(films.shapes.filter(({ text }) => text === undefined));
    expect(films.shapes.length - wordless.shapes.length).toBe(1);
    expect(await Bun.file(workerModule).text()).toContain(`from '../shared/resources/all.ts'`);
  } finally {
    remove();
  }
});
