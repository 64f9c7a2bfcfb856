import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moduleFile } from './module.ts';

const here = (path: string) => Bun.fileURLToPath(new URL(path, import.meta.url));
const vectors = here('../../wasm/vectors/csv.json');
const node = Bun.which('node');

test.skipIf(!node)(`every CSV vector gives the same in Node${node ? '' : ' (left out: no node on PATH)'}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-'));
  try {
    await Bun.build({ entrypoints: [here('node-entry.ts')], target: 'node', outdir: folder, naming: 'entry.mjs' });
    const child = Bun.spawn([node ?? '', join(folder, 'entry.mjs'), Bun.fileURLToPath(moduleFile), vectors], { stderr: 'inherit' });
    const expected = { vectors: JSON.parse(readFileSync(vectors, 'utf8')).vectors.length, failures: [] };
    expect(await new Response(child.stdout).json()).toEqual(expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
