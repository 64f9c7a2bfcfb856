/**
 * The next release, as far as the hop is concerned: these sources with one thing more said in every direction, in a
 * directory of their own from which an edge is bundled and an origin is run.
 *
 *   edge → origin   request  header `tombolo-next`; the origin logs what it reads of it
 *   origin → edge   answer   header `tombolo-next`
 *   origin → edge   report   header `tombolo-next` and member `next`
 *   edge → origin   what the report is answered: member `next`
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dir, '../..');
/** `origin-child.ts` is how a world runs its origin. */
const copied = ['edge', 'origin', 'shared', 'wasm/dist', 'package.json', 'tsconfig.json', 'wrangler.toml', 'test/support/origin-child.ts'];

const edits: readonly (readonly [file: string, from: string, to: string])[] = [
  ['shared/hop/profile.ts', `  'tombolo-upload',\n] as const`, `  'tombolo-upload',\n  'tombolo-next',\n] as const`],
  ['edge/origin-client/origin-client.ts', `'tombolo-request': requestId,`, `'tombolo-request': requestId, 'tombolo-next': 'asked',`],
  ['edge/coordinator/generations.object.ts', 'now, knowsContract };', 'now, knowsContract, next: true };'],
  ['origin/respond.ts', '  signAnswer(headers, status, hop.answers, context.now());', `  process.stdout.write(\`next: \${hop.header('tombolo-next')}\\n\`);\n  headers['tombolo-next'] = 'answered';\n  signAnswer(headers, status, hop.answers, context.now());`],
  ['origin/hop/sign.ts', `{ 'content-type': 'application/json', 'content-digest': contentDigest(body) }`, `{ 'content-type': 'application/json', 'content-digest': contentDigest(body), 'tombolo-next': 'told' }`],
  ['origin/purge/purge.ts', '{ ...report, contract,', `{ ...report, next: 'told', contract,`],
];

export interface Release {
  readonly dir: string;
  remove(): void;
}

export function makeNextRelease(): Release {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-next-'));
  for (const path of copied) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    cpSync(join(root, path), join(dir, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  for (const [file, from, to] of edits) {
    const parts = readFileSync(join(dir, file), 'utf8').split(from);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, and not once: ${from}`);
    writeFileSync(join(dir, file), parts.join(to));
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
