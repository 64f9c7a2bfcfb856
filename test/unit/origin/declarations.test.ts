/** What a start says of declarations with mistakes: all of them, and nothing else. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const project = join(import.meta.dir, '../../..');

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

test.each([
  ['origin/main.ts', 'tombolo origin cannot start: '],
  ['origin/dev/start.ts', 'tombolo cannot start: '],
])('%s tells every mistake in a line with file, resource and key, and exits 78', async (program, says) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-declarations-'));
  const child = Bun.spawn([process.execPath, '--preload', './test/support/mistaken-declarations.ts', program], {
    cwd: project, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe',
    // The variables of the test run are left out: they are no settings, and would be told.
    env: {
      ...process.env, TOMBOLO_EDGE_BUNDLE: undefined, TOMBOLO_TEST_RUN: undefined, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: dataDir,
      TOMBOLO_ENV: 'development', TOMBOLO_KEYS: `k1:${'a'.repeat(43)}`, TOMBOLO_EDGE_PORT: '0', TOMBOLO_ORIGIN_PORT: '0',
    },
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  rmSync(dataDir, { recursive: true, force: true });
  expect([code, out, err.trimEnd().split('\n')]).toEqual([78, '', [says + told[0], ...told.slice(1)]]);
});
