/** What `wrangler deploy` uploads stays small: a Worker's cold start is paid by its size. */
import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildEdgeBundle } from '../../../origin/dev/edge-bundle.ts';

const bytesMax = 150 * 1_024;

test('the Worker weighs less than 150 KB, and has no messages in languages that nobody asked for', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tombolo-bundle-'));
  const dir =
    process.env['TOMBOLO_EDGE_BUNDLE'] ?? (await buildEdgeBundle({ project: join(import.meta.dir, '../../..'), dir: scratch })).dir;
  const files = readdirSync(dir).filter((file) => /\.(js|wasm)$/.test(file)).map((file) => readFileSync(join(dir, file)));
  rmSync(scratch, { recursive: true, force: true });
  expect(files.reduce((bytes, file) => bytes + gzipSync(file).length, 0)).toBeLessThan(bytesMax);
  // zod's namespaces inside its namespace take all of it along.
  expect(files.some((file) => file.includes('zod/v4/locales/de.js'))).toBe(false);
});
