/** What `wrangler deploy` uploads stays small: a Worker's cold start is paid by its size. */
import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildEdgeBundle } from '../../../origin/dev/edge-bundle.ts';
import { makeRelease } from '../../support/release.ts';

const bytesMax = 150 * 1_024;

test('the Worker weighs less than 150 KB, and holds nothing that it never runs', async () => {
  const { dir } = await buildEdgeBundle(join(import.meta.dir, '../../..'));
  const files = readdirSync(dir).filter((file) => /\.(js|wasm)$/.test(file)).map((file) => readFileSync(join(dir, file)));
  const { sources } = JSON.parse(readFileSync(join(dir, 'worker.js.map'), 'utf8')) as { readonly sources: readonly string[] };
  expect(files.reduce((bytes, file) => bytes + gzipSync(file).length, 0)).toBeLessThan(bytesMax);
  expect(sources.filter((source) => source.endsWith('/zod/v4/locales/en.js'))).toHaveLength(1);
  // zod's namespaces inside its namespace take messages in all languages along; declarations are checked before they are bundled.
  expect(sources.filter((source) => /\/zod\/v4\/locales\/(?!en\.js)|\/shared\/checks\//.test(source))).toEqual([]);
});

test('a bundle is built once for its sources; of older ones three are kept, and nothing of a build that was killed', async () => {
  const { dir: project, remove } = makeRelease([]);
  const bundles = join(project, '.wrangler/edge-bundle');
  for (const [age, name] of ['building-2147483647', 'newest', 'newer', 'old', 'older', 'oldest'].entries()) {
    mkdirSync(join(bundles, name), { recursive: true });
    utimesSync(join(bundles, name), 1_000 - age, 1_000 - age);
  }
  const first = await buildEdgeBundle(project);
  const again = await buildEdgeBundle(project);
  const left = readdirSync(bundles).sort();
  remove();
  expect([first.built, again.built, again.dir]).toEqual([true, false, first.dir]);
  expect(left).toEqual([first.dir.slice(bundles.length + 1), 'newer', 'newest', 'old'].sort());
}, 60_000);
