import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { macFile } from '../../support/hasher.ts';
import { moduleFile } from './module.ts';

const described = JSON.parse(readFileSync(new URL('../../../wasm/dist/tombolo.json', import.meta.url), 'utf8'));

test('the committed modules were built from the committed sources', () => {
  const build = Bun.fileURLToPath(new URL('../../../wasm/build.sh', import.meta.url));
  const hash = Bun.spawnSync(['bash', build, '--source-hash']);
  expect(hash.stdout.toString().trim()).toBe(described.source);
});

/** What each may weigh in a Worker whose whole bundle stays under 150 KB. */
describe.each([
  { name: 'tombolo', file: moduleFile, gzipBytesMax: 40 * 1_024 },
  { name: 'mac', file: macFile, gzipBytesMax: 10 * 1_024 },
])('$name.wasm', ({ name, file, gzipBytesMax }) => {
  const module = readFileSync(file);

  test('is the one that the description names', () => {
    expect(new Bun.CryptoHasher('sha256').update(module).digest('hex')).toBe(described[name]);
  });

  test('is small, and holds no path of a machine', () => {
    expect(Bun.gzipSync(module).byteLength).toBeLessThan(gzipBytesMax);
    expect(module.toString('latin1').match(/\/(home|root|Users|work|usr)\//)).toBeNull();
  });
});
