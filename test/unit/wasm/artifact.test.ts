import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { moduleFile } from './module.ts';

const described = JSON.parse(readFileSync(new URL('../../../wasm/dist/tombolo.json', import.meta.url), 'utf8'));
/** What the module may weigh in a Worker whose whole bundle stays under 150 KB. */
const gzipBytesMax = 40 * 1024;

test('the committed module was built from the committed sources', () => {
  const build = Bun.fileURLToPath(new URL('../../../wasm/build.sh', import.meta.url));
  const hash = Bun.spawnSync(['bash', build, '--source-hash']);
  expect(hash.stdout.toString().trim()).toBe(described.source);
});

test('the committed module is the one that its description names, and holds no path of a machine', () => {
  const module = readFileSync(moduleFile);
  expect(new Bun.CryptoHasher('sha256').update(module).digest('hex')).toBe(described.sha256);
  expect(module.byteLength).toBe(described.size);
  expect(Bun.gzipSync(module).byteLength).toBeLessThan(gzipBytesMax);
  expect(module.toString('latin1').match(/\/(home|root|Users|work|usr)\//)).toBeNull();
});
