import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Miniflare } from 'miniflare';
import { moduleFile, vectorFiles } from '../../unit/wasm/module.ts';

const main = `import module from './tombolo.wasm';
import { answer } from './entry.js';
export default { fetch: (request) => answer(module, request) };`;

let workerd: Miniflare;

beforeAll(async () => {
  const built = await Bun.build({ entrypoints: [Bun.fileURLToPath(new URL('workerd-entry.ts', import.meta.url))] });
  workerd = new Miniflare({
    compatibilityDate: '2026-04-01',
    modules: [
      { type: 'ESModule', path: 'main.js', contents: main },
      { type: 'ESModule', path: 'entry.js', contents: (await built.outputs[0]?.text()) ?? '' },
      { type: 'CompiledWasm', path: 'tombolo.wasm', contents: readFileSync(moduleFile) },
    ],
  });
  await workerd.ready;
});

afterAll(() => workerd.dispose());

test('every vector gives the same in workerd, by the same bytes of the module', async () => {
  const { text, count } = vectorFiles();
  const response = await workerd.dispatchFetch('http://localhost/', { method: 'POST', body: text });
  expect(await response.json()).toEqual({ vectors: count, failures: [] });
}, 60_000);
