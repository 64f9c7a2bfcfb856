/** Declarations with mistakes: nothing that serves them starts, nothing is bundled of them, and all of the mistakes are told. */
import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const project = join(import.meta.dir, '../../..');
const { scripts } = (await Bun.file(join(project, 'package.json')).json()) as { readonly scripts: Readonly<Record<string, string>> };

const told = [
  '6 mistakes in what is declared:',
  '  shared/resources/films.ts: resource "films": live: must be true or false',
  '  shared/resources/films.ts: resource "films": schema.shown: a date has no form in JSON; use instant()',
  '  shared/resources/films.ts: resource "films": rules.write: the schema has no field "lokced"',
  '  shared/resources/orders.ts: resource "orders": shapes: is missing: what can be asked for is declared, as in { all: {} }',
  '  shared/resources/orders.ts: resource "orders": id: must be "uuid", "objectId", "integer" or an object, ' +
    'as in { kind: "string", format: z.string() }',
  '  shared/resources/orders.ts: resource "orders": rules.read: is a function and no rule; call it, as in role("editor"): ' +
    'rules are anyone, nobody, signedIn and what role(…), owner(…), tenant(…), equals(…), absent(…), not(…), all(…) and any(…) give',
];

const preload = './test/support/mistaken-declarations.ts';
const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-declarations-'));
const env = {
  // The variables of the test run are left out: they are no settings, and would be told.
  ...process.env, TOMBOLO_TEST_RUN: undefined, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: dataDir,
  TOMBOLO_ENV: 'development', TOMBOLO_KEYS: `k1:${'a'.repeat(43)}`, TOMBOLO_EDGE_PORT: '0', TOMBOLO_ORIGIN_PORT: '0',
};

afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function run(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<readonly [number, string, string]> {
  const child = Bun.spawn([process.execPath, ...command], {
    cwd: project, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env: { ...env, ...more },
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return [await child.exited, out, err];
}

/** The programs of package.json that serve what is declared, or make something that will. */
test.each([
  ['start', 'origin/dev/start.ts', 'tombolo cannot start: '],
  ['serve', 'origin/one-process/main.ts', 'tombolo cannot start: '],
  ['origin', 'origin/main.ts', 'tombolo origin cannot start: '],
  ['edge', 'origin/edge-host/main.ts', 'tombolo edge cannot start: '],
])('npm run %s tells every mistake in a line with file, resource and key, and exits 78', async (script, program, says) => {
  expect(scripts[script]).toBe(`exec bun ${program}`);
  const [code, out, err] = await run(['--preload', preload, program]);
  expect([code, out, err.trimEnd().split('\n')]).toEqual([78, '', [says + told[0], ...told.slice(1)]]);
});

// Whatever bundles by wrangler.toml runs its [build] first: `wrangler deploy`, `dev` and `versions upload`, and our own programs.
test('npm run deploy tells them too, and bundles nothing', async () => {
  expect(scripts['deploy']).toBe('wrangler deploy');
  const outdir = join(dataDir, 'bundle');
  const wrangler = ['node_modules/wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', outdir];
  const [code, out, err] = await run(wrangler, { BUN_OPTIONS: `--preload ${preload}`, WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' });
  expect([code, existsSync(outdir)]).toEqual([1, false]);
  for (const line of told) expect(out + err).toContain(line);
});
