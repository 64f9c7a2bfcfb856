import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withEnvironmentFiles, withSecretFiles } from '../../../origin/given.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { toUnknownVariables } from '../../../shared/settings/unknown-variables.ts';

const keys = `k1:${Buffer.alloc(32, 7).toString('base64url')}`;
const production = { TOMBOLO_ENV: 'production', TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'https://api.example.com' };

test('a secret may stand in a file, which is told by its variable alone where it cannot be read', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-secret-'));
  const file = join(dir, 'keys');
  writeFileSync(file, `${keys}\n`);
  const { TOMBOLO_KEYS: _, ...others } = production;
  const given = { ...others, TOMBOLO_KEYS_FILE: file };
  expect(mustSettings(withSecretFiles(given)).keys).toEqual(mustSettings(production).keys);
  expect(() => withSecretFiles({ ...given, TOMBOLO_KEYS: keys })).toThrow('TOMBOLO_KEYS_FILE: stands beside TOMBOLO_KEYS');
  const uri = { ...production, MONGODB_URI_FILE: join(dir, 'uri') };
  writeFileSync(uri.MONGODB_URI_FILE, 'mongodb://user:planted@127.0.0.1/shop');
  expect(mustSettings(withSecretFiles(uri)).mongodbUri).toBe('mongodb://user:planted@127.0.0.1/shop');
  rmSync(dir, { recursive: true });
  expect(() => withSecretFiles(given)).toThrow('TOMBOLO_KEYS_FILE: cannot be read (ENOENT)');
});

test('files of variables count by the environment that is named, behind the variables themselves', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-files-'));
  const [port, host] = ['TOMBOLO_ORIGIN_PORT', 'TOMBOLO_ORIGIN_HOST'];
  writeFileSync(join(dir, '.env'), `TOMBOLO_ENV=production\n${port}=1\n${host}=of-all\nTOMBOLO_LOG_LEVEL=error\n`);
  writeFileSync(join(dir, '.env.production'), `${port}=2\n${host}=of-production\n`);
  writeFileSync(join(dir, '.env.development'), `${port}=3\n`);
  const byFile = { TOMBOLO_ENV: 'production', TOMBOLO_LOG_LEVEL: 'error', [host]: 'of-production' };
  expect(withEnvironmentFiles({}, dir)).toEqual({ ...byFile, [port]: '2' });
  expect(withEnvironmentFiles({ [port]: '4', [host]: '' }, dir)).toEqual({ ...byFile, [port]: '4', [host]: '' });
  expect(withEnvironmentFiles({ TOMBOLO_ENV: 'development' }, dir)).toMatchObject({ [port]: '3', [host]: 'of-all' });
  rmSync(dir, { recursive: true });
  expect(withEnvironmentFiles({ [port]: '5', [host]: undefined }, dir)).toEqual({ [port]: '5' });
});

test('each command takes the database from a file as the servers do, and goes nowhere else where it cannot', () => {
  const commands = [['plan'], ['backup'], ['rebuild', 'film-ratings'], ['restore', 'a-file'], ['adopt', '--collection', 'a']];
  for (const [command = '', ...args] of commands) {
    const script = join(import.meta.dir, `../../../origin/database/${command}.ts`);
    const env = { ...process.env, MONGODB_URI: '', MONGODB_URI_FILE: '/nowhere/uri', TOMBOLO_DATA_DIR: '/nowhere/data' };
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, ...args], { env });
    const said = `tombolo ${command}: MONGODB_URI_FILE: cannot be read (ENOENT)\n`;
    expect([exitCode, stderr.toString()]).toEqual([78, said]);
  }
});

test('the README has each setting as the table has it, and the table has each that is known', () => {
  const printed = Bun.spawnSync([process.execPath, join(import.meta.dir, '../../../origin/settings-table.ts')]);
  const table = printed.stdout.toString().trimEnd();
  expect(readFileSync(join(import.meta.dir, '../../../README.md'), 'utf8')).toContain(table);
  const source = readFileSync(join(import.meta.dir, '../../../shared/settings/unknown-variables.ts'), 'utf8');
  const known = [...source.matchAll(/'(TOMBOLO_[A-Z_]+)'/g)].map(([, name]) => name);
  const rows = table.split('\n').slice(2).map((line) => line.split(' | ')[0] ?? '');
  const told = rows.flatMap((names) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(told.filter((name) => name?.startsWith('TOMBOLO_')).sort()).toEqual(known.sort());
});

describe('the settings of an origin', () => {
  test.each(['TOMBOLO_KEYS', 'TOMBOLO_EDGE_URLS'])('in production have no default for %s', (variable) => {
    expect(() => mustSettings({ ...production, [variable]: undefined })).toThrow(`${variable}: is required in production`);
    expect(() => mustSettings({ ...production, [variable]: '' })).toThrow(`${variable}: is required in production`);
  });

  test('in production are complete with keys and edges', () => {
    expect(mustSettings(production)).toMatchObject({
      environment: 'production', seed: false, originPort: 8788, edgeUrls: ['https://api.example.com'], logBytesMax: 1_073_741_824,
    });
    expect(mustSettings({ ...production, TOMBOLO_LOG_BYTES_MAX: '2097152' }).logBytesMax).toBe(2_097_152);
    expect(mustSettings(production).metrics).toBeUndefined();
    expect(mustSettings({ ...production, TOMBOLO_METRICS_PORT: '9464' }).metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(mustSettings(production).answersBytesMax).toBe(67_108_864);
    expect(mustSettings({ ...production, TOMBOLO_ANSWERS_BYTES_MAX: '0' }).answersBytesMax).toBe(0);
  });

  test.each([
    [{}, true], [{ TOMBOLO_SEED: '0' }, false], [{ MONGODB_URI: 'mongodb://a/shop' }, false],
    [{ MONGODB_URI: 'mongodb://a/shop', TOMBOLO_SEED: '1' }, true],
  ])('in development with %j seed the store: %p', (given, seed) => {
    expect(mustSettings({ TOMBOLO_KEYS: production.TOMBOLO_KEYS, ...given }).seed).toBe(seed);
  });

  test.each([
    ['TOMBOLO_ENV', 'prod'], ['TOMBOLO_ORIGIN_PORT', '80a'], ['TOMBOLO_ORIGIN_PORT', '65536'], ['TOMBOLO_EDGE_URLS', 'ftp://x'],
    ['TOMBOLO_METRICS_PORT', '0'], ['TOMBOLO_METRICS_PORT', '65536'], ['TOMBOLO_METRICS_PORT', 'on'],
    ['TOMBOLO_LOG_LEVEL', 'loud'], ['TOMBOLO_LOG_BYTES_MAX', '1GB'], ['TOMBOLO_LOG_BYTES_MAX', '1048575'],
    ['TOMBOLO_LOG_BYTES_MAX', '-1'], ['TOMBOLO_ANSWERS_BYTES_MAX', '64MB'], ['TOMBOLO_KEYS', 'k1:c2hvcnQ'],
    ['TOMBOLO_DRAIN_MS', '5001'], ['TOMBOLO_DRAIN_MS', '1s'], ['TOMBOLO_PROCESS_BYTES_MAX', '67108863'],
    ['TOMBOLO_KEYS', `${keys},${keys}`],
    ['TOMBOLO_KEYS', 'nonsense'],
  ])('name %s when it is %p, and never tell a secret', (variable, value) => {
    const refuse = () => mustSettings({ ...production, [variable]: value });
    expect(refuse).toThrow(`${variable}`);
    if (variable === 'TOMBOLO_KEYS') expect(refuse).not.toThrow(value.split(':')[1] ?? value);
  });

  test('tell everything that is wrong at once, each variable by its name once', () => {
    expect(() => mustSettings({ TOMBOLO_ENV: 'production' })).toThrow(
      /^TOMBOLO_KEYS: is required .*; TOMBOLO_EDGE_URLS: is required [^;]*$/,
    );
    expect(() => mustSettings({ ...production, TOMBOLO_KEYS: 'nonsense', TOMBOLO_LOG_LEVEL: 'loud' })).toThrow(
      /^TOMBOLO_KEYS: entry 1 is not .*; TOMBOLO_LOG_LEVEL: must be [^;]*$/,
    );
  });

  test('in production take no edge over plain HTTP but one on the same machine', () => {
    for (const urls of ['http://api.example.com', 'https://a.example.com,http://b.example.com', 'https://a.example.com,']) {
      expect(() => mustSettings({ ...production, TOMBOLO_EDGE_URLS: urls })).toThrow('TOMBOLO_EDGE_URLS: must be https URLs');
    }
    expect(mustSettings({ ...production, TOMBOLO_EDGE_URLS: 'http://127.0.0.1:8787' }).edgeUrls).toEqual(['http://127.0.0.1:8787']);
    expect(mustSettings({ TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'http://edge.lan' }).edgeUrls).toEqual(['http://edge.lan']);
  });

  test('name variables that no setting reads, with the one that was meant', () => {
    expect(toUnknownVariables({ ...production, TOMBOLO_ORIGIN_PROT: '1', TOMBOLO_COLOUR: 'blue', PATH: '/bin' })).toEqual([
      'TOMBOLO_COLOUR: no setting has this name',
      'TOMBOLO_ORIGIN_PROT: no setting has this name; did you mean TOMBOLO_ORIGIN_PORT?',
    ]);
  });
});
