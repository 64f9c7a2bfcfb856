/** What a program says that cannot start: the mistake and what mends it, in lines, never where in the code it was found. */
import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireLease, joinLease } from '../../../origin/store/sqlite/connection/lease.ts';

const project = join(import.meta.dir, '../../..');
const dir = mkdtempSync(join(tmpdir(), 'tombolo-cannot-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const keys = `k1:${Buffer.alloc(32, 7).toString('base64url')}`;
const basics = { PATH: process.env['PATH'] ?? '', TOMBOLO_ORIGIN_PORT: '0', TOMBOLO_EDGE_PORT: '0' };

/** Ports are any that are free, and the directory that it runs in has no files of settings. */
function run(script: string, variables: Readonly<Record<string, string>>, ...parameters: readonly string[]) {
  const env = { ...basics, ...variables };
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(project, script), ...parameters], { cwd: dir, env });
  return { exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

describe('a data directory', () => {
  test.each([['origin/main.ts', 'tombolo origin'], ['origin/one-process/main.ts', 'tombolo']])(
    'that another process has is not taken by %s, which may be begun again when that one has ended',
    (script, name) => {
      const dataDir = mkdtempSync(join(dir, 'held-'));
      const lease = acquireLease(dataDir);
      const { exitCode, said } = run(script, { TOMBOLO_DATA_DIR: dataDir, TOMBOLO_KEYS: keys });
      lease.release();
      expect(said).toBe(`${name} cannot start: the database "${dataDir}" is not ready for Tombolo:
  - another process already writes to this data directory; stop that one, or name another by TOMBOLO_DATA_DIR
`);
      expect(exitCode).toBe(69);
    },
  );

  test('that another process has alone is waited for by those that would share it, and then left', async () => {
    const dataDir = mkdtempSync(join(dir, 'alone-'));
    const lease = acquireLease(dataDir);
    const join50Ms = joinLease(dataDir, { clock: Date.now, deadline: Date.now() + 50 });
    await expect(join50Ms).rejects.toMatchObject({ isOthers: true, message: expect.stringContaining('stop that one, or name another') });
    lease.release();
  });

  test.each(['origin/main.ts', 'origin/one-process/main.ts', 'origin/dev/start.ts'])('that cannot be made is named by %s', (script) => {
    writeFileSync(join(dir, 'file'), '');
    const { exitCode, said } = run(script, { TOMBOLO_DATA_DIR: join(dir, 'file/data'), TOMBOLO_KEYS: keys });
    expect(said).toMatch(/cannot start: TOMBOLO_DATA_DIR: .*file\/data cannot be made: ENOTDIR.*\n$/);
    expect([exitCode, said.split('\n').length]).toEqual([78, 2]);
  });
});

describe('settings', () => {
  test('that are wrong have a line each, whichever side asks for them', () => {
    const { exitCode, said } = run('origin/one-process/main.ts', { TOMBOLO_ENV: 'production', TOMBOLO_LOG_LEVEL: 'verbose' });
    expect(said).toBe(`tombolo cannot start: 5 mistakes in the settings:
  TOMBOLO_KEYS: is required in production: <id>:<base64url of 32 random bytes>, the same at the edge
  TOMBOLO_ISSUER: is missing
  TOMBOLO_AUDIENCE: is missing
  TOMBOLO_JWKS_URL: is missing
  TOMBOLO_LOG_LEVEL: must be debug, info, warn, error or silent
`);
    expect(exitCode).toBe(78);
  });

  test('follow from the environment, which is told alone where it is none', () => {
    const { said } = run('origin/one-process/main.ts', { TOMBOLO_ENV: 'prod', TOMBOLO_DATA_DIR: join(dir, 'none') });
    expect(said).toBe('tombolo cannot start: TOMBOLO_ENV: must be development or production\n');
  });

  test('are no options', () => {
    const { exitCode, said } = run('origin/dev/start.ts', {}, '--port', '80');
    expect([exitCode, said]).toEqual([78, 'tombolo cannot start: --port: there are no options; npm run settings prints what can be set\n']);
  });
});
