/** Commands tell how they are used, and what they were given wrongly, before they read a setting or open a database. */
import { expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const project = join(import.meta.dir, '../../..');

function run(script: string, parameter: string) {
  const env = { PATH: process.env['PATH'] ?? '', TOMBOLO_KEYS: 'none', MONGODB_URI: 'none' };
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(project, script), parameter], { cwd: tmpdir(), env });
  return [exitCode, stdout.toString(), stderr.toString()];
}

test.each([
  ['origin/database/adopt.ts', 'npm run adopt -- --collection NAME'], ['origin/database/backup.ts', 'npm run backup -- [DIR]'],
  ['origin/database/plan.ts', 'npm run plan -- [options]'], ['origin/database/rebuild.ts', 'npm run rebuild -- NAME'],
  ['origin/database/restore.ts', 'npm run restore -- FROM'], ['origin/doctor/doctor.ts', 'npm run doctor -- [--json]'],
])('%s --help', (script, usage) => {
  expect(run(script, '--help')).toEqual([0, expect.stringMatching(new RegExp(`^usage: ${RegExp.escape(usage)}`)), '']);
});

test('what a command does not know is named, and how its usage is asked for', () => {
  const said = "tombolo backup: Unknown option '--evry'; npm run backup -- --help\n";
  expect(run('origin/database/backup.ts', '--evry=1h')).toEqual([64, '', said]);
});
