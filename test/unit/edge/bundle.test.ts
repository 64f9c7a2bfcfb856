/** What `wrangler deploy` uploads stays small: a Worker's cold start is paid by its size. */
import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildEdgeBundle } from '../../../origin/dev/edge-bundle.ts';

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
