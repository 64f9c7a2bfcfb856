import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Miniflare } from 'miniflare';
import { moduleFile } from './module.ts';

const vectors = readFileSync(new URL('../../wasm/vectors/csv.json', import.meta.url), 'utf8');
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

test('every CSV vector gives the same in workerd, by the same bytes of the module', async () => {
  const response = await workerd.dispatchFetch('http://localhost/', { method: 'POST', body: vectors });
  expect(await response.json()).toEqual({ vectors: JSON.parse(vectors).vectors.length, failures: [] });
}, 60_000);
