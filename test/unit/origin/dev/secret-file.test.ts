import { afterAll, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevelopmentKeys } from '../../../../origin/dev/keys.ts';
import { openSecretFile } from '../../../../origin/dev/secret-file.ts';
import { mustKeyRing } from '../../../../shared/hop/keys.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-secret-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('ends with one secret when many make it at once, and leaves nothing beside it', async () => {
  const path = join(dir, 'race', 'secret');
  const opened = await Promise.all(
    Array.from({ length: 20 }, (_, index) => openSecretFile(path, () => Promise.resolve(`secret ${index}`))),
  );
  expect(new Set(opened).size).toBe(1);
  expect(await openSecretFile(path, () => 'another')).toBe(opened[0] ?? '');
  expect(readdirSync(join(dir, 'race'))).toEqual(['secret']);
});

test('keeps a secret readable by its owner alone, also one that was copied with a wider mode', async () => {
  const path = join(dir, 'mode');
  await openSecretFile(path, () => 'secret');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  chmodSync(path, 0o644);
  await openSecretFile(path, () => 'another');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('makes a key ring that edge and origin accept, and the same at the next start', async () => {
  const text = await openDevelopmentKeys(join(dir, 'keys'));
  expect(mustKeyRing(text)).toHaveLength(1);
  expect(await openDevelopmentKeys(join(dir, 'keys'))).toBe(text);
  expect(await openDevelopmentKeys(join(dir, 'other'))).not.toBe(text);
});
