import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { moduleFile, vectorFiles } from './module.ts';

const node = Bun.which('node');

test.skipIf(!node)(`every vector gives the same in Node${node ? '' : ' (left out: no node on PATH)'}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-'));
  const { text, count } = vectorFiles();
  try {
    await Bun.build({
      entrypoints: [Bun.fileURLToPath(new URL('node-entry.ts', import.meta.url))],
      target: 'node',
      outdir: folder,
      naming: 'entry.mjs',
    });
    const child = Bun.spawn([node ?? '', join(folder, 'entry.mjs'), Bun.fileURLToPath(moduleFile)], {
      stdin: new TextEncoder().encode(text),
      stderr: 'inherit',
    });
    expect(await new Response(child.stdout).json()).toEqual({ vectors: count, failures: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
