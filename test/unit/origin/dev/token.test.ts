/** `npm run token`: what it prints, what it refuses, and that its help names every option. */
import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';

const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-token-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function token(...given: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: dataDir, TOMBOLO_ENV: 'development' };
  const child = Bun.spawn([process.execPath, join(import.meta.dir, '../../../../origin/dev/token.ts'), ...given], {
    stdout: 'pipe',
    stderr: 'pipe',
    env,
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, out, err };
}

test('prints a token with roles, tenant, plan and whatever claims are asked for', async () => {
  const { code, out } = await token(
    '--sub', 'alice', '--role', 'editor', '--role', 'viewer', '--tenant', 'acme', '--plan', 'partner', '--seconds', '60',
    '--claim', 'level=3', '--claim', 'region=eu=1', '--claim', 'beta=true', '--claim', 'zip=01234',
  );
  expect(code).toBe(0);
  const { iat = 0, exp = 0, ...claims } = decodeJwt(out.trim());
  expect(claims).toEqual({
    sub: 'alice', roles: ['editor', 'viewer'], tenant: 'acme', plan: 'partner', level: 3, region: 'eu=1', beta: true,
    zip: '01234', iss: 'https://development.tombolo.invalid', aud: 'tombolo',
  });
  expect(exp - iat).toBe(60);
});

test('lists every option when it is asked for help', async () => {
  for (const asked of ['--help', '-h']) {
    const { code, out, err } = await token(asked);
    expect([code, err]).toEqual([0, '']);
    for (const option of ['sub', 'role', 'tenant', 'plan', 'claim', 'seconds', 'help']) expect(out).toContain(`--${option} `);
  }
});

test('refuses what it does not know, and says what it does', async () => {
  for (const given of [
    [], ['--sub', ''], ['--sub', 'a', '--claim', 'plan=x'], ['--sub', 'a', '--claim', '=x'], ['--sub', 'a', '--claim', 'x'],
    ['--sub', 'a', '--seconds', '0'], ['--sub', 'a', '--colour', 'red'],
  ]) {
    const { code, out, err } = await token(...given);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('--claim <name>=<value>');
  }
});
